/** The least disruption that brings a new daemon.json into effect. */

import { isDeepStrictEqual } from "node:util";
import { daemonKeyCost } from "../config/daemon.ts";
import { seccompFile } from "../config/seccomp.ts";
import type { HostInputs, Json, JsonObject } from "../desired/host-inputs.ts";
import { isSnapshotter, wishedContainerdStore, wishedDataRoot, wishesRemap } from "../desired/image-store.ts";
import { bridgeForwards, dropsByOurRule, isClosedByDockerd, opensLater, usesNftables } from "../effect/bridge.ts";
import { seccompRead } from "../effect/seccomp.ts";
import { asOnDisk, dataRoot, keepsImagesInContainerd, processName, remappedTo } from "../effect/daemon.ts";
import type { Observation } from "../observed/observation.ts";
import { compareVersions } from "../observed/engine-version.ts";
import { parseUnitText } from "../observed/systemd.ts";
import { daemonConfigurationOn, digest, mergedDaemon, runningContainers } from "./seen.ts";
import type { SubordinateIds } from "./subordinate-ids.ts";
import { hostsDropIn } from "./wish.ts";

export interface DockerActivation {
  how: "nothing" | "reload" | "restart" | "start";
  /** live-restore is wished and not in effect, and containers run: a reload switches it on before the restart. */
  liveRestoreFirst: boolean;
  /** Ids of the containers that must stop before, in order; they are hidden or started again after. */
  stop: string[];
  /** userns-remap, data-root or the storage driver changes: other images and containers are seen after it. */
  switchesStore: boolean;
  /** dockerd leaves docker0 as it is while containers run: the kernel must be told directly. */
  dropBetweenContainers: boolean;
  /** The kernel still has that rule of ours, and icc is wished again. */
  liftDrop: boolean;
  /** The keys that ask for it. */
  because: string[];
}

export function planDocker(
  wish: HostInputs,
  seen: HostInputs,
  observation: Observation,
  { newDaemonJson, subordinateIds, moving }: { newDaemonJson: string | undefined; subordinateIds: SubordinateIds | undefined; moving: string[] },
): DockerActivation {
  const running = runningContainers(observation);
  // Somebody changed the file, and dockerd still runs with what is put back: there is nothing to load.
  const { applied, processes } = observation;
  const neverLeft =
    newDaemonJson !== undefined &&
    processes.docker !== undefined &&
    applied.daemon === processName(processes.docker) &&
    applied.configuration === digest(newDaemonJson) &&
    // A reload may have taken up these from the file that is replaced, and tells nobody.
    !differing(wish.daemon, seen.daemon).some((key) => daemonKeyCost[key] === "reload");
  const keys = changedKeys(wish, seen, !neverLeft, opensNow(wish, observation));
  const switchesStore = observation.info.known && (switchesUserNamespace(wish, seen, observation) || switchesDataRoot(wish, seen, observation) || switchesDriver(wish, seen, observation)) && wish.inEffect.services["docker.service"] === "active";
  const hostsChange = seen.files[hostsDropIn] !== wish.files[hostsDropIn];
  // A reload takes up some keys only: it can't answer for a file of which nobody knows whether it was read.
  const configurationIsOld = seen.inEffect.configuration !== asOnDisk && !neverLeft;
  const because = [
    ...keys,
    ...(hostsChange && !keys.includes("hosts") ? ["hosts"] : []),
    ...(readsOldFilter(wish, observation) ? ["seccomp profile"] : []),
    ...(configurationIsOld ? [seen.inEffect.configuration] : []),
    ...moving,
    ...(subordinateIds && !keys.includes("userns-remap") ? ["subordinate ids"] : []),
  ];
  // A reload takes up `features`, but for the image store.
  const restart = switchesStore || because.some((key) => daemonKeyCost[key] !== "reload" || !(key in wish.daemon));
  const stopped = seen.inEffect.services["docker.service"] !== "active";
  const how = stopped ? "start" : because.length === 0 ? "nothing" : restart ? "restart" : "reload";
  const { info } = observation;
  const isOn = info.known && info.value.LiveRestoreEnabled;
  // dockerd refuses to reload a file with `hosts` while its own command line still has -H.
  // Containers hold open what has to move.
  const survives = moving.length === 0 && daemonAfter(wish, seen, observation)["live-restore"] === true && (isOn || !hostsChange);
  return {
    how,
    liveRestoreFirst: how === "restart" && survives && !switchesStore && running.length > 0 && info.known && !isOn,
    stop: how === "restart" && (switchesStore || !survives) ? stopOrder(observation) : [],
    switchesStore,
    dropBetweenContainers: wish.daemon.icc === false && needsDrop(observation, how, switchesStore || !survives, running.length > 0),
    liftDrop: wish.daemon.icc !== false && dropsByOurRule(observation),
    because,
  };
}

/** Last started first: what was started later may need what was there before it. */
export function stopOrder(observation: Observation): string[] {
  return runningContainers(observation).sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1)).map(({ id }) => id);
}

/** Whether another set of images and containers is seen afterwards. */
export function switchesUserNamespace(wish: HostInputs, seen: HostInputs, observation: Observation): boolean {
  const isOn = observation.info.known && remappedTo(observation.info.value) !== undefined;
  const staysOn = wishesRemap({ daemon: daemonAfter(wish, seen, observation) });
  // By a flag of the unit, and not by the file that dockerd has read: no file switches it off.
  if (isOn && !staysOn && !wishesRemap({ daemon: daemonConfigurationOn(observation) }) && seen.inEffect.configuration === asOnDisk) return false;
  if (isOn !== staysOn) return true;
  return wishesRemap(wish) && !isDeepStrictEqual(seen.inEffect.daemon["userns-remap"], wish.daemon["userns-remap"]) && "userns-remap" in seen.inEffect.daemon;
}

/** The keys by which another store is seen, e.g. `data-root and userns-remap`. */
export function storeKeys({ because }: DockerActivation): string {
  const named = ["data-root", "features", "storage-driver", "userns-remap"].filter((key) => because.includes(key));
  return named.length === 0 ? "userns-remap" : named.join(" and ");
}

/** The unit's own flags and their values, `$VARIABLES` left out: what dockerd refuses to find in daemon.json as well. */
export function unitFlags(execStart: string): string[] {
  return parseUnitText(`ExecStart=${execStart}`).flatMap(({ entries }) => entries.flatMap(([, line]) => line.split(/\s+/).slice(1))).filter((word) => !word.startsWith("$"));
}

// --- Internal ---

/** A key of the user's own stays, and counts as well. */
const daemonAfter = (wish: HostInputs, seen: HostInputs, observation: Observation) => mergedDaemon(wish.daemon, daemonConfigurationOn(observation), seen.daemon);

/** Once no container runs any more, what has waited (`opensLater`) needs a restart and nothing else. */
const opensNow = ({ daemon }: HostInputs, observation: Observation) => daemon.icc === true && isClosedByDockerd(observation) && opensLater(daemon, observation) === undefined;

/** By the stack file; of a link it is not the name that counts. */
function switchesDataRoot(wish: HostInputs, seen: HostInputs, { info, dataPlace }: Observation): boolean {
  if (!info.known || isDeepStrictEqual(wish.daemon["data-root"], seen.daemon["data-root"])) return false;
  return dataRoot(info.value) !== (dataPlace.known ? dataPlace.value : wishedDataRoot(wish));
}

/** Each storage driver, and containerd's image store, sees its own images, and only the containers made of them (moby daemon.go, restore). */
function switchesDriver(wish: HostInputs, seen: HostInputs, { info }: Observation): boolean {
  if (!info.known) return false;
  const changes = (key: string) => !isDeepStrictEqual(wish.daemon[key], seen.daemon[key]);
  const driver = wish.daemon["storage-driver"];
  if (typeof driver === "string" && changes("storage-driver") && driver !== info.value.Driver) return true;
  const containerdStore = wishedContainerdStore(wish);
  const isContainerds = keepsImagesInContainerd(info.value);
  // Older engines don't know the feature.
  if (containerdStore !== undefined) return changes("features") && compareVersions(info.value.ServerVersion, "24.0") >= 0 && containerdStore !== isContainerds;
  // The engine's own choice then: before 29 never containerd's, from 29 on not where it finds a driver's images, which nobody can see from here.
  const wasChosen = wishedContainerdStore(seen) === true || (driver === undefined && isSnapshotter(seen.daemon["storage-driver"]));
  if (isContainerds && wasChosen) return true;
  // It goes on with the driver whose images it finds, but not with vfs (moby daemon/graphdriver, New).
  return driver === undefined && seen.daemon["storage-driver"] === "vfs" && info.value.Driver === "vfs";
}

function changedKeys(wish: HostInputs, seen: HostInputs, diskCounts: boolean, opens: boolean): string[] {
  const onDisk = diskCounts ? differing(wish.daemon, seen.daemon) : [];
  // What could not be asked is no reason to restart: it may be asked the next time.
  // An open docker0 is closed in the kernel, without a restart.
  const running = differing(wish.inEffect.daemon, seen.inEffect.daemon).filter((key) => (key !== "icc" || opens) && !isUnknown(seen.inEffect.daemon[key]));
  return [...new Set([...onDisk, ...running])].sort();
}

const differing = (a: JsonObject, b: JsonObject) => [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => !isDeepStrictEqual(a[key], b[key]));

/** A profile under the same path: dockerd reads the file only when it starts. */
function readsOldFilter({ files }: HostInputs, observation: Observation): boolean {
  const text = files[seccompFile];
  return text !== undefined && seccompRead(observation, digest) !== digest(text);
}

const isUnknown = (value: Json | undefined) => typeof value === "string" && value.startsWith("unknown: ");

function needsDrop(observation: Observation, how: DockerActivation["how"], containersStop: boolean, containersRun: boolean): boolean {
  const forwards = bridgeForwards(observation);
  const keepsBridge = observation.bridgeOptions.known && observation.bridgeOptions.value["com.docker.network.bridge.enable_icc"] !== "false";
  // A restart without containers rebuilds the bridge as the file says.
  if (how === "restart" && (containersStop || !containersRun)) return false;
  if (usesNftables(observation)) return false;
  return forwards.known ? forwards.value : how === "restart" && keepsBridge;
}
