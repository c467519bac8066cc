import { describe, expect, it } from "vitest";
import type { Mount, Observation } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { mountedOn, mountInEffect, mountWished } from "../../src/effect/mounts.ts";
import { mount } from "../support/observation.ts";
import { copy, data, device, hostWith, moved, mounts, number, ownUuid, signature, volume } from "../support/volumes.ts";

const right = `ext4, UUID=${ownUuid}, nodev, at boot`;
const xfs = { filesystem: "xfs", seen: { signatures: [signature("xfs", "drydock-data", ownUuid)] } };

describe("what should be mounted", () => {
  it.each<[Parameters<typeof mountWished>[0], string]>([
    [volume(), right],
    [volume("xfs"), `xfs, UUID=${ownUuid}, nodev, pquota, at boot`],
    [{ ...volume("xfs"), options: "dev,pquota" }, `xfs, UUID=${ownUuid}, dev, pquota, at boot`],
  ])("%j", (wished, expected) => {
    expect(mountWished(wished, ownUuid)).toBe(expected);
  });
});

describe("what is mounted", () => {
  it.each<[string, Observation, string]>([
    ["just what should be", moved(), right],
    ["nothing", hostWith(), "not mounted"],
    ["without an option", moved({}, { options: ["rw"] }), `ext4, UUID=${ownUuid}, at boot`],
    ["not at boot", moved({}, { boot: "disabled" }), `ext4, UUID=${ownUuid}, nodev`],
    ["a copy that is not marked as whole", moved({}, { seen: { signatures: [copy] } }), `${right}, marked as an incomplete copy`],
    ["over data that lie below it", moved({ oldData: [{ name: "docker", bytes: 1, where: "below" }] }), `${right}, the old data still below it`],
    ["with the old data of before set aside", moved({ oldData: [{ name: "docker", bytes: 1, where: "aside" }, { name: "containerd", bytes: 1, where: "below" }] }), right],
    ["a filesystem of which nobody knows the UUID", moved({}, { seen: { signatures: [] } }), "ext4, UUID=unknown, nodev, at boot"],
    ["another disk", moved({ mounts: known(mounts(mount(data, "8:32", "btrfs"))) }), "btrfs of another device, /dev/8:32"],
    ["what can't be asked", moved({ mounts: unknown("no such file") }), "unknown: no such file"],
    ["a disk that can't be looked at", moved({ volumes: { [data]: unknown("wipefs: I/O error") } }), "unknown: wipefs: I/O error"],
    ["a disk that was not looked at", moved({ volumes: {} }), "unknown: it was not looked at"],
    ["a disk that has gone", moved({ volumes: { [data]: known({ device: undefined, place: data, data: undefined, missingTools: [] }) } }), "ext4 of another device, /dev/vdb"],
  ])("%s", (_, observation, expected) => {
    expect(mountInEffect(data, volume(), observation)).toBe(expected);
  });

  it.each<[string, string, string[], string]>([
    ["the kernel's word for the quota", "nodev,pquota", ["rw", "nodev", "prjquota"], "nodev, pquota, "],
    ["no quota", "nodev,pquota", ["rw", "nodev", "noquota"], "nodev, "],
    ["devices, as wished", "dev,pquota", ["rw", "prjquota"], "dev, pquota, "],
    ["no devices, which is not wished", "dev,pquota", ["rw", "nodev", "prjquota"], "pquota, "],
  ])("as xfs with %s", (_, wished, options, expected) => {
    expect(mountInEffect(data, { ...volume("xfs"), options: wished }, moved({}, { ...xfs, options }))).toBe(`xfs, UUID=${ownUuid}, ${expected}at boot`);
  });
});

describe("a filesystem of its own", () => {
  const own = mount(data, number);
  it.each<[string, Mount[], Mount | undefined]>([
    ["is another one than that above", mounts(own), own],
    ["is none where nothing is mounted", mounts(), undefined],
    ["is none where dockerd binds the folder onto itself", mounts(mount(data, "8:1")), undefined],
    ["is none where /var has one and the folder is bound onto itself", mounts(mount("/var", "8:2"), mount(data, "8:2")), undefined],
    ["is one where /var/lib has another", mounts(mount("/var/lib", "8:2"), own), own],
    ["is the one on top", mounts(mount(data, "8:3"), own), own],
    ["is one below root only", mounts(own, mount(`${data}/overlay2/x/merged`, "0:40")), own],
  ])("%s", (_, seen, expected) => {
    expect(mountedOn(data, hostWith({ device: device() }, { mounts: known(seen) }))).toEqual(expected);
  });

  it("is not known where the mounts are not", () => {
    expect(mountedOn(data, hostWith({}, { mounts: unknown("no") }))).toBeUndefined();
  });
});
