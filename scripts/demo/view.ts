/** The demo's eyes: one host of a stack file, looked at as the provider looks at it. */

import { readFleet } from "../../src/config/fleet.ts";
import { renderHost } from "../../src/desired/render-host.ts";
import { auditCandidates, hostFacts } from "../../src/plan/seen.ts";
import { completeInputs } from "../../src/plan/wish.ts";
import { look } from "../../src/provider/look.ts";
import { takeSnapshot, type Snapshot } from "./table.ts";

export interface DemoHost {
  name: string;
  /** The values of its stack file. */
  config: Record<string, unknown>;
}

/** @throws UnreachableError, RemoteScriptError */
export async function viewHost({ name, config }: DemoHost): Promise<Snapshot> {
  const values = Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(/^drydock:/, ""), value]));
  const settings = readFleet(values).hosts.get(name);
  if (!settings) throw new Error(`the stack file names no host ${name}`);
  const args = renderHost(settings);
  const observation = await look(args);
  return takeSnapshot(observation, completeInputs(args, hostFacts(observation, auditCandidates(args))));
}
