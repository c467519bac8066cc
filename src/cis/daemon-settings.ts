/** One setting of dockerd in its three truths: declared, on disk (file or flag of the unit), in effect. */

import { isDeepStrictEqual } from "node:util";
import type { Json, JsonObject } from "../desired/host-inputs.ts";
import { asOnDisk, configurationInEffect, daemonKeyInEffect, processName } from "../effect/daemon.ts";
import { known, unknown, type Known } from "../observed/records.ts";
import { daemonJsonText } from "../plan/plan.ts";
import { daemonConfigurationOn, digest, foreignDaemonKeys, unreadable } from "../plan/seen.ts";
import { whenKnown, type Evidence } from "./verdict.ts";

export interface DaemonSetting {
  declared: Json | undefined;
  /** undefined: not set, dockerd's own default holds. */
  onDisk: Known<Json | undefined>;
  inEffect: Known<Json | undefined>;
  /** Why the running daemon is behind the files, if it is. */
  waitsFor: string | undefined;
}

export function daemonSetting(key: string, evidence: Evidence): DaemonSetting {
  const { observation, wish } = evidence;
  const unitWords = wordsOf(/argv\[\]=(.*?) ; /.exec(observation.units["docker.service"]?.ExecStart ?? "")?.[1] ?? "");
  const running = observation.processes.docker?.command ?? [];
  const configuration = configurationInEffect(observation, digest);
  // `$DOCKER_OPTS` in the unit comes from a file that may hold any flag: then what runs is the best there is.
  const unitFlag = flagValue(key, unitWords.some((word) => word.startsWith("$")) ? [...unitWords, ...running] : unitWords);
  const file = fileValue(key, evidence);
  const asRead = lastRead(evidence, configuration);
  // What the daemon has read and does not do is not waiting for anything: somebody changed it while it ran.
  const isUnread = configuration !== asOnDisk && running.length > 0 && !(asRead && file.known && isDeepStrictEqual(asRead[key], file.value));
  const onDisk = withFlag(unitFlag, file);
  return {
    declared: wish?.daemon[key],
    onDisk,
    inEffect: inEffect(key, evidence, { onDisk: file, running, read: asRead ? known(asRead[key]) : file.known ? unknown(configuration.replace(/^unknown: /, "")) : file }),
    waitsFor: isUnread ? `a restart of docker.service: ${configuration}` : undefined,
  };
}

/** The value that a command line gives to a key of daemon.json, e.g. `--icc=false`, `-H fd://`. */
export function flagValue(key: string, words: string[]): Json | undefined {
  const names = [`--${flagNames[key] ?? key}`, ...(shortFlags[key] ?? [])];
  const values = words.flatMap((word, i) => {
    const [name = "", ...rest] = word.split("=");
    if (!names.includes(name)) return [];
    if (rest.length > 0) return [rest.join("=")];
    const next = words[i + 1];
    return [booleanKeys.has(key) || next === undefined || next.startsWith("-") ? "true" : next];
  });
  if (values.length === 0) return undefined;
  if (listKeys.has(key)) return values;
  const last = values.at(-1) ?? "";
  return last === "true" ? true : last === "false" ? false : last;
}

// --- Internal ---

/** Flags are singular where the file has a list (dockerd(8)). */
const flagNames: Record<string, string> = {
  hosts: "host",
  "insecure-registries": "insecure-registry",
  "authorization-plugins": "authorization-plugin",
  "default-ulimits": "default-ulimit",
  "storage-opts": "storage-opt",
};
const shortFlags: Record<string, string[]> = { hosts: ["-H"], "log-level": ["-l"], debug: ["-D"], "storage-driver": ["-s"] };
const listKeys = new Set(Object.keys(flagNames));
const booleanKeys = new Set(["icc", "iptables", "live-restore", "no-new-privileges", "userland-proxy", "experimental", "tls", "tlsverify", "debug"]);

function fileValue(key: string, { observation }: Evidence): Known<Json | undefined> {
  const configuration = daemonConfigurationOn(observation);
  const trouble = configuration[unreadable];
  return typeof trouble === "string" ? unknown(`/etc/docker/daemon.json: ${trouble}`) : known(configuration[key]);
}

function inEffect(
  key: string,
  { observation }: Evidence,
  { onDisk, running, read }: { onDisk: Known<Json | undefined>; running: string[]; read: Known<Json | undefined> },
): Known<Json | undefined> {
  if (running.length === 0) return unknown(`docker.service is ${observation.units["docker.service"]?.ActiveState ?? "not there"}`);
  const probed = daemonKeyInEffect(key, notAsked, observation);
  if (typeof probed === "string" && probed.startsWith("unknown: ")) return unknown(probed.slice("unknown: ".length));
  // Asked again with the file's value: a subordinate range that belongs to the file's user then goes by that name.
  if (probed !== undefined && probed !== notAsked) return known(daemonKeyInEffect(key, whenKnown(onDisk, (value) => value) ?? probed, observation));
  // Nobody can ask the daemon for this one: it has its command line, and what it read.
  return withFlag(flagValue(key, running), read);
}

/**
 * The configuration that the running daemon has read, as far as that is known: the file, or, when somebody changed it since,
 * what the last apply wrote, if this very process is noted to have read that very text.
 */
function lastRead({ observation, wish }: Evidence, configuration: string): JsonObject | undefined {
  const onDisk = daemonConfigurationOn(observation);
  if (configuration === asOnDisk) return unreadable in onDisk ? undefined : onDisk;
  const { applied, processes } = observation;
  if (!wish || !processes.docker || applied.daemon !== processName(processes.docker)) return undefined;
  const foreign = foreignDaemonKeys(wish.daemon, onDisk);
  const answeredFor = Object.fromEntries(Object.entries(onDisk).filter(([key]) => !foreign.includes(key)));
  const text = daemonJsonText(wish.daemon, onDisk, answeredFor);
  return applied.configuration === digest(text) ? (JSON.parse(text) as JsonObject) : undefined;
}

/** dockerd refuses to start with both; until it tried, a list may hold what either says, and a flag hides nothing. */
function withFlag(flag: Json | undefined, file: Known<Json | undefined>): Known<Json | undefined> {
  if (flag === undefined) return file;
  if (!Array.isArray(flag)) return known(flag);
  return file.known ? known([...flag, ...(Array.isArray(file.value) ? file.value : [])]) : file;
}

/** Given as the wished value: it comes back when the probe saw nothing that speaks against the wish, which proves nothing. */
const notAsked = "(not asked)";

const wordsOf = (line: string) => line.split(/\s+/).filter(Boolean);
