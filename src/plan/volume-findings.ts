/** Why a device can't become a volume. Whatever is on a device that Drydock did not make itself is never touched. */

import type { DeclaredVolume, HostInputs } from "../desired/host-inputs.ts";
import { containerdData, copyLabel, dockerData, mountUnit, wholeLabel } from "../desired/volumes.ts";
import { countsByProject, mountedOn } from "../effect/mounts.ts";
import { dataRoot } from "../effect/daemon.ts";
import type { Observation } from "../observed/observation.ts";
import type { Device, VolumeFacts } from "../observed/volumes.ts";
import { counted } from "./describe.ts";
import { oursOn, uuidFor, type VolumeStep } from "./volumes.ts";

/** One sentence a finding, each with what to do. */
export function volumeFindings(wish: HostInputs, observation: Observation): string[] {
  const { volumes } = wish;
  if (volumes === undefined) return [];
  const declared = Object.entries(volumes).flatMap(([mountPoint, volume]) => {
    const facts = observation.volumes[mountPoint];
    if (!facts?.known) return [`${volume.device} can't be looked at (${facts?.reason ?? "it was not asked for"}), so ${mountPoint} stays where it is; mend that, or take the volume out`];
    // One reason is enough for one device, and the first is the plainest.
    return [...deviceFindings(mountPoint, volume, facts.value, observation), ...placeFindings(mountPoint, volume, facts.value, observation)].slice(0, 1);
  });
  const others = [dockerData, containerdData].filter((mountPoint) => !(mountPoint in volumes));
  return [...declared, ...others.flatMap((mountPoint) => leftMountFindings(mountPoint, observation))];
}

/** What is on an adopted device takes the place of what Docker shows now: newer data, perhaps, of days without the device. */
export function hiddenByVolumes({ info, volumes }: Observation, steps: VolumeStep[]): string[] {
  return steps.flatMap(({ how, device, mountPoint }) => {
    const facts = volumes[mountPoint];
    const data = facts?.known ? facts.value.data : undefined;
    if (how !== "adopt" || (data?.entries ?? 0) <= 1) return [];
    const { Containers, Images } = info.known ? info.value : { Containers: Number.NaN, Images: Number.NaN };
    // What a fresh installation makes.
    if (Containers + Images === 0 && (data?.bytes ?? 0) < 1024 * 1024) return [];
    const count = info.known ? `, with ${counted(Containers, "container")} and ${counted(Images, "image")}` : "";
    return [`${device} carries data of before, which would hide ${readableBytes(data?.bytes ?? Number.NaN)} of now under ${mountPoint}${count} (they are kept aside)`];
  });
}

/** 1.5 GiB; NaN is a size that is not known. */
export function readableBytes(bytes: number): string {
  if (Number.isNaN(bytes)) return "of unknown size";
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  const amount = bytes / 1024 ** power;
  return `${power === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${units[power] ?? ""}`;
}

// --- Internal ---

/** Where a copy is made: a run that was killed may have left it mounted. */
const ownPlace = "/var/lib/drydock/volumes/";

function deviceFindings(mountPoint: string, { device: name, filesystem }: DeclaredVolume, { device, data }: VolumeFacts, observation: Observation): string[] {
  if (!device) return [`${name} is not there; \`ls -l /dev/disk/by-id\` on the host shows which disks it has`];
  if (device.kind !== "block special file") return [`${name} is a ${device.kind}, not a disk, a partition or a logical volume; name one of those by its stable path (ls -l /dev/disk/by-id)`];
  const here = mountedOn(mountPoint, observation);
  if (here?.number === device.number && filesystem === "xfs" && here.filesystem === "xfs" && !countsByProject(here.options)) {
    return [`${name} is mounted at ${mountPoint} without pquota, and xfs takes that only when it is mounted anew; add it to its line in /etc/fstab and restart the host, or stop Docker and containerd, unmount it and mount it with -o pquota`];
  }
  if (here?.number === device.number) return here.filesystem === filesystem ? [] : [`${name} is mounted at ${mountPoint} with ${here.filesystem}, not with ${filesystem}; Drydock formats nothing that holds data, so set volume.filesystem: ${here.filesystem}`];
  if (here) return [`${mountPoint} is on a filesystem of its own already, ${here.device}; name that device here, or unmount it and move its data back first`];
  const elsewhere = observation.mounts.known ? observation.mounts.value.find(({ number, path }) => number === device.number && !path.startsWith(ownPlace)) : undefined;
  if (elsewhere) return [`${name} is mounted at ${elsewhere.path}; Drydock takes only a device that nobody uses: unmount it, or name another one`];
  const used = describeUse(device);
  const clear = `clear it yourself with: wipefs --all ${device.path}`;
  const remedy = `if nothing on it is needed, ${clear}`;
  const ours = oursOn(device.signatures, mountPoint);
  if (!ours && used !== undefined) return [`${name} carries ${used}; Drydock formats only a device without any signature (${remedy})`];
  if (ours && ours.type !== filesystem) return [`${name} carries Drydock's own ${ours.type}, not ${filesystem}; set volume.filesystem: ${ours.type}, or ${remedy}`];
  if (ours?.label === copyLabel && ours.uuid !== uuidFor(mountPoint, name, observation.machineId)) {
    return [`${name} carries a copy that another host, or this one before it was installed again, has not finished; finish it there, or, if those data are somewhere else as well, ${clear}`];
  }
  if (device.children.length > 0) return [`${name} is in use by ${device.children.join(", ")}; Drydock takes only a device that nobody uses`];
  if (device.readOnly) return [`${name} is read-only; make it writable, or name another device`];
  const needed = spaceNeeded(data?.bytes ?? 0, filesystem);
  if (ours?.label !== wholeLabel(mountPoint) && device.bytes < needed) return [`${name} has ${readableBytes(device.bytes)}, and ${mountPoint} needs at least ${readableBytes(needed)}; take a larger device`];
  // mke2fs(8): an inode for each 16 KiB.
  if (filesystem === "ext4" && !ours && (data?.entries ?? 0) * 16384 > device.bytes) return [`${name} would have fewer inodes as ext4 than the ${data?.entries ?? 0} files under ${mountPoint} need; set volume.filesystem: xfs, or take a larger device`];
  return [];
}

/** Of a device on which something is that is not ours, as people call it. */
function describeUse({ signatures, children }: Device): string | undefined {
  const types = [...new Set(signatures.map(({ type }) => type))];
  if (types.length === 0) return undefined;
  const tables = types.filter((type) => /^(gpt|dos|PMBR|sun|mac|bsd|sgi|atari)$/.test(type));
  if (tables.length > 0) return `a partition table (${tables.join(", ")}${children.length > 0 ? `: ${children.join(", ")}` : ""})`;
  return types.map((type) => names[type] ?? `a filesystem (${type}${labelOf(signatures, type)})`).join(" and ");
}

const labelOf = (signatures: Device["signatures"], type: string) => {
  const label = signatures.find((signature) => signature.type === type)?.label;
  return label ? `, label ${label}` : "";
};

const names: Record<string, string> = {
  crypto_LUKS: "an encrypted container (LUKS)",
  LVM2_member: "a physical volume of LVM",
  LVM1_member: "a physical volume of LVM",
  linux_raid_member: "a part of a RAID",
  swap: "swap",
};

/** The data, a tenth for what filesystems keep for themselves, and room to work. mkfs.xfs(8) makes none below 300 MB. */
const spaceNeeded = (bytes: number, filesystem: string) => Math.ceil(bytes * 1.1) + (filesystem === "xfs" ? 512 : 256) * 1024 * 1024;

/** Docker waits for both places, also where only one is declared (RequiresMountsFor), and that mounts whatever has a unit. */
function leftMountFindings(mountPoint: string, { units }: Observation): string[] {
  const unit = mountUnit(mountPoint);
  const { LoadState, ActiveState, FragmentPath } = units[unit] ?? {};
  if (LoadState !== "loaded" || ActiveState === "active" || !FragmentPath) return [];
  return [`${mountPoint} is no volume here and has ${unit} (${FragmentPath}), which is not mounted: Docker's next start would mount it over the data of now; remove it (its line in /etc/fstab, or systemctl disable ${unit} and the file), or if its data are the right ones: systemctl start ${unit}`];
}

function placeFindings(mountPoint: string, { filesystem }: DeclaredVolume, { place, missingTools }: VolumeFacts, observation: Observation): string[] {
  if (mountedOn(mountPoint, observation)) return [];
  const { info } = observation;
  const root = info.known ? dataRoot(info.value) : mountPoint;
  return [
    ...(place === mountPoint ? [] : [`${mountPoint} is a symbolic link to ${place}, which Drydock does not follow; make it a folder`]),
    ...(mountPoint === dockerData && root !== mountPoint ? [`dockerd keeps its data in ${root} (data-root), so a filesystem at ${mountPoint} would hold nothing; take data-root out of daemon.json, or the volume out of the stack file`] : []),
    ...(info.known && mountPoint === dockerData && !/^(overlay2|overlayfs|fuse-overlayfs|vfs|native)$/.test(info.value.Driver) ? [`dockerd stores layers with ${info.value.Driver}, which does not go from one filesystem to another; the driver would have to be overlay2 first`] : []),
    ...(missingTools.length === 0 ? [] : [`${missingTools.join(", ")} is not installed there; install it first (${filesystem === "xfs" ? "apt-get install xfsprogs, dnf install xfsprogs" : "apt-get install e2fsprogs, dnf install e2fsprogs"})`]),
  ];
}
