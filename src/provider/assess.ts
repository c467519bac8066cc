/** A host beside the wish for it: what is there, what would be done, and what stands against it. */

import type { HostArgs, HostInputs } from "../desired/host-inputs.ts";
import type { Observation, Owner } from "../observed/observation.ts";
import { planApply, type Plan } from "../plan/plan.ts";
import { doubts, findings } from "../plan/preflight.ts";
import { hostFacts } from "../plan/seen.ts";
import { completeInputs } from "../plan/wish.ts";
import { look, type LookOptions } from "./look.ts";

export interface Assessment {
  observation: Observation;
  /** Complete for this very host. */
  wish: HostInputs;
  plan: Plan;
  /** What would be refused; empty when nothing is. */
  refused: string[];
  /** What could not be told. */
  doubts: string[];
}

/** @throws UnreachableError, RemoteScriptError */
export async function assess(owner: Owner, args: HostArgs, options: LookOptions): Promise<Assessment> {
  const observation = await look(args, options);
  const wish = completeInputs(args, hostFacts(observation, args));
  const plan = planApply(wish, observation);
  return { observation, wish, plan, refused: findings(wish, observation, plan, owner), doubts: doubts(wish, observation, plan) };
}
