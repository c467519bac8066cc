/** An apply as the provider makes it: what is done is confirmed, or the next one would find it waiting. */

import { applyPlan, type TransactionResult } from "../../src/remote/apply.ts";
import { confirmChange } from "../../src/remote/confirmation.ts";

export async function applyAndConfirm(...args: Parameters<typeof applyPlan>): Promise<TransactionResult> {
  const result = await applyPlan(...args);
  if (result.outcome === "done") await confirmChange(args[0]);
  return result;
}
