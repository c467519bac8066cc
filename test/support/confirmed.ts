/** An apply as the provider makes it: what is done is confirmed, or the next one would find it waiting. */

import { applyPlan, type TransactionResult } from "../../src/remote/apply.ts";
import { confirmChange } from "../../src/remote/confirmation.ts";

export async function applyAndConfirm(...[connection, plan, observation, owner, options]: Parameters<typeof applyPlan>): Promise<TransactionResult> {
  const begun = new Date().toISOString();
  const result = await applyPlan(connection, plan, observation, owner, { begun, ...options });
  if (result.outcome === "done") await confirmChange(connection, begun);
  return result;
}
