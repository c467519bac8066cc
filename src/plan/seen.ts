/** What a host is, in the shape of the wish for it: what `read` returns, so that the engine's own diff shows drift. */

import { createHash } from "node:crypto";
import { profilesInEffect } from "../effect/apparmor.ts";
import { auditInEffect, auditRulesOf, lines, normalizeAuditRule, watchedPath } from "../effect/audit-rules.ts";
import { opensLater } from "../effect/bridge.ts";
import { configurationInEffect, daemonKeyInEffect } from "../effect/daemon.ts";
import { limitInEffect } from "../effect/limits.ts";
import { mountInEffect } from "../effect/mounts.ts";
import { volumeFiles } from "../desired/volumes.ts";
import { filesystemsOf } from "./volumes.ts";
import { readableBytes } from "./volume-findings.ts";
import { seccompInEffect } from "../effect/seccomp.ts";
import { securityKeys } from "../desired/security-keys.ts";
import type { HostArgs, HostFacts, HostInputs, InEffect, Json, JsonObject } from "../desired/host-inputs.ts";
import type { Container, Observation } from "../observed/observation.ts";
import type { Known } from "../observed/records.ts";
import { auditRulesFile, daemonJson } from "./wish.ts";

/** @param wish what is declared for the host, or what was last known of it: it says which files, keys and facts to compare. */
export function observedInputs(wish: HostInputs, observation: Observation): HostInputs {
  return {
    connection: wish.connection,
    allow: wish.allow,
    ...(wish.window === undefined ? {} : { window: wish.window }),
    reachable: "yes",
    host: hostFacts(observation, wish),
    daemon: answeredFor(wish.daemon, observation),
    files: observedFiles(wish, observation),
    modes: Object.fromEntries(Object.keys(wish.modes).map((path) => [path, modeOf(observation, path)])),
    ...(wish.volumes === undefined ? {} : { volumes: wish.volumes }),
    ...(wish.rollout === undefined ? {} : { rollout: wish.rollout }),
    inEffect: observedInEffect(wish, observation),
  };
}

/** Containers that run now, as far as that is known. */
export const runningContainers = ({ containers }: Observation): Container[] => (containers.known ? containers.value.filter(({ running }) => running) : []);

/** daemon.json as an object; a file that is not one shows as such instead of passing for an empty one. */
export function daemonConfigurationOn(observation: Observation): JsonObject {
  const file = observation.files[daemonJson];
  if (!file) return {};
  if (!file.known) return { [unreadable]: file.reason };
  const text = file.value.text ?? "";
  if (text.trim() === "") return {};
  try {
    const parsed = JSON.parse(text) as Json;
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed;
    return { [unreadable]: "not a JSON object" };
  } catch (error) {
    return { [unreadable]: (error as Error).message };
  }
}

export const unreadable = "(unreadable)";

/**
 * daemon.json as an update leaves it: what is wished, and what the user has of his own.
 *
 * @param answeredFor the part of what is on the disk that is ours to decide on: `daemon` of {@link observedInputs}
 */
export function mergedDaemon(wish: JsonObject, onDisk: JsonObject, answeredFor: JsonObject): JsonObject {
  const foreign = Object.entries(onDisk).filter(([key]) => !(key in answeredFor) && !(key in wish) && key !== unreadable);
  return sortedObject([...foreign, ...Object.entries(wish)]);
}

/** Keys of daemon.json that Drydock does not answer for: they stay as they are. */
export function foreignDaemonKeys(wish: JsonObject, onDisk: JsonObject): string[] {
  return Object.keys(onDisk).filter((key) => !(key in wish) && !(key in securityKeys) && key !== unreadable).sort();
}

/** The rules the kernel has, in our spelling; none where it could not be asked, which `inEffect` then says. */
export const auditRulesInKernel = ({ auditRules }: Observation) => new Set(auditRules.known ? auditRules.value.map(normalizeAuditRule) : []);

/** The rules of our file as it is now. */
export function auditRulesInFile({ files }: Observation): string[] {
  const file = files[auditRulesFile];
  return file?.known ? auditRulesOf(file.value.text ?? "") : [];
}

/** What an update of ours had compiled, and somebody has taken out of its file since: the next boot loads it no more. */
export const auditRulesTakenOut = ({ applied, auditRulesOnlyCompiled }: Observation) => (applied.generation === undefined ? [] : auditRulesOnlyCompiled.flatMap(auditRulesOf));

/** Whether the kernel takes no more audit rules until the next boot (auditctl(8), -e 2). */
export const auditIsImmutable = ({ auditStatus }: Observation) => auditStatus.known && auditStatus.value.enabled === "2";

export const digest = (text: string) => createHash("sha256").update(text).digest("hex");

export function modeOf(observation: Observation, path: string): string {
  const file = observation.files[path];
  if (!file) return "absent";
  if (!file.known) return `unknown: ${file.reason}`;
  const { owner, group, mode, kind } = file.value;
  const ownership = `${owner}:${group} ${mode}`;
  return kind.startsWith("regular") || kind === "directory" ? ownership : `${ownership} (a ${kind})`;
}

/** Every path that the declared audit rules name, on this host or not. */
export function auditCandidates(wish: HostArgs | HostInputs): string[] {
  const named = auditRulesOf(wish.files[auditRulesFile] ?? "").flatMap((rule) => watchedPath(rule) ?? []);
  return [...new Set([...named, ...("host" in wish ? wish.host.missing : [])])].sort();
}

/** The binaries that the units start, which of the audited paths are there, and the filesystems of the volumes. */
export function hostFacts(observation: Observation, wish: HostArgs | HostInputs): HostFacts {
  const starts = ["docker.service", "containerd.service"].flatMap((unit) => {
    // { path=/usr/sbin/dockerd ; argv[]=/usr/sbin/dockerd -H fd:// ; … }
    const path = /\bpath=(\S+)/.exec(observation.units[unit]?.ExecStart ?? "")?.[1];
    return path ? [path] : [];
  });
  return {
    starts,
    dockerExecStart: observation.dockerExecStart,
    missing: auditCandidates(wish).filter((path) => !observation.present.includes(path)).sort(),
    ...(wish.volumes === undefined ? {} : { filesystems: filesystemsOf(wish, observation) }),
  };
}

// --- Internal ---

/** A unit that reloads runs. */
const stateOf = (state: string | undefined) => (state === "reloading" ? "active" : (state ?? "unknown: systemd does not name it"));

/** Besides what is wished: security keys, and what an earlier apply had set, which goes when it is wished no more. */
function answeredFor(wish: JsonObject, observation: Observation): JsonObject {
  const ours = new Set([...Object.keys(wish), ...Object.keys(securityKeys), ...(observation.applied.keys?.split(",") ?? []), unreadable]);
  return sortedObject(Object.entries(daemonConfigurationOn(observation)).filter(([key]) => ours.has(key)));
}

const sortedObject = <T>(entries: [string, T][]) => Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));

function observedFiles(wish: HostInputs, observation: Observation): Record<string, string> {
  // Without them Docker would start on the empty folder below its filesystem, declared or not.
  const stray = observation.strayFiles.filter((path) => !(volumeFiles as readonly string[]).includes(path));
  const paths = [...new Set([...Object.keys(wish.files), ...stray])].sort();
  return Object.fromEntries(
    paths.flatMap((path) => {
      const file = observation.files[path];
      if (!file) return [];
      return [[path, textOf(file)]];
    }),
  );
}

const textOf = (file: Known<{ text?: string; kind: string }>) =>
  file.known ? (file.value.text ?? `(a ${file.value.kind})`) : `unknown: ${file.reason}`;

function observedInEffect({ inEffect: wish, volumes }: HostInputs, observation: Observation): InEffect {
  const mounts = Object.entries(volumes ?? {}).map(([mountPoint, volume]): [string, string] => [mountPoint, mountInEffect(mountPoint, volume, observation)]);
  const apparmor = profilesInEffect(wish.apparmor, observation);
  return {
    services: Object.fromEntries(Object.keys(wish.services).map((unit) => [unit, stateOf(observation.units[unit]?.ActiveState)])),
    configuration: configurationInEffect(observation, digest),
    daemon: Object.fromEntries(Object.entries(wish.daemon).map(([key, value]) => [key, key === "icc" && opensLater(wish.daemon, observation) ? value : (daemonKeyInEffect(key, value, observation) ?? value)])),
    ...(wish.audit === undefined ? {} : { audit: observedAudit(wish.audit, observation) }),
    ...(apparmor === undefined ? {} : { apparmor }),
    ...(wish.seccomp === undefined ? {} : { seccomp: seccompInEffect(observation, digest) }),
    limits: Object.fromEntries(Object.entries(wish.limits).map(([name, value]) => [name, limitInEffect(name, value, observation) ?? value])),
    ...(wish.mounts === undefined ? {} : { mounts: Object.fromEntries(mounts) }),
    ...(wish.oldData === undefined ? {} : { oldData: oldDataOn(observation) }),
  };
}

/** What moves have left, e.g. `docker: 1.5 GiB`; `none`. */
export function oldDataOn({ oldData }: Observation): string {
  return oldData.length === 0 ? "none" : oldData.map(({ name, bytes }) => `${name}: ${readableBytes(bytes)}`).join(", ");
}

function observedAudit(wish: string, observation: Observation): string {
  const file = observation.files[auditRulesFile];
  const onDisk = file?.known ? auditRulesOf(file.value.text ?? "") : [];
  // Pending until the next boot is not drift for ever: what the file says counts (output `pending` names it).
  if (auditIsImmutable(observation)) return lines(onDisk);
  const candidates = [...new Set([...auditRulesOf(wish), ...onDisk])];
  return auditInEffect(candidates, observation.auditRules, observation.auditStatus);
}
