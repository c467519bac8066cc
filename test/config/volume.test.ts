import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readFleet, StackFileError, type HostSettings } from "../../src/config/fleet.ts";

const web1 = { connection: { host: "192.0.2.10" } };
const disk = "/dev/disk/by-id/virtio-data";

function settingsOf(volume: unknown, raw: Record<string, unknown> = {}, own: Record<string, unknown> = {}): HostSettings {
  const settings = readFleet({ ...raw, hosts: { web1: { ...web1, ...own, volume } } }).hosts.get("web1");
  if (!settings) throw new Error("no host web1");
  return settings;
}

function accepts(device: string): boolean {
  try {
    return settingsOf({ device }).volume?.device === device;
  } catch (error) {
    if (error instanceof StackFileError) return false;
    throw error;
  }
}

describe("layers", () => {
  it.each<[string, Record<string, unknown>, unknown, HostSettings["volume"]]>([
    ["the filesystem is ext4 unless another one is named", {}, { device: disk }, { device: disk, filesystem: "ext4" }],
    ["defaults name the filesystem, the host its disk", { defaults: { volume: { filesystem: "xfs" } } }, { device: disk }, { device: disk, filesystem: "xfs" }],
    ["the host wins", { defaults: { volume: { filesystem: "xfs", device: "/dev/vg/a" } } }, { device: disk, filesystem: "ext4" }, { device: disk, filesystem: "ext4" }],
    ["containerd's has a filesystem of its own", {}, { device: disk, filesystem: "xfs", containerd: { device: "/dev/vg0/containerd" } }, { device: disk, filesystem: "xfs", containerd: { device: "/dev/vg0/containerd", filesystem: "ext4" } }],
    ["containerd's alone", {}, { containerd: { device: disk } }, { containerd: { device: disk, filesystem: "ext4" } }],
    ["null takes it away", { defaults: { volume: { device: disk } } }, null, undefined],
    ["an empty table asks for nothing", {}, {}, undefined],
    ["null takes a part away", { defaults: { volume: { device: disk, containerd: { device: "/dev/vg/b" } } } }, { containerd: null }, { device: disk, filesystem: "ext4" }],
  ])("%s", (_, raw, volume, expected) => {
    expect(settingsOf(volume, raw).volume).toEqual(expected);
  });

  it("no volume leaves none behind, in no profile", () => {
    for (const profile of ["baseline", "strict"]) expect(readFleet({ profile, hosts: { web1 } }).hosts.get("web1")).not.toHaveProperty("volume");
  });

  it("a size per container is an option of the storage driver, besides those that are there", () => {
    const volume = { device: disk, filesystem: "xfs", containerSize: "10G" };
    expect(settingsOf(volume).daemon["storage-opts"]).toEqual(["overlay2.size=10G"]);
    expect(settingsOf(volume, {}, { daemon: { "storage-opts": ["overlay2.override_kernel_check=true"] } }).daemon["storage-opts"]).toEqual(["overlay2.override_kernel_check=true", "overlay2.size=10G"]);
  });
});

describe("a device", () => {
  it.each([disk, "/dev/disk/by-path/pci-0000:00:07.0", "/dev/disk/by-partuuid/0f3c-01", "/dev/disk/by-partlabel/docker", "/dev/mapper/vg0-docker", "/dev/vg0/docker", "/dev/disk/by-id/usb-Generic_Flash@1=2+3"])("may be %s", (device) => {
    expect(accepts(device)).toBe(true);
  });

  it.each([
    "/dev/sdb", "/dev/vdb1", "/dev/nvme0n1", "/dev/dm-0", "/dev/disk/by-uuid/0f3c", "/dev/disk/by-label/data", "sdb", "", "/dev/", "/dev/vg0/", "/dev//docker", "/dev/disk/by-id/", "/dev/vg0/docker/", "/dev/vg0/a/b",
    "/dev/disk/by-id/../../sdb", "/dev/../tmp/disk", "/dev/vg0/..", "/dev/../docker", "/dev/./sdb", "/dev/mapper/..", "/dev/shm/disk", "/dev/pts/0", "/dev/block/8:1", "/tmp/disk.img",
    "/dev/vg0/do cker", "/dev/vg0/docker\n", "/dev/vg0/docker\\x20", '/dev/vg0/"', "/dev/vg0/$(id)", "/dev/vg0/d%i", "/dev/vg0/döcker", "/dev/vg0/*",
  ])("may not be %j", (device) => {
    expect(accepts(device)).toBe(false);
  });

  it("has nothing in it that a unit, a shell or a list of words could take for something else", () => {
    const part = fc.oneof(fc.constantFrom("dev", "disk", "by-id", "mapper", "vg0", "..", ".", ""), fc.string({ unit: "grapheme", maxLength: 6 }), fc.stringMatching(/^[\w.:@+=-]{1,8}$/));
    const path = fc.oneof(
      fc.array(part, { maxLength: 5 }).map((parts) => `/${parts.join("/")}`),
      fc.tuple(fc.constantFrom("/dev/disk/by-id/", "/dev/mapper/", "/dev/vg0/", "/dev/disk/by-path/"), fc.oneof(part, fc.stringMatching(/^[\w.:@+=-]{1,8}$/))).map(([folder, name]) => folder + name),
    );
    let accepted = 0;
    fc.assert(
      fc.property(path, (device) => {
        if (!accepts(device)) return;
        accepted += 1;
        expect(device).toMatch(/^\/dev\/[\w./:@+=-]+$/);
        expect(device.split("/").slice(1)).not.toContain("..");
        expect(device.split("/").slice(1)).not.toContain(".");
        expect(device.split("/").slice(1)).not.toContain("");
      }),
    );
    expect(accepted).toBeGreaterThan(10);
  });
});
