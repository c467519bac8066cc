/** The demo's eyes: one host of a stack file, looked at as the provider looks at it. */

import { readFleet } from "../../src/config/fleet.ts";
import { renderHost } from "../../src/desired/render-host.ts";
import { planApply } from "../../src/plan/plan.ts";
import { findings } from "../../src/plan/preflight.ts";
import { hostFacts } from "../../src/plan/seen.ts";
import { completeInputs } from "../../src/plan/wish.ts";
import { look } from "../../src/provider/look.ts";
import type { ScratchStack } from "./scratch-stack.ts";
import { takeSnapshot, type Snapshot } from "./table.ts";

export interface View extends Snapshot {
  /** Why an update would be refused. The exit code of a preview does not say it. */
  refused: string[];
}

/** @throws StackFileError, UnreachableError, RemoteScriptError */
export async function viewHost(stack: ScratchStack, name: string): Promise<View> {
  const values = Object.fromEntries(Object.entries(stack.config()).map(([key, value]) => [key.replace(/^drydock:/, ""), value]));
  const settings = readFleet(values, stack.file).hosts.get(name);
  if (!settings) throw new Error(`the stack file names no host ${name}`);
  const args = renderHost(settings);
  const observation = await look(args);
  const wish = completeInputs(args, hostFacts(observation, args));
  const refused = findings(wish, observation, planApply(wish, observation), { stack: `drydock/${stack.name}`, host: name });
  return { ...takeSnapshot(observation, wish), refused };
}
