/** What an apply has to do on one host: the wish compared with one observation. Pure. */

import { isDeepStrictEqual } from "node:util";
import { auditRulesOf, watchedPath } from "../effect/audit-rules.ts";
import { liftedLimits, overNewLimits } from "../effect/container-limits.ts";
import { containersSlice } from "../effect/limit-values.ts";
import type { HostInputs, JsonObject } from "../desired/host-inputs.ts";
import type { Observation } from "../observed/observation.ts";
import { atLeast } from "../observed/engine-version.ts";
import { planDocker, unitFlags, type DockerActivation } from "./docker-activation.ts";
import { auditIsImmutable, auditRulesInFile, auditRulesInKernel, auditRulesTakenOut, daemonConfigurationOn, mergedDaemon, modeOf, observedInputs } from "./seen.ts";
import { bootLink, planProfiles, type ProfilePlan } from "./profiles.ts";
import { planSubordinateIds, type SubordinateIds } from "./subordinate-ids.ts";
import { planVolumes, stopsDocker, type VolumeStep } from "./volumes.ts";
import { daemonJson } from "./wish.ts";

export interface Plan {
  /** Files to put in place, complete, with owner and mode. */
  writes: FileWrite[];
  /** Files to take away: Drydock's own that are no longer wished. */
  removes: string[];
  /** Owner and mode to set on what stays as it is otherwise. */
  modes: { path: string; owner: string; group: string; mode: string }[];
  subordinateIds: SubordinateIds | undefined;
  /** Whether systemd has to read its units again. */
  daemonReload: boolean;
  modules: string[];
  audit: { enable: boolean; add: string[]; remove: string[]; compile: boolean };
  /** Units that must run and don't. */
  start: string[];
  docker: DockerActivation;
  /** The keys of daemon.json that are ours from then on. */
  daemonKeys: string[];
  /** dockerd and its unit's flags, on engines that can check a configuration themselves (23 on). */
  validateWith: string[] | undefined;
  /** Limits of running services that need no restart: prlimit(1), oom_score_adj. */
  processLimits: { unit: string; property: string; value: string }[];
  /** Limits of containers that run with more than they asked for and than is wished; the cgroup file and its value. */
  scopeLimits: { scope: string; file: string; value: string }[];
  /** Running containers, each and all together, that use more than the new limits leave them at once. */
  overLimits: string[];
  /** Every path that is wished, right already or not. */
  declared: string[];
  /** Limits of slices that a set unit does not have in the kernel. */
  sliceLimits: { unit: string; property: string; value: string }[];
  volumes: VolumeStep[];
  /** What a move has left and the stack file consents to remove: names below /var/lib/drydock/old-data. */
  removeOldData: boolean;
  profiles: ProfilePlan;
}

export interface FileWrite {
  path: string;
  text: string;
  owner: string;
  group: string;
  mode: string;
}

export const emptyPlan: Plan = {
  writes: [],
  removes: [],
  modes: [],
  subordinateIds: undefined,
  daemonReload: false,
  modules: [],
  audit: { enable: false, add: [], remove: [], compile: false },
  start: [],
  docker: { how: "nothing", liveRestoreFirst: false, stop: [], switchesStore: false, dropBetweenContainers: false, liftDrop: false, because: [] },
  daemonKeys: [],
  validateWith: undefined,
  processLimits: [],
  scopeLimits: [],
  overLimits: [],
  declared: [],
  sliceLimits: [],
  volumes: [],
  removeOldData: false,
  profiles: { load: [], unload: [], replaced: [], enable: false },
};

/** @param wish complete for this host (`completeInputs`). */
export function planApply(wish: HostInputs, observation: Observation): Plan {
  const seen = observedInputs(wish, observation);
  const writes = planWrites(wish, seen, observation);
  const removes = Object.keys(seen.files).filter((path) => !(path in wish.files)).sort();
  const touched = [...writes.map(({ path }) => path), ...removes];
  const rewritten = new Set(writes.map(({ path }) => path));
  const subordinateIds = planSubordinateIds(wish.daemon["userns-remap"], observation);
  const differing = (limits: Record<string, string>) => Object.entries(wish.inEffect.limits).filter(([name, value]) => limits[name] !== value);
  const limits = differing(seen.inEffect.limits).map(([name, value]) => {
    const [unit = "", property = ""] = name.split(" ");
    return { unit, property, value };
  });
  const volumes = planVolumes(wish, observation);
  const moving = volumes.filter(stopsDocker).map(({ mountPoint }) => mountPoint);
  const profiles = planProfiles(wish, seen, observation, [...rewritten]);
  const daemonReload = touched.some((path) => path.startsWith("/etc/systemd/system/")) || Object.values(observation.units).some(({ NeedDaemonReload }) => NeedDaemonReload === "yes");
  const docker = planDocker(wish, seen, observation, { newDaemonJson: writes.find(({ path }) => path === daemonJson)?.text, subordinateIds, moving });
  const sliceLimits = limits.filter(({ unit }) => unit === containersSlice);
  const scopeLimits = liftedLimits(wish.inEffect.limits, observation);
  return {
    writes,
    removes,
    modes: Object.entries(wish.modes)
      .filter(([path, mode]) => !rewritten.has(path) && modeOf(observation, path) !== mode)
      .map(([path, mode]) => ({ path, ...splitMode(mode) })),
    subordinateIds,
    daemonReload,
    modules: Object.keys(wish.files).some((path) => path.startsWith("/etc/modules-load.d/")) && !observation.bridgeNetfilter ? ["br_netfilter"] : [],
    audit: planAudit(wish, observation, touched, moving),
    start: Object.entries(wish.inEffect.services).filter(([unit, state]) => unit !== "docker.service" && state === "active" && seen.inEffect.services[unit] !== "active").map(([unit]) => unit),
    docker,
    daemonKeys: Object.keys(wish.daemon).sort(),
    validateWith: validateCommand(wish, observation),
    processLimits: limits.filter(({ unit }) => unit.endsWith(".service")).map(forRunningProcess),
    scopeLimits,
    overLimits: (daemonReload || scopeLimits.length > 0 || sliceLimits.length > 0) && docker.stop.length === 0 ? overNewLimits(wish.inEffect.limits, observation) : [],
    declared: [...new Set([...Object.keys(wish.files), ...Object.keys(wish.modes), daemonJson, ...(wish.inEffect.apparmor === undefined ? [] : [bootLink])])].sort(),
    sliceLimits,
    volumes,
    removeOldData: wish.inEffect.oldData === "none" && (observation.oldData.length > 0 || moving.length > 0) &&
      // What an adopted filesystem hides is removed by a later update at the earliest, when somebody has seen what is on it.
      !volumes.some(({ how }) => how === "adopt"),
    profiles,
  };
}

export function isEmpty(plan: Plan): boolean {
  const { writes, removes, modes, subordinateIds, daemonReload, modules, audit, start, docker, processLimits, sliceLimits, profiles, volumes } = plan;
  const lists = [writes, removes, modes, modules, audit.add, audit.remove, start, processLimits, plan.scopeLimits, sliceLimits, profiles.load, profiles.unload, volumes];
  return (
    lists.every((list) => list.length === 0) &&
    subordinateIds === undefined && !daemonReload && !profiles.enable && !audit.enable && !audit.compile && docker.how === "nothing" && !docker.dropBetweenContainers && !docker.liftDrop && !plan.removeOldData
  );
}

/** The text of daemon.json: the wished keys, the user's own, and no security key that is not wished. One key a line, sorted. */
export function daemonJsonText(wish: JsonObject, onDisk: JsonObject, answeredFor: JsonObject): string {
  return `${JSON.stringify(mergedDaemon(wish, onDisk, answeredFor), null, 2)}\n`;
}

// --- Internal ---

/**
 * A program made with Go has raised its soft limit when it started: dockerd or containerd with many files open would fail with the soft limit of its
 * unit, which it would raise again after a restart and which is only for what it starts.
 */
const forRunningProcess = (limit: Plan["processLimits"][number]) => (limit.property === "LimitNOFILE" ? { ...limit, value: limit.value.slice(limit.value.indexOf(":") + 1) } : limit);

function planWrites(wish: HostInputs, seen: HostInputs, observation: Observation): FileWrite[] {
  const writes = Object.entries(wish.files)
    .filter(([path, text]) => seen.files[path] !== text || isNoRegularFile(observation, path))
    .map(([path, text]) => ({ path, text, ...splitMode(wish.modes[path] ?? "root:root 0644") }));
  const missing = daemonJson in wish.modes && observation.files[daemonJson] === undefined;
  if (missing || !isDeepStrictEqual(wish.daemon, seen.daemon) || isNoRegularFile(observation, daemonJson)) {
    const text = daemonJsonText(wish.daemon, daemonConfigurationOn(observation), seen.daemon);
    writes.push({ path: daemonJson, text, ...splitMode(wish.modes[daemonJson] ?? "root:root 0644") });
  }
  return writes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A link in our place is replaced, not followed: whoever can change its target could change our file. */
function isNoRegularFile({ files }: Observation, path: string): boolean {
  const file = files[path];
  return file?.known === true && !file.value.kind.startsWith("regular");
}

function planAudit(wish: HostInputs, observation: Observation, touched: string[], moving: string[]): Plan["audit"] {
  const compile = touched.some((path) => path.startsWith("/etc/audit/rules.d/"));
  const before = [...new Set([...auditRulesInFile(observation), ...(compile ? auditRulesTakenOut(observation) : [])])];
  // Nothing reaches an immutable kernel before the next boot, which reads what `augenrules` compiled.
  if (auditIsImmutable(observation)) return { enable: false, add: [], remove: [], compile };
  const wished = wish.inEffect.audit === undefined ? [] : auditRulesOf(wish.inEffect.audit);
  const kernel = auditRulesInKernel(observation);
  // A rule holds for the tree that it found: what is mounted over it later is not watched.
  const isBelow = (rule: string) => moving.some((mountPoint) => `${watchedPath(rule) ?? ""}/`.startsWith(`${mountPoint}/`));
  return {
    enable: wished.length > 0 && observation.auditStatus.known && observation.auditStatus.value.enabled === "0",
    add: wished.filter((rule) => !kernel.has(rule) || isBelow(rule)),
    remove: before.filter((rule) => kernel.has(rule) && (!wished.includes(rule) || isBelow(rule))),
    compile,
  };
}

/** How an engine that can is asked whether it takes a daemon.json: engine 23 and newer. */
export function validateCommand(wish: HostInputs, observation: Observation): string[] | undefined {
  if (!atLeast(observation, "23.0")) return undefined;
  const { dockerExecStart } = observation;
  const binary = wish.host.starts[0] ?? "dockerd";
  return [binary, ...("hosts" in wish.daemon ? [] : unitFlags(dockerExecStart))];
}

// root:root 0644
function splitMode(text: string): { owner: string; group: string; mode: string } {
  const [, owner, group, mode] = /^([^:\s]+):(\S+) (\d{4})$/.exec(text) ?? [];
  if (!owner || !group || !mode) throw new Error(`"${text}" is not of the form owner:group mode, e.g. root:root 0644`);
  return { owner, group, mode };
}
