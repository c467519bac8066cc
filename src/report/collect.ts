/** Looks at the hosts of a fleet, some at a time. One that can't be reached is no reason to say nothing of the others. */

import type { HostSettings } from "../config/fleet.ts";
import type { HostArgs } from "../desired/host-inputs.ts";
import { hostFacts } from "../plan/seen.ts";
import { completeInputs } from "../plan/wish.ts";
import { explain } from "../provider/errors.ts";
import { look } from "../provider/look.ts";
import type { SeenInput, UnreachableInput } from "./model.ts";

export interface DeclaredHost {
  name: string;
  settings: HostSettings;
  args: HostArgs;
}

/** @param limit how many at a time */
export async function collect(hosts: DeclaredHost[], limit: number): Promise<(SeenInput | UnreachableInput)[]> {
  const inputs: (SeenInput | UnreachableInput)[] = [];
  const waiting = [...hosts.entries()];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) inputs[next[0]] = await lookAt(next[1]);
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(limit, hosts.length)) }, worker));
  return inputs;
}

// --- Internal ---

async function lookAt({ name, settings: { waivers, connection }, args }: DeclaredHost): Promise<SeenInput | UnreachableInput> {
  const address = `${connection.user === undefined ? "" : `${connection.user}@`}${connection.host}:${connection.port}`;
  try {
    const observation = await look(args);
    return { name, address, waivers, observation, wish: completeInputs(args, hostFacts(observation, args)) };
  } catch (error) {
    return { name, address, reason: explain(error) };
  }
}
