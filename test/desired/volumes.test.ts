import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readFleet } from "../../src/config/fleet.ts";
import type { HostArgs } from "../../src/desired/host-inputs.ts";
import { renderHost } from "../../src/desired/render-host.ts";
import { byUuid, declaredVolumes, escapePath, mountDirectives, mountOptions, mountUnitFile, volumeFiles, wholeLabel } from "../../src/desired/volumes.ts";
import { renderedPaths } from "../../src/desired/templates.ts";
import { temporaryFolder } from "../support/shell.ts";

const disk = "/dev/disk/by-id/virtio-data";
const other = "/dev/vg0/containerd";
const uuid = "6f4e5d4c-3b2a-8908-8706-050403020100";
const dockerMount = "/etc/systemd/system/var-lib-docker.mount";
const containerdMount = "/etc/systemd/system/var-lib-containerd.mount";

function rendered(volume: unknown, templates?: string): HostArgs {
  const settings = readFleet({ profile: "baseline", hosts: { web1: { connection: { host: "192.0.2.10" }, audit: false, limits: null, volume } } }).hosts.get("web1");
  if (!settings) throw new Error("no host web1");
  return renderHost(settings, { host: "web1", ...(templates === undefined ? {} : { templates }) });
}

describe("a path in the name of a unit", () => {
  const cases: [string, string][] = [
    ["/var/lib/docker", "var-lib-docker"],
    ["/var/lib/docker/", "var-lib-docker"],
    ["/dev/disk/by-id/virtio-data", "dev-disk-by\\x2did-virtio\\x2ddata"],
    ["/dev/mapper/vg0-a--b", "dev-mapper-vg0\\x2da\\x2d\\x2db"],
    ["/dev/disk/by-path/pci-0000:00:07.0", "dev-disk-by\\x2dpath-pci\\x2d0000:00:07.0"],
    ["/dev/disk/by-id/usb-a@1=2+3_4", "dev-disk-by\\x2did-usb\\x2da\\x401\\x3d2\\x2b3_4"],
    ["/.hidden/.b", "\\x2ehidden-.b"],
    ["/a b", "a\\x20b"],
  ];
  it.each(cases)("%s is %s", (path, escaped) => {
    expect(escapePath(path)).toBe(escaped);
  });

  it("is what systemd-escape makes of it", ({ skip }) => {
    const device = fc.stringMatching(/^(\/[\w.:@+=-]{1,6}){1,4}$/).filter((path) => !/\/\.\.?(\/|$)/.test(path));
    const paths = [...cases.map(([path]) => path), ...fc.sample(device, 100)];
    const { status, stdout } = spawnSync("systemd-escape", ["--path", ...paths], { encoding: "utf8" });
    skip(status !== 0, "no systemd-escape here");
    // It prints them on one line, and none of them has a blank in it.
    expect(paths.map(escapePath)).toEqual(stdout.trim().split(" "));
  });

  it("gives the mount units their names, which are among the files that stay", () => {
    expect(["/var/lib/docker", "/var/lib/containerd"].map(mountUnitFile)).toEqual([dockerMount, containerdMount]);
    for (const path of volumeFiles) expect(renderedPaths).toContain(path);
  });
});

describe("what is declared", () => {
  it.each<[string, Parameters<typeof declaredVolumes>[0], object]>([
    ["nothing", undefined, {}],
    ["no disk", { filesystem: "xfs" }, {}],
    ["Docker's", { device: disk }, { "/var/lib/docker": { device: disk, filesystem: "ext4", options: "nodev" } }],
    ["containerd's", { containerd: { device: other, filesystem: "xfs" } }, { "/var/lib/containerd": { device: other, filesystem: "xfs", options: "nodev,pquota" } }],
    ["both", { device: disk, filesystem: "xfs", containerd: { device: other, filesystem: "ext4" } }, { "/var/lib/containerd": { device: other, filesystem: "ext4", options: "nodev" }, "/var/lib/docker": { device: disk, filesystem: "xfs", options: "nodev,pquota" } }],
    ["with a size per container", { device: disk, filesystem: "xfs", containerSize: "10G" }, { "/var/lib/docker": { device: disk, filesystem: "xfs", options: "dev,pquota" } }],
  ])("%s", (_, volume, expected) => {
    expect(declaredVolumes(volume)).toEqual(expected);
  });

  it("goes to templates by the last part of its place, with the unit that checks ext4", () => {
    expect(mountDirectives(declaredVolumes({ device: disk, containerd: { device: other, filesystem: "xfs" } }))).toEqual({
      containerd: { device: other, filesystem: "xfs", options: "nodev,pquota", fsck: "" },
      docker: { device: disk, filesystem: "ext4", options: "nodev", fsck: "systemd-fsck@dev-disk-by\\x2did-virtio\\x2ddata.service" },
    });
  });

  it.each([["ext4", {}, "nodev"], ["xfs", {}, "nodev,pquota"], ["xfs", { containerSize: "1G" }, "dev,pquota"]] as const)("%s with %j is mounted with %s", (filesystem, options, expected) => {
    expect(mountOptions(filesystem, options)).toBe(expected);
  });

  it("has labels that xfs takes", () => {
    for (const label of ["/var/lib/docker", "/var/lib/containerd"].map(wholeLabel)) expect(label.length).toBeLessThanOrEqual(12);
  });
});

describe("a mount unit", () => {
  it("for ext4 has it checked first", () => {
    expect(rendered({ device: disk }).files[dockerMount]).toMatchInlineSnapshot(`
      "# Written by Drydock. It stays when the host leaves the stack: the data are on this filesystem.
      [Unit]
      Description=Data of Docker on a filesystem of their own (Drydock)
      Wants=systemd-fsck@dev-disk-by\\x2did-virtio\\x2ddata.service
      After=systemd-fsck@dev-disk-by\\x2did-virtio\\x2ddata.service

      [Mount]
      What=/dev/disk/by-id/virtio-data
      Where=/var/lib/docker
      Type=ext4
      Options=nodev

      [Install]
      WantedBy=local-fs.target
      "
    `);
  });

  it("for xfs has nothing checked", () => {
    expect(rendered({ containerd: { device: other, filesystem: "xfs" } }).files[containerdMount]).toMatchInlineSnapshot(`
      "# Written by Drydock. It stays when the host leaves the stack: the data are on this filesystem.
      [Unit]
      Description=Data of containerd on a filesystem of their own (Drydock)

      [Mount]
      What=/dev/vg0/containerd
      Where=/var/lib/containerd
      Type=xfs
      Options=nodev,pquota

      [Install]
      WantedBy=local-fs.target
      "
    `);
  });

  it("names the filesystem and not the disk, once that is known, in the check as well", () => {
    const text = byUuid(rendered({ device: disk }).files[dockerMount] ?? "", disk, uuid);
    expect(text).toContain(`What=/dev/disk/by-uuid/${uuid}\n`);
    expect(text).toContain("Wants=systemd-fsck@dev-disk-by\\x2duuid-6f4e5d4c\\x2d3b2a\\x2d8908\\x2d8706\\x2d050403020100.service\n");
    expect(text).not.toMatch(/by-id|by\\x2did/);
    expect(byUuid(text, disk, uuid)).toBe(text);
  });
});

describe("the files of a host", () => {
  const dropIns = ["/etc/systemd/system/containerd.service.d/40-drydock-volume.conf", "/etc/systemd/system/docker.service.d/40-drydock-volume.conf"];

  it.each<[string, object, string[], string]>([
    ["Docker's alone", { device: disk }, [dockerMount], "/var/lib/docker"],
    ["containerd's alone", { containerd: { device: other } }, [containerdMount], "/var/lib/containerd"],
    ["both", { device: disk, containerd: { device: other } }, [containerdMount, dockerMount], "/var/lib/containerd /var/lib/docker"],
  ])("with %s keep both services from starting without it, or without the other one, which may have been declared once", (_, volume, units, places) => {
    const { files, modes, volumes } = rendered(volume);
    expect(Object.keys(files)).toEqual([...dropIns, ...units]);
    for (const path of dropIns) expect(files[path]).toMatch(/\n\[Unit\]\nRequiresMountsFor=\/var\/lib\/containerd \/var\/lib\/docker\n$/);
    for (const path of Object.keys(files)) expect(modes[path]).toBe("root:root 0644");
    expect(Object.keys(volumes ?? {}).join(" ")).toBe(places);
  });

  it("without a volume are none of these", () => {
    expect(rendered(null)).not.toHaveProperty("volumes");
    expect(rendered(null).files).toEqual({});
  });
});

describe("a template of the user's own for a mount unit", () => {
  const own = (text: string): HostArgs => {
    const folder = temporaryFolder();
    const file = join(folder, `${dockerMount}.hbs`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return rendered({ device: disk }, folder);
  };

  it("may say more", () => {
    const text = "[Unit]\nDescription=Ours\n[Mount]\nWhat={{volumes.docker.device}}\nWhere=/var/lib/docker\nType={{volumes.docker.filesystem}}\nOptions={{volumes.docker.options}},noatime\n[Install]\nWantedBy=local-fs.target\n";
    expect(own(text).files[dockerMount]).toContain(`What=${disk}\nWhere=/var/lib/docker\nType=ext4\nOptions=nodev,noatime\n`);
  });

  it.each([
    ["[Mount]\n[Service]\n", 'line 2 of what it renders: "[Service]" is no section; allowed: Unit, Mount, Install'],
    ["What=/dev/sdb\n", 'line 1 of what it renders: "What=/dev/sdb" stands before the first section'],
    ["[Mount]\nWhat=/dev/sdb \\\nWhere=/\n", 'line 2 of what it renders: "What=/dev/sdb \\\\" is no line Directive=value'],
    ["[Mount]\nWhat={{volumes.docker.disk}}\n", 'line 2: "disk" is not defined'],
    ["[Mount]", "line 1 of what it renders: the last line does not end"],
  ])("is refused when it breaks it: %j", (text, message) => {
    expect(() => own(text)).toThrow(message);
  });
});
