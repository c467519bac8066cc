/** An apply as the provider makes it: what is done is confirmed, or the next one would find it waiting. */

import { applyPlan, type TransactionResult } from "../../src/remote/apply.ts";
import { confirmation } from "../../src/remote/confirmation.ts";
import { runAsRoot } from "../../src/remote/ssh.ts";

export async function applyAndConfirm(...args: Parameters<typeof applyPlan>): Promise<TransactionResult> {
  const result = await applyPlan(...args);
  if (result.outcome === "done") await runAsRoot(args[0], confirmation, { step: "confirming", timeout: 60 });
  return result;
}
