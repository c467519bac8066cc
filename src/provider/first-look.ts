/** What a first update would do to a host, said in preview: the engine asks a provider nothing else about a new resource. */

import type { HostArgs, HostInputs } from "../desired/host-inputs.ts";
import type { Owner } from "../observed/observation.ts";
import { describeChange, describeCost } from "../plan/describe.ts";
import { isEmpty, planApply } from "../plan/plan.ts";
import { findings } from "../plan/preflight.ts";
import { auditCandidates, hostFacts, observedInputs } from "../plan/seen.ts";
import { completeInputs } from "../plan/wish.ts";
import { listed } from "./errors.ts";
import { look } from "./look.ts";

export interface FirstLook {
  wish: HostInputs;
  /** For people: the change and its cost. */
  report: string;
  /** What would be refused; empty when nothing is. */
  refused: string[];
}

/** @throws UnreachableError, RemoteScriptError */
export async function firstLook(owner: Owner, args: HostArgs): Promise<FirstLook> {
  const observation = await look(args);
  const wish = completeInputs(args, hostFacts(observation, auditCandidates(args)));
  const plan = planApply(wish, observation);
  const refused = findings(wish, observation, plan, owner);
  if (isEmpty(plan)) return { wish, refused, report: `${owner.host}: already in the wished state; nothing would be touched` };
  const change = describeChange(plan, wish, observedInputs(wish, observation), observation);
  const cost = describeCost(plan, wish, observation);
  return { wish, refused, report: `${owner.host}: first update, this is what would change there\n${change}\n${listed("Cost", cost)}` };
}
