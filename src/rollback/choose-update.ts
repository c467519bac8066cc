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
 * What a rollback has taken back is never one of these.
 *
 * @param only the hosts that count; all when it is empty
 * @throws RollbackError when there is none
 */
export async function updateBefore({ updates, checkpoint }: History, only: string[] = []): Promise<Update> {
  const last = updates.findLast(changesHosts);
  if (!last) throw new RollbackError("no update is recorded yet, so there is nothing to go back to");
  const target = rolledBackTo(last);
  if (target !== undefined) {
    const found = updates.find(({ number }) => number === target);
    if (!found) throw new RollbackError(`update ${last.number} is a rollback${target === 0 ? " to a file" : ` to update ${target}, which is not recorded any more`}; say where to go: --to <n>`);
    return found;
  }
  const wasTakenBack = ({ number }: Update) => updates.some((update) => number < update.number && number > (rolledBackTo(update) ?? number));
  for (const candidate of updates.filter((update) => update.number < last.number && update.kind === "update" && update.succeeded && !wasTakenBack(update)).reverse()) {
    if (!last.succeeded || last.kind === "destroy") return candidate;
    const [before, after] = [await checkpoint(candidate.number), await checkpoint(last.number)];
    const changed = [...stateDifference(before, after).changed.keys()];
    if (changed.some((name) => only.length === 0 || only.includes(name))) return candidate;
  }
  const where = only.length === 0 ? "a host" : only.join(" or ");
  throw new RollbackError(`before update ${last.number} no update succeeded that left something else on ${where} and was not rolled back, so there is nothing to go back to; say where to go: --to <n>`);
}

/** @throws RollbackError */
export function updateNamed(number: number, { updates }: History): Update {
  const found = updates.find((update) => update.number === number);
  if (found) return found;
  const [first, last] = [updates[0]?.number ?? 0, updates.at(-1)?.number ?? 0];
  throw new RollbackError(updates.length === 0 ? `--to ${number}: no update is recorded yet` : `--to ${number}: is not recorded; allowed are ${first} to ${last}`);
}

/**
 * The update whose stack file an update applied: a rollback applied that of another one, whatever commit it was made at.
 *
 * @returns undefined for what came from a file, or from an update that is not recorded any more
 */
export function originOf(update: Update, { updates }: Pick<History, "updates">): Update | undefined {
  const target = rolledBackTo(update);
  if (target === undefined) return update;
  const found = updates.find(({ number }) => number === target && number < update.number);
  return found && originOf(found, { updates });
}

/** What the update of a rollback is called; {@link rolledBackTo} reads it again. */
export const rollbackMessage = (target: number | string, note: string) => `rollback to ${typeof target === "number" ? `update ${target}` : /^update \d/.test(target) ? JSON.stringify(target) : target}${note === "" ? "" : ` (${note})`}`;

// --- Internal ---

const changesHosts = ({ kind }: Update) => kind === "update" || kind === "destroy";

/** A rollback always names its targets; a commit message that only sounds like one does not. @returns 0 for a file, before which nothing counts */
function rolledBackTo({ kind, partial, message }: Update): number | undefined {
  if (kind !== "update" || !partial || !message.startsWith("rollback to ")) return undefined;
  return Number(/^rollback to update (\d+)(?: \(|$)/.exec(message)?.[1] ?? 0);
}
