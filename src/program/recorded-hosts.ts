/** The hosts of a rollback: what an earlier update had recorded, in place of what the stack file declares. */

import { readFileSync } from "node:fs";
import type { HostArgs } from "../desired/host-inputs.ts";

/** Names the file; set by `npm run rollback` for the engine that it starts, and by nobody else. */
export const rollbackVariable = "DRYDOCK_ROLLBACK";

/** @returns undefined when this run is no rollback. */
export function recordedHosts(environment: NodeJS.ProcessEnv = process.env): Map<string, HostArgs> | undefined {
  const file = environment[rollbackVariable];
  if (file === undefined || file === "") return undefined;
  return new Map(Object.entries(JSON.parse(readFileSync(file, "utf8")) as Record<string, HostArgs>));
}

/** What {@link recordedHosts} reads. */
export const renderRecordedHosts = (hosts: ReadonlyMap<string, HostArgs>) => JSON.stringify(Object.fromEntries(hosts));
