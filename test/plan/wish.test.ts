import { describe, expect, it } from "vitest";
import { auditRulesFile, auditRulesForHost, completeInputs, hostsDropIn } from "../../src/plan/wish.ts";
import { declared } from "../support/wish.ts";
import { declaredVolume } from "../support/volumes.ts";

const host = { starts: ["/usr/sbin/dockerd", "/usr/bin/containerd"], dockerExecStart: "/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock", missing: [] as string[] };
const rule = (path: string, perm = "rwxa"): string => `-a always,exit -F arch=b64 -F path=${path} -F perm=${perm} -F key=docker`;

describe("audit rules for one host", () => {
  const text = ["# Written by Drydock.", "# 1.1.3", rule("/usr/bin/dockerd"), "# 1.1.13", rule("/etc/sysconfig/docker"), "# 1.1.6", rule("/etc/docker"), ""].join("\n");

  it("leave out what is not there, with the comment that announced it", () => {
    const rules = auditRulesForHost(text, { ...host, starts: [], missing: ["/etc/sysconfig/docker"] });
    expect(rules).toBe(["# Written by Drydock.", "# 1.1.3", rule("/usr/bin/dockerd"), "# 1.1.6", rule("/etc/docker"), ""].join("\n"));
  });

  it("name the binaries that the units really start, as dockerd is named", () => {
    const rules = auditRulesForHost(text, host);
    expect(rules.split("\n")).toEqual(expect.arrayContaining([rule("/usr/bin/dockerd"), rule("/usr/sbin/dockerd"), rule("/usr/bin/containerd")]));
  });

  it("name a binary once, where the file has it already", () => {
    const twice = `${text}${rule("/usr/sbin/dockerd", "x")}\n`;
    expect(auditRulesForHost(twice, host).split("\n").filter((line) => line.includes("/usr/sbin/dockerd"))).toEqual([rule("/usr/sbin/dockerd", "x")]);
  });

  it("keep /usr/bin/dockerd, missing or not: scanners ask for it", () => {
    expect(auditRulesForHost(text, { ...host, missing: ["/usr/bin/dockerd"] })).toContain(rule("/usr/bin/dockerd"));
  });

  it("keep what the update itself makes", () => {
    expect(auditRulesForHost(text, { ...host, missing: ["/etc/docker"] }, ["/etc/docker"])).toContain(rule("/etc/docker"));
  });
});

describe("a wish", () => {
  it("has daemon.json and its folder watched before they are there", () => {
    const files = { [auditRulesFile]: `# head\n${rule("/etc/docker")}\n${rule("/etc/docker/daemon.json")}\n` };
    const wish = completeInputs(declared({ files }), { ...host, starts: [], missing: ["/etc/docker", "/etc/docker/daemon.json"] });
    expect(wish.inEffect.audit).toBe(`${rule("/etc/docker")}\n${rule("/etc/docker/daemon.json")}\n`);
    expect(wish.inEffect.services).toEqual({ "docker.service": "active", "auditd.service": "active" });
  });

  it("without an audit layer asks nothing of auditd", () => {
    const { inEffect } = completeInputs(declared(), host);
    expect(inEffect.services).toEqual({ "docker.service": "active" });
    expect("audit" in inEffect).toBe(false);
  });

  it.each([
    ["/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS", "/usr/bin/dockerd --containerd=/run/containerd/containerd.sock $DOCKER_OPTS"],
    ["/usr/bin/dockerd --host=fd:// --host tcp://0.0.0.0:2375 --debug", "/usr/bin/dockerd --debug"],
    ["/usr/bin/dockerd -H=fd://", "/usr/bin/dockerd"],
    ["/usr/bin/dockerd --hostname-like=x", "/usr/bin/dockerd --hostname-like=x"],
  ])("with hosts takes the addresses off the command line: %s", (line, expected) => {
    const wish = completeInputs(declared({ daemon: { hosts: ["fd://"] } }), { ...host, dockerExecStart: line });
    expect(wish.files[hostsDropIn]).toBe(`# Made by Drydock: the addresses stand in /etc/docker/daemon.json (hosts), so they must not stand here as well.\n[Service]\nExecStart=\nExecStart=${expected}\n`);
    expect(wish.modes[hostsDropIn]).toBe("root:root 0644");
  });

  it("without hosts leaves the command line alone", () => {
    expect(completeInputs(declared({ daemon: { icc: false } }), host).files).toEqual({});
  });

  it("says what must be in effect of the keys that can be asked for", () => {
    const { daemon, configuration, limits } = completeInputs(declared({ daemon: { icc: false, "log-opts": {} }, files: { "/etc/systemd/system/docker.service.d/50-drydock.conf": "[Service]\nOOMScoreAdjust=-500\n" } }), host).inEffect;
    expect(daemon).toMatchObject({ icc: false });
    expect(daemon).not.toHaveProperty("log-opts");
    expect(configuration).toBe("as on disk");
    expect(limits).toEqual({ "docker.service OOMScoreAdjust": "-500" });
  });
});

describe("volumes", () => {
  const uuid = "6f4e5d4c-3b2a-8908-8706-050403020100";
  const unit = "/etc/systemd/system/var-lib-docker.mount";
  const text = "[Mount]\nWhat=/dev/disk/by-id/virtio-data\n";

  it("are mounted by the filesystem that the disk has or gets, not by the disk", () => {
    const { files, inEffect } = completeInputs(declaredVolume("xfs", { files: { [unit]: text } }), { ...host, filesystems: { "/var/lib/docker": uuid } });
    expect(files[unit]).toBe(`[Mount]\nWhat=/dev/disk/by-uuid/${uuid}\n`);
    expect(inEffect.mounts).toEqual({ "/var/lib/docker": `xfs, UUID=${uuid}, nodev, pquota, at boot` });
    expect(inEffect).not.toHaveProperty("oldData");
  });

  it("of which the filesystem is not known are left as they are declared", () => {
    const { files, inEffect } = completeInputs(declaredVolume("ext4", { files: { [unit]: text } }), host);
    expect(files[unit]).toBe(text);
    expect(inEffect.mounts).toEqual({ "/var/lib/docker": "ext4, UUID=not known yet, nodev, at boot" });
  });

  it("ask for nothing where there are none, but for the end of what they have left", () => {
    const { inEffect } = completeInputs(declared(), host);
    expect("mounts" in inEffect || "oldData" in inEffect).toBe(false);
    expect(completeInputs(declared({ allow: ["remove-old-data"] }), host).inEffect.oldData).toBe("none");
  });
});
