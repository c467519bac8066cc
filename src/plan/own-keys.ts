/** Keys of daemon.json that are the user's and stay, against those that are wished: alone each of them is right. */

import { crossCheckDaemon, type Finding } from "../config/cross-checks.ts";
import { daemonSchema } from "../config/daemon.ts";
import type { HostInputs, Json, JsonObject } from "../desired/host-inputs.ts";
import type { Observation } from "../observed/observation.ts";
import { daemonConfigurationOn, foreignDaemonKeys } from "./seen.ts";

/** One sentence a finding, each with what to do. */
export function ownKeyFindings(wish: HostInputs, observation: Observation): string[] {
  const own = ownKeys(wish, observation);
  return crossCheckDaemon({ ...own, ...wish.daemon }).flatMap((finding) => {
    const keys = keysOf(finding);
    const theirs = keys.filter((key) => key in own);
    // What is wrong with the user's keys alone is none of our change; what is with ours was found in the stack file.
    if (theirs.length === 0 || !keys.some((key) => key in wish.daemon)) return [];
    return [`/etc/docker/daemon.json has ${theirs.join(", ")} of its own, and with what is wished: ${finding.text}; remove ${theirs.length === 1 ? "it" : "them"} there, or set ${theirs.map((key) => `daemon.${key}`).join(", ")} here`];
  });
}

// --- Internal ---

/** Of those that this version knows and that have a value as it should be: about others only dockerd can tell. */
function ownKeys(wish: HostInputs, observation: Observation): JsonObject {
  const onDisk = daemonConfigurationOn(observation);
  const earlier = observation.applied.keys?.split(",") ?? [];
  const shape = daemonSchema.shape as Record<string, { safeParse: (value: unknown) => { success: boolean } } | undefined>;
  const entries = foreignDaemonKeys(wish.daemon, onDisk)
    .filter((key) => !earlier.includes(key) && shape[key]?.safeParse(onDisk[key]).success === true)
    .map((key): [string, Json] => [key, onDisk[key] as Json]);
  return Object.fromEntries(entries);
}

const keysOf = ({ involves }: Finding) => [...new Set(involves.map(([, key = ""]) => key))];
