/** The update that a rollback goes back to when nobody names one. */

import { RollbackError } from "./error.ts";
import { stateDifference } from "./differences.ts";
import type { History, Update } from "./history.ts";

/**
 * - After a rollback: where that one went. It goes on where one failed half-way, and twice is as good as once; it never goes forward
 *   again to what was rolled back.
 * - After a failed update: the newest one before it that succeeded.
 * - Else: the newest one before it that succeeded and left something else on a host.
 *
 * @throws RollbackError when there is none
 */
export async function updateBefore({ updates, checkpoint }: History): Promise<Update> {
  const last = updates.findLast(changesHosts);
  if (!last) throw new RollbackError("no update is recorded yet, so there is nothing to go back to");
  const target = rolledBackTo(last);
  if (target !== undefined) {
    const found = updates.find(({ number }) => number === target);
    if (!found) throw new RollbackError(`update ${last.number} is a rollback${target === 0 ? " to a file" : ` to update ${target}, which is not recorded any more`}; say where to go: --to <n>`);
    return found;
  }
  for (const candidate of updates.filter((update) => update.number < last.number && update.kind === "update" && update.succeeded).reverse()) {
    if (!last.succeeded || last.kind === "destroy") return candidate;
    const [before, after] = [await checkpoint(candidate.number), await checkpoint(last.number)];
    if (stateDifference(before, after).changed.size > 0) return candidate;
  }
  throw new RollbackError(`before update ${last.number} no update succeeded that left something else on a host, so there is nothing to go back to`);
}

/** @throws RollbackError */
export function updateNamed(number: number, { updates }: History): Update {
  const found = updates.find((update) => update.number === number);
  if (found) return found;
  const [first, last] = [updates[0]?.number ?? 0, updates.at(-1)?.number ?? 0];
  throw new RollbackError(updates.length === 0 ? `--to ${number}: no update is recorded yet` : `--to ${number}: is not recorded; allowed are ${first} to ${last}`);
}

/** What the update of a rollback is called; {@link rolledBackTo} reads it again. */
export const rollbackMessage = (target: number | string, note: string) => `rollback to ${typeof target === "number" ? `update ${target}` : target}${note === "" ? "" : ` (${note})`}`;

// --- Internal ---

const changesHosts = ({ kind }: Update) => kind === "update" || kind === "destroy";

/** A rollback always names its targets; a commit message that only sounds like one does not. @returns 0 for a file */
function rolledBackTo({ kind, partial, message }: Update): number | undefined {
  if (kind !== "update" || !partial || !message.startsWith("rollback to ")) return undefined;
  return Number(/^rollback to update (\d+)\b/.exec(message)?.[1] ?? 0);
}
