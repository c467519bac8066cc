/** What an update would do to a host, said in preview. */

import type { HostArgs, HostInputs } from "../desired/host-inputs.ts";
import type { Owner } from "../observed/observation.ts";
import { describeChange, describeCost } from "../plan/describe.ts";
import { isEmpty } from "../plan/plan.ts";
import { observedInputs } from "../plan/seen.ts";
import { waitsForWindow } from "../plan/window.ts";
import { assess } from "./assess.ts";
import { anotherApply, listed } from "./errors.ts";

export interface Outlook {
  wish: HostInputs;
  /** For people: the change and its cost; of a host the engine knows only the cost, since it shows the change itself. */
  report: string;
  /** What would be refused; empty when nothing is. */
  refused: string[];
  /** What could not be told, and is not held against the host. */
  doubts: string[];
}

/**
 * @param isNew the engine asks a provider nothing but this about a new resource
 * @throws UnreachableError, RemoteScriptError
 */
export async function lookAhead(owner: Owner, args: HostArgs, isNew: boolean): Promise<Outlook> {
  const { observation, wish, plan, refused, doubts } = await assess(owner, args, { reuse: true });
  const said = { refused: [...(observation.underWay.length > 0 ? [anotherApply(observation.underWay)] : []), ...refused], doubts };
  if (isEmpty(plan)) return { wish, ...said, report: `${owner.host}: already in the wished state; nothing would be touched` };
  const window = waitsForWindow(wish.window, plan, new Date());
  const cost = [...(window === undefined ? [] : [`nothing now: it waits for ${window}; then:`]), ...describeCost(plan, wish, observation)];
  if (!isNew) return { wish, ...said, report: listed(`${owner.host}: what the update costs there`, cost) };
  const change = describeChange(plan, wish, observedInputs(wish, observation), observation);
  return { wish, ...said, report: `${owner.host}: first update, this is what would change there\n${change}\n${listed("Cost", cost)}` };
}
