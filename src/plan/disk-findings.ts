/** Filesystems on which a change could not be made, kept or taken back. */

import type { HostInputs } from "../desired/host-inputs.ts";
import { isSnapshotter, wishedContainerdStore, wishedDataRoot, wishesRemap } from "../desired/image-store.ts";
import { containerdData } from "../desired/volumes.ts";
import { keepsImagesInContainerd } from "../effect/daemon.ts";
import { countsByProject, filesystemUnder, mountedOn } from "../effect/mounts.ts";
import type { Mount, Observation } from "../observed/observation.ts";
import { compareVersions } from "../observed/engine-version.ts";
import type { Room } from "../observed/room.ts";
import { counted } from "./describe.ts";
import type { Plan } from "./plan.ts";
import { daemonConfigurationOn, mergedDaemon, observedInputs } from "./seen.ts";
import { readableBytes } from "./volume-findings.ts";

/** One sentence a finding, each with what to do. */
export function diskFindings(wish: HostInputs, observation: Observation, plan: Plan): string[] {
  return [...mountFindings(wish, observation, plan), ...roomFindings(observation, plan), ...quotaFindings(wish, observation)];
}

/** What could not be told. It refuses nothing, and must be said. */
export function diskDoubts(observation: Observation, { volumes }: Plan): string[] {
  const { mounts, room, diskErrors } = observation;
  const stateIsTold = !room.known || !mountedOn(stateFolder, observation) || room.value.some(({ path }) => path === stateFolder);
  const facts = [["which filesystems are mounted, and how", mounts], ["how much space is free", room], ["whether an ext4 has errors", diskErrors]] as const;
  return [
    ...facts.flatMap(([what, fact]) => (fact.known ? [] : [`${what} (${fact.reason})`])),
    ...(stateIsTold ? [] : [`how much space is free in ${stateFolder}, which is a filesystem of its own (it was not asked for)`]),
    ...volumes.filter(({ how, bytes }) => how === "move" && Number.isNaN(bytes)).map(({ device, mountPoint }) => `whether ${device} has room for ${mountPoint} (counting what is there took too long; a copy that does not fit ends before Docker is stopped)`),
  ];
}

/** Where Docker's data will be, after symbolic links where those are known. */
export function placeOfData(wish: HostInputs, observation: Observation): string {
  const asked = wishedDataRoot(wish);
  const own = daemonConfigurationOn(observation)["data-root"];
  if (wish.daemon["data-root"] === undefined && typeof own === "string") return own;
  return observation.dataPlace.known ? observation.dataPlace.value : asked;
}

// --- Internal ---

function mountFindings(wish: HostInputs, observation: Observation, plan: Plan): string[] {
  const place = placeOfData(wish, observation);
  // What lies there now is left behind.
  const moves = plan.volumes.some(({ mountPoint, how }) => mountPoint === place && how !== "repair");
  const byMount = new Map<Mount, string[]>();
  for (const path of ["/etc", "/var/lib", ...(mountedOn(stateFolder, observation) ? [stateFolder] : []), ...(moves ? [] : [place])]) {
    const mount = filesystemUnder(path, observation);
    if (mount) byMount.set(mount, [...(byMount.get(mount) ?? []), path]);
  }
  return [...byMount].flatMap(([{ device, path, number, options }, paths]) => {
    const errors = observation.diskErrors.known ? (observation.diskErrors.value[number] ?? 0) : 0;
    const where = `${paths.join(", ")} ${paths.length === 1 ? "is" : "are"} on ${device}, mounted at ${path}`;
    return [
      ...(options.includes("ro") ? [`${where} read-only; look in dmesg whether the kernel did that after an error, and mend that first, else: mount -o remount,rw ${path}`] : []),
      ...(errors > 0 ? [`${where}, and the kernel has found ${counted(errors, "error")} in that ext4 since it was last checked; save its data, then check it: e2fsck -f ${device} while it is not mounted, for / a boot with fsck.mode=force on the kernel's command line`] : []),
    ];
  });
}

/** Where generations, originals and old data are kept. */
const stateFolder = "/var/lib/drydock";

/** To work, and for lists and logs: what is kept of files comes on top. */
const leastBytes = 16 * 1024 * 1024;

/** A generation keeps a copy of each file, some lists and folders. */
const leastInodes = 256;

function roomFindings(observation: Observation, plan: Plan): string[] {
  const { room, files } = observation;
  const { writes, declared, removes } = plan;
  if (!room.known) return [];
  const keeper = room.value.some(({ path }) => path === stateFolder) ? stateFolder : "/var/lib";
  const aside = copiedAside(observation, plan);
  const written = sum(writes.map(({ text }) => Buffer.byteLength(text)));
  const kept = sum([...new Set([...declared, ...removes])].map((path) => (files[path]?.known ? Buffer.byteLength(files[path].value.text ?? "") : 0)));
  // Two names for one filesystem have the same figures.
  const same = Map.groupBy(room.value, ({ bytes, inodes, allInodes }) => [bytes, inodes, allInodes].join());
  return [...same.values()].flatMap((rooms) => {
    const [{ bytes, inodes, allInodes }] = rooms as [Room];
    const names = rooms.map(({ path }) => path);
    // Each file stands beside the old one for a moment; of the old and of the new ones a generation keeps a copy, and one is for ever.
    const needed = leastBytes + (names.includes("/etc") ? written : 0) + (names.includes(keeper) ? 2 * kept + written + aside : 0);
    const where = [...new Set(names)].filter((name) => name !== stateFolder || !names.includes("/var/lib")).join(", ");
    const keeps = names.includes(keeper) && aside > 0 ? `, ${readableBytes(aside)} of them for the data of before a move, which are copied there` : ", with what is kept of before";
    return [
      ...(bytes < needed ? [`${where}: ${readableBytes(bytes)} are free, and ${readableBytes(needed)} are needed${keeps}; free some space first`] : []),
      ...(allInodes > 0 && inodes < leastInodes ? [`${where}: ${counted(inodes, "inode")} of ${allInodes} are free, and ${leastInodes} are needed; remove files that nobody needs first (df -i)`] : []),
    ];
  });
}

/** What a move leaves is renamed to the state folder, and copied where that is another filesystem. A size that is not known is told as such. */
function copiedAside(observation: Observation, { volumes }: Plan): number {
  const keeper = filesystemUnder(stateFolder, observation)?.number;
  const moved = volumes.filter(({ how, mountPoint }) => how !== "repair" && filesystemUnder(mountPoint, observation)?.number !== keeper);
  return sum(moved.flatMap(({ bytes }) => (Number.isNaN(bytes) ? [] : [bytes])));
}

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);

/** Whether images are in containerd's store after the change (moby daemon/image_store_choice.go; userns-remap: daemon/command/daemon_linux.go). */
function usesContainerdStore(wish: HostInputs, observation: Observation): boolean {
  const { info } = observation;
  if (!info.known) return false;
  // What the user has of his own counts as well.
  const daemon = mergedDaemon(wish.daemon, daemonConfigurationOn(observation), observedInputs(wish, observation).daemon);
  const wished = wishedContainerdStore({ daemon });
  // Older engines don't know the feature.
  if (wished !== undefined) return wished && compareVersions(info.value.ServerVersion, "24.0") >= 0;
  const driver = daemon["storage-driver"];
  return keepsImagesInContainerd(info.value) && !wishesRemap({ daemon }) && (driver === undefined || isSnapshotter(driver));
}

/** moby daemon/graphdriver/overlay2: a size for each container is a project quota of xfs, and dockerd ends without it. */
function quotaFindings(wish: HostInputs, observation: Observation): string[] {
  const options = wish.daemon["storage-opts"];
  const size = Array.isArray(options) ? options.filter((option) => typeof option === "string").find((option) => option.startsWith("overlay2.size=")) : undefined;
  if (size === undefined) return [];
  if (usesContainerdStore(wish, observation)) {
    const version = observation.info.known ? observation.info.value.ServerVersion : "";
    return [`daemon.storage-opts ${size} has no effect here: this engine (${version}) keeps images and what containers write in ${containerdData}, where no container has a size; take volume.containerSize or the option out and give volume.containerd a disk of its own, or set daemon.features.containerd-snapshotter: false (images have to be loaded again then)`];
  }
  const place = placeOfData(wish, observation);
  const volume = wish.volumes?.[place];
  const mount = volume ? { filesystem: volume.filesystem, options: volume.options.split(","), path: place } : filesystemUnder(place, observation);
  if (!mount) return [];
  if (mount.filesystem === "xfs" && countsByProject(mount.options)) return [];
  const lack = mount.filesystem === "xfs" ? "is mounted without pquota" : `is ${mount.filesystem}`;
  return [`daemon.storage-opts ${size} needs xfs with pquota, and ${place}, on the filesystem at ${mount.path}, ${lack}, so dockerd would not start; give it a volume with filesystem: xfs and containerSize, or take the option out`];
}
