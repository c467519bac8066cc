/** The hosts of a rollback: what an earlier update had recorded, in place of what the stack file declares. */

import { readFileSync } from "node:fs";
import type { Rollout } from "../config/fleet.ts";
import type { HostArgs } from "../desired/host-inputs.ts";
import { asDeclared } from "./declared-hosts.ts";

/** Names the file; set by `npm run rollback` for the engine that it starts, and by nobody else. */
export const rollbackVariable = "DRYDOCK_ROLLBACK";

/** @returns undefined when this run is no rollback. */
export function recordedHosts(environment: NodeJS.ProcessEnv = process.env): Map<string, HostArgs> | undefined {
  const file = environment[rollbackVariable];
  if (file === undefined || file === "") return undefined;
  const recorded = JSON.parse(readFileSync(file, "utf8")) as Record<string, HostArgs>;
  return new Map(Object.entries(recorded).map(([name, args]) => [name, asDeclared(args)]));
}

/** The waves of today's stack file, as far as there is one. Hosts that it does not name come last. */
export function recordedRollout(hosts: ReadonlyMap<string, unknown>, rollout: Rollout | undefined): { rollout?: Rollout } {
  if (!rollout) return {};
  const others = [...hosts.keys()].filter((name) => !rollout.waves.flat().includes(name));
  return { rollout: { ...rollout, waves: [...rollout.waves, ...(others.length > 0 ? [others] : [])] } };
}

/** What {@link recordedHosts} reads. */
export const renderRecordedHosts = (hosts: ReadonlyMap<string, HostArgs>) => JSON.stringify(Object.fromEntries(hosts));
