import { describe, expect, it } from "vitest";
import { parseVolume, type Device } from "../../src/observed/volumes.ts";

const disk = "place /var/lib/docker\ndevice block special file|fe:10|/dev/vdb\n";
const vdb: Device = { path: "/dev/vdb", kind: "block special file", number: "254:16", bytes: 3221225472, readOnly: false, children: [], signatures: [] };
const row = (name: string, type = "disk", size = "3221225472", readOnly = "0"): string => `lsblk NAME="${name}" TYPE="${type}" SIZE="${size}" RO="${readOnly}"\n`;

describe("a disk", () => {
  it("that is empty, and what has to move there", () => {
    expect(parseVolume(`${disk}${row("vdb")}data 104857600 4242\n`)).toEqual({ device: vdb, place: "/var/lib/docker", data: { bytes: 104857600, entries: 4242 }, missingTools: [] });
  });

  it.each<[string, string, Partial<Device>]>([
    ["with ext4", `${row("vdb")}signature # offset,uuid,label,type\nsignature 0x438,6f4e5d4c-3b2a-8908-8706-050403020100,drydock-data,ext4\n`, { signatures: [{ type: "ext4", label: "drydock-data", uuid: "6f4e5d4c-3b2a-8908-8706-050403020100" }] }],
    ["with xfs without a label", `${row("vdb")}signature # offset,uuid,label,type\nsignature 0x0,0f3c,,xfs\n`, { signatures: [{ type: "xfs", label: "", uuid: "0f3c" }] }],
    [
      "with a partition table and what is made of it",
      `${row("vdb")}${row("vdb1", "part", "1073741824")}${row("vg0-data", "lvm", "1073741824")}signature # offset,uuid,label,type\nsignature 0x200,,,gpt\nsignature 0xbffffe00,,,gpt\nsignature 0x1fe,,,PMBR\n`,
      { children: ["vdb1", "vg0-data"], signatures: [{ type: "gpt", label: "", uuid: "" }, { type: "gpt", label: "", uuid: "" }, { type: "PMBR", label: "", uuid: "" }] },
    ],
    ["with a signature that has no type", `${row("vdb")}signature 0x0,,\n`, { signatures: [{ type: "unknown", label: "", uuid: "" }] }],
    ["that is read-only", row("vdb", "disk", "512", "1"), { readOnly: true, bytes: 512 }],
  ])("%s", (_, rows, expected) => {
    expect(parseVolume(disk + rows).device).toEqual({ ...vdb, ...expected });
  });

  it("that is not there", () => {
    expect(parseVolume("place /var/lib/docker\ndata 4096 1\n")).toEqual({ device: undefined, place: "/var/lib/docker", data: { bytes: 4096, entries: 1 }, missingTools: [] });
  });

  it.each([
    ["regular file", "0:0", "0:0"],
    ["character special file", "1:3", "1:3"],
    ["directory", "0:0", "0:0"],
  ])("that is a %s", (kind, number, expected) => {
    expect(parseVolume(`place /var/lib/docker\ndevice ${kind}|${number}|/dev/vg0/disk\n`).device).toEqual({ path: "/dev/vg0/disk", kind, number: expected, bytes: 0, readOnly: false, children: [], signatures: [] });
  });
});

describe("what is beside it", () => {
  it("is where the mount point really is, and no data where a filesystem is mounted already", () => {
    expect(parseVolume("place /mnt/my data/docker\n")).toMatchObject({ place: "/mnt/my data/docker", data: undefined });
  });

  it("is which programs are missing", () => {
    expect(parseVolume(`${disk}${row("vdb")}missing mkfs.xfs\nmissing xfs_io\n`).missingTools).toEqual(["mkfs.xfs", "xfs_io"]);
  });
});

describe("what is not of this form is an error, and no empty disk", () => {
  it.each([
    ["", "no line `place`"],
    ["readlink: missing operand\n", "no line `place`"],
    [`${disk}lsblk NAME="vdb" TYPE="disk" SIZE="" RO="0"\n`, "not a number"],
    [`${disk}lsblk NAME="vdb" TYPE="disk"\n`, "not a number"],
    [`${disk}${row("vdb")}data 1\n`, "not a number"],
    [`${disk}${row("vdb")}data a 1\n`, "not a number"],
    // lsblk said nothing of a disk: how large it is, and what is made of it, is not known.
    [disk, "no line `lsblk`"],
  ])("%j", (text, reason) => {
    expect(() => parseVolume(text)).toThrow(reason);
  });
});
