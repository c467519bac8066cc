import { describe, expect, it } from "vitest";
import type { FilesystemType } from "../../src/config/volume.ts";
import type { HostArgs } from "../../src/desired/host-inputs.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import type { Device, VolumeFacts } from "../../src/observed/volumes.ts";
import { planVolumes } from "../../src/plan/volumes.ts";
import { hiddenByVolumes, readableBytes, volumeFindings } from "../../src/plan/volume-findings.ts";
import { findings } from "../../src/plan/preflight.ts";
import { planApply } from "../../src/plan/plan.ts";
import { info, mount } from "../support/observation.ts";
import { copy, data, declaredVolume, device, disk, hostWith, moved, mounts, number, ownUuid, signature, whole } from "../support/volumes.ts";
import { declared, owner, wishFor } from "../support/wish.ts";

function found(observation: Observation, filesystem: FilesystemType = "ext4", change: Partial<HostArgs> = {}): string[] {
  const wish = wishFor(declaredVolume(filesystem, change), observation);
  return volumeFindings(wish, observation);
}
const on = (change: Partial<Device>, seen: Partial<VolumeFacts> = {}): Observation => hostWith({ device: device(change), ...seen });
const clear = "if nothing on it is needed, clear it yourself with: wipefs --all /dev/vdb";
const formats = `Drydock formats only a device without any signature (${clear})`;

describe("nothing stands against", () => {
  it.each<[string, Observation, FilesystemType?]>([
    ["an empty disk", hostWith()],
    ["an empty disk for xfs", hostWith(), "xfs"],
    ["its own copy", on({ signatures: [copy] })],
    ["what is mounted as it should be", moved()],
    ["what is mounted and full", moved({}, { seen: { bytes: 1 } })],
    // What is whole has its data, so nothing has to fit.
    ["what is whole, on a disk that is small", on({ signatures: [whole], bytes: 2 ** 28 }, { data: { bytes: 4096, entries: 1 } })],
    ["a copy for which there are too few inodes by now: it has them or fails", on({ signatures: [copy], bytes: 2 ** 31 }, { data: { bytes: 2 ** 30, entries: 10 ** 6 } })],
    ["a folder that is not there yet", on({}, { data: { bytes: 0, entries: 0 } })],
    ["a data root that is remapped", hostWith({}, { info: info({ SecurityOptions: ["name=userns"], DockerRootDir: "/var/lib/docker/100000.100000" }) })],
  ])("%s", (_, observation, filesystem) => {
    expect(found(observation, filesystem)).toEqual([]);
  });
});

describe("a disk that can't be used", () => {
  it.each<[string, Observation, string, FilesystemType?]>([
    ["is not there", hostWith({ device: undefined }), `${disk} is not there; \`ls -l /dev/disk/by-id\` on the host shows which disks it has`],
    ["is a file", on({ kind: "regular file", number: "0:0" }), `${disk} is a regular file, not a disk, a partition or a logical volume; name one of those by its stable path (ls -l /dev/disk/by-id)`],
    ["is a terminal", on({ kind: "character special file" }), `${disk} is a character special file, not a disk, a partition or a logical volume; name one of those by its stable path (ls -l /dev/disk/by-id)`],
    ["is mounted elsewhere", hostWith({ device: device({ signatures: [signature("ext4")] }) }, { mounts: known(mounts(mount("/srv", number))) }), `${disk} is mounted at /srv; Drydock takes only a device that nobody uses: unmount it, or name another one`],
    ["is mounted here with another filesystem", moved({}, { filesystem: "ext4" }), `${disk} is mounted at ${data} with ext4, not with xfs; Drydock formats nothing that holds data, so set volume.filesystem: ext4`, "xfs"],
    ["is xfs that was mounted here without quota", moved({}, { filesystem: "xfs", options: ["rw", "noquota"] }), `${disk} is mounted at ${data} without pquota, and xfs takes that only when it is mounted anew; add it to its line in /etc/fstab and restart the host, or stop Docker and containerd, unmount it and mount it with -o pquota`, "xfs"],
    ["is not what is mounted here", hostWith({}, { mounts: known(mounts(mount(data, "8:32"))) }), `${data} is on a filesystem of its own already, /dev/8:32; name that device here, or unmount it and move its data back first`],
    ["has partitions", on({ children: ["vdb1", "vdb2"], signatures: [signature("gpt"), signature("gpt"), signature("PMBR")] }), `${disk} carries a partition table (gpt, PMBR: vdb1, vdb2); ${formats}`],
    ["has a table without partitions", on({ signatures: [signature("dos")] }), `${disk} carries a partition table (dos); ${formats}`],
    ["has a filesystem of somebody", on({ signatures: [signature("ext4", "backup", "0f3c")] }), `${disk} carries a filesystem (ext4, label backup); ${formats}`],
    ["has a filesystem without a label", on({ signatures: [signature("btrfs")] }), `${disk} carries a filesystem (btrfs); ${formats}`],
    ["has Drydock's for another place", on({ signatures: [{ ...whole, label: "drydock-ctrd" }] }), `${disk} carries a filesystem (ext4, label drydock-ctrd); ${formats}`],
    ["is encrypted", on({ signatures: [signature("crypto_LUKS")] }), `${disk} carries an encrypted container (LUKS); ${formats}`],
    ["is part of LVM", on({ children: ["vg0-a"], signatures: [signature("LVM2_member")] }), `${disk} carries a physical volume of LVM; ${formats}`],
    ["is part of a RAID", on({ signatures: [signature("linux_raid_member", "host:0")] }), `${disk} carries a part of a RAID; ${formats}`],
    ["is swap", on({ signatures: [signature("swap")] }), `${disk} carries swap; ${formats}`],
    ["is several things", on({ signatures: [signature("ext4", "old"), signature("swap"), signature("ext4", "old")] }), `${disk} carries a filesystem (ext4, label old) and swap; ${formats}`],
    ["is ours and more", on({ signatures: [whole, signature("swap")] }), `${disk} carries a filesystem (ext4, label drydock-data) and swap; ${formats}`],
    ["has what nobody knows", on({ signatures: [signature("unknown")] }), `${disk} carries a filesystem (unknown); ${formats}`],
    ["is ours with the other filesystem", on({ signatures: [whole] }, { data: { bytes: 4096, entries: 1 } }), `${disk} carries Drydock's own ext4, not xfs; set volume.filesystem: ext4, or ${clear}`, "xfs"],
    ["is another host's copy", on({ signatures: [{ ...copy, uuid: "0f3c" }] }), `${disk} carries a copy that another host, or this one before it was installed again, has not finished; finish it there, or, if those data are somewhere else as well, clear it yourself with: wipefs --all /dev/vdb`],
    ["is in use", on({ children: ["dm-3", "dm-4"] }), `${disk} is in use by dm-3, dm-4; Drydock takes only a device that nobody uses`],
    ["is read-only", on({ readOnly: true }), `${disk} is read-only; make it writable, or name another device`],
    ["is too small", on({ bytes: 2 ** 30 }), `${disk} has 1.0 GiB, and ${data} needs at least 1.4 GiB; take a larger device`],
    ["is too small for xfs", on({ bytes: 1.5 * 2 ** 30 }), `${disk} has 1.5 GiB, and ${data} needs at least 1.6 GiB; take a larger device`, "xfs"],
    ["is too small for a copy that was begun", on({ bytes: 2 ** 30, signatures: [copy] }), `${disk} has 1.0 GiB, and ${data} needs at least 1.4 GiB; take a larger device`],
    ["has too few inodes", on({ bytes: 2 ** 32 }, { data: { bytes: 2 ** 30, entries: 300_000 } }), `${disk} would have fewer inodes as ext4 than the 300000 files under ${data} need; set volume.filesystem: xfs, or take a larger device`],
    ["can't be looked at", hostWith({}, { volumes: { [data]: unknown("wipefs: error: /dev/vdb: probing initialization failed: I/O error") } }), `${disk} can't be looked at (wipefs: error: /dev/vdb: probing initialization failed: I/O error), so ${data} stays where it is; mend that, or take the volume out`],
    ["was not looked at", hostWith({}, { volumes: {} }), `${disk} can't be looked at (it was not asked for), so ${data} stays where it is; mend that, or take the volume out`],
  ])("%s", (_, observation, text, filesystem) => {
    expect(found(observation, filesystem)).toEqual([text]);
  });

  it("has inodes enough as xfs, which makes them as it goes", () => {
    expect(found(on({ bytes: 2 ** 32 }, { data: { bytes: 2 ** 30, entries: 300_000 } }), "xfs")).toEqual([]);
  });

  it("is refused for one reason, the plainest", () => {
    const observation = on({ children: ["vdb1"], signatures: [signature("gpt")], readOnly: true, bytes: 1 }, { place: "/mnt/docker", missingTools: ["tar"] });
    expect(found(observation)).toEqual([`${disk} carries a partition table (gpt: vdb1); ${formats}`]);
  });

  it("is refused though there is nothing else to do there", () => {
    const observation = on({ signatures: [signature("swap")] });
    const wish = wishFor(declaredVolume(), observation);
    expect(findings(wish, observation, planApply(wish, observation), owner)).toContain(`${disk} carries swap; ${formats}`);
  });
});

describe("a place that can't be used", () => {
  it.each<[string, Observation, string, FilesystemType?]>([
    ["is a symbolic link", hostWith({ place: "/mnt/big/docker" }), `${data} is a symbolic link to /mnt/big/docker, which Drydock does not follow; make it a folder`],
    ["is not where dockerd keeps its data", hostWith({}, { info: info({ DockerRootDir: "/srv/docker" }) }), `dockerd keeps its data in /srv/docker (data-root), so a filesystem at ${data} would hold nothing; take data-root out of daemon.json, or the volume out of the stack file`],
    ["lacks the tools for ext4", hostWith({ missingTools: ["mkfs.ext4", "e2label"] }), "mkfs.ext4, e2label is not installed there; install it first (apt-get install e2fsprogs, dnf install e2fsprogs)"],
    ["lacks the tools for xfs", hostWith({ missingTools: ["mkfs.xfs"] }), "mkfs.xfs is not installed there; install it first (apt-get install xfsprogs, dnf install xfsprogs)", "xfs"],
  ])("%s", (_, observation, text, filesystem) => {
    expect(found(observation, filesystem)).toEqual([text]);
  });

  it("is not judged once the filesystem is mounted", () => {
    const observation = moved({ volumes: { [data]: known({ device: device({ signatures: [whole] }), place: data, data: undefined, missingTools: ["mkfs.ext4"] }) }, info: info({ DockerRootDir: "/srv/docker" }) });
    expect(found(observation)).toEqual([]);
  });
});

describe("a mount unit for a place that is no volume", () => {
  const ctrd = "var-lib-containerd.mount";
  const left = (ActiveState: string, FragmentPath: string, LoadState = "loaded"): Observation => {
    const observation = moved();
    return { ...observation, units: { ...observation.units, [ctrd]: { LoadState, ActiveState, FragmentPath } } };
  };
  const waits = (path: string) =>
    `/var/lib/containerd is no volume here and has ${ctrd} (${path}), which is not mounted: Docker's next start would mount it over the data of now; remove it (its line in /etc/fstab, or systemctl disable ${ctrd} and the file), or if its data are the right ones: systemctl start ${ctrd}`;

  it.each<[string, Observation, string[]]>([
    ["that somebody has stopped would be mounted by Docker", left("inactive", "/etc/systemd/system/var-lib-containerd.mount"), [waits("/etc/systemd/system/var-lib-containerd.mount")]],
    ["of fstab, not to be mounted at boot, would be, too", left("inactive", "/run/systemd/generator/var-lib-containerd.mount"), [waits("/run/systemd/generator/var-lib-containerd.mount")]],
    ["that is mounted stays so", left("active", "/etc/systemd/system/var-lib-containerd.mount"), []],
    ["that is none", left("inactive", "", "not-found"), []],
  ])("%s", (_, observation, texts) => {
    expect(found(observation)).toEqual(texts);
    // Docker waits for none then.
    expect(volumeFindings(wishFor(declared({}), observation), observation)).toEqual([]);
  });
});

describe("data of before that would hide those of now", () => {
  const adopted = (change: Partial<Observation>, there: Partial<VolumeFacts> = {}): Observation => hostWith({ device: device({ signatures: [{ ...whole, uuid: ownUuid }] }), ...there }, change);
  const text = (what: string) => `${disk} carries data of before, which would hide ${what} (they are kept aside)`;
  const little = { data: { bytes: 200_000, entries: 40 } };
  const busy = info({ Containers: 2, Images: 1 });

  it.each<[string, Observation, string[]]>([
    ["need consent", adopted({ info: busy }), [text("1.0 GiB of now under /var/lib/docker, with 2 containers and 1 image")]],
    ["need it for volumes that no container has", adopted({ info: info({ Containers: 0, Images: 0 }) }), [text("1.0 GiB of now under /var/lib/docker, with 0 containers and 0 images")]],
    ["hide nothing where Docker was just installed", adopted({ info: info({ Containers: 0, Images: 0 }) }, little), []],
    ["hide nothing in an empty folder", adopted({ info: busy }, { data: { bytes: 4096, entries: 1 } }), []],
    ["need it where somebody has worked on without them, whatever unit is there", { ...adopted({ info: busy }), units: { "var-lib-docker.mount": { LoadState: "loaded" } } }, [text("1.0 GiB of now under /var/lib/docker, with 2 containers and 1 image")]],
    ["need it while dockerd can't be asked", adopted({ info: unknown("docker.service is inactive") }), [text("1.0 GiB of now under /var/lib/docker")]],
  ])("%s", (_, observation, expected) => {
    expect(found(observation)).toEqual([]);
    expect(hiddenByVolumes(observation, planVolumes(wishFor(declaredVolume(), observation), observation))).toEqual(expected);
  });
});

it.each([
  [0, "0 bytes"],
  [1023, "1023 bytes"],
  [1024, "1.0 KiB"],
  [1.5 * 2 ** 30, "1.5 GiB"],
  [120 * 2 ** 30, "120 GiB"],
  [5000 * 2 ** 40, "5000 TiB"],
  [Number.NaN, "of unknown size"],
])("%d bytes are %s", (bytes, text) => {
  expect(readableBytes(bytes)).toBe(text);
});
