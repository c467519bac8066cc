/** What a host tells besides its inputs. */

import { summarize, evaluateHost } from "../cis/evaluate.ts";
import type { Summary } from "../cis/summary.ts";
import { containerProfiles } from "../effect/apparmor.ts";
import type { HostInputs } from "../desired/host-inputs.ts";
import type { Observation } from "../observed/observation.ts";
import { pendingOn } from "../plan/pending.ts";
import { daemonConfigurationOn, foreignDaemonKeys } from "../plan/seen.ts";

export interface HostOutputs {
  /** Version of the Docker engine; `unknown: <reason>` when it could not be asked. */
  engine: string;
  /** Number of the last update that changed something on the host, as below /var/lib/drydock/generations; 0 before the first. */
  generation: number;
  /** What is right on disk and can't be in effect yet, each with what it waits for. */
  pending: string[];
  /** Keys of daemon.json that are the user's own and were left alone. */
  foreignDaemonKeys: string[];
  /** The AppArmor profile that confines each running container, by its name, e.g. `docker-default`, `unconfined`. */
  apparmor: Record<string, string>;
  /** The benchmark in numbers, and the failing controls by id and title. */
  cis: Summary;
  /** What the last update changed on the host, as unified diffs (a new file by its name: its text is in `files`), and what it cost there. */
  lastChange: { cost: string[]; diff: string };
  /**
   * By place, a short digest of what the last update that went through had applied. When an update fails, or after `pulumi
   * refresh`, the engine stores what was found on the host: with this, drift can still be told from a change of the stack file.
   */
  applied: Record<string, string>;
  /** The last update was left for its window, as a whole: what is beside it was seen, and what it was to do was not done. Absent otherwise. */
  deferred?: true;
}

/**
 * @param left what the last update did and applied
 * @internal
 */
export function outputsOf(wish: HostInputs, observation: Observation, left: Pick<HostOutputs, "lastChange" | "applied">): HostOutputs {
  const { info } = observation;
  return {
    engine: info.known ? info.value.ServerVersion : `unknown: ${info.reason}`,
    // 0007
    generation: Number(observation.applied.generation ?? 0),
    pending: pendingOn(wish, observation),
    foreignDaemonKeys: foreignDaemonKeys(wish.daemon, daemonConfigurationOn(observation)),
    apparmor: containerProfiles(observation),
    cis: summarize(evaluateHost(observation, wish)),
    ...left,
  };
}
