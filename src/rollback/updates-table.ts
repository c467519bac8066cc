/** The updates of a stack as a table, newest first. */

import Table from "cli-table3";
import { RollbackError } from "./error.ts";
import { headline, shortCommit, showTime, type History, type Update } from "./history.ts";
import { stateDifference } from "./differences.ts";
import { wasApplied } from "./choose-hosts.ts";

/** More than that nobody reads, and each costs a look at its checkpoint. */
export const shownUpdates = 20;

export async function renderUpdates(history: History): Promise<string> {
  const shown = history.updates.slice(-shownUpdates).reverse();
  const table = new Table({ head: ["n", "time (UTC)", "commit", "by", "message", "changed on hosts", "result"], style: { head: [], border: [], compact: true } });
  for (const update of shown) {
    const { number, started, commit, dirty, author, message } = update;
    table.push([
      number,
      showTime(started),
      commit === undefined ? "" : `${shortCommit(commit)}${dirty ? " and more" : ""}`,
      shorten(author ?? "", 12),
      shorten(headline(message), 32),
      await describeChanges(history, update),
      resultOf(update),
    ]);
  }
  const older = history.updates.length - shown.length;
  return older === 0 ? table.toString() : `${table.toString()}\nand ${older} older ones`;
}

// --- Internal ---

/** `2 hosts: daemon, files; 1 added`; `nothing`. */
async function describeChanges(history: History, update: Update): Promise<string> {
  const before = history.updates.findLast(({ number }) => number < update.number);
  try {
    const after = await history.checkpoint(update.number);
    const { added, removed, changed } = stateDifference(before ? await history.checkpoint(before.number) : new Map(), after);
    // What a failed update saw on a host, nobody has changed there by it.
    const applied = [...changed].filter(([name]) => update.kind === "update" && wasApplied(after.get(name) ?? neverApplied, update));
    const which = [...new Set(applied.flatMap(([, parts]) => parts))].join(", ");
    const texts = [
      ...(applied.length > 0 ? [`${applied.length} ${applied.length === 1 ? "host" : "hosts"}: ${which}`] : []),
      ...(changed.size > applied.length ? [`${changed.size - applied.length} seen otherwise`] : []),
      ...(added.length > 0 ? [`${added.length} added`] : []),
      ...(removed.length > 0 ? [`${removed.length} removed`] : []),
    ];
    return texts.join("; ") || "nothing";
  } catch (error) {
    if (!(error instanceof RollbackError)) throw error;
    return "not known any more";
  }
}

const neverApplied = { name: "", urn: "", inputs: {}, asApplied: false, unfinished: true };

const resultOf = ({ kind, succeeded, partial }: Update) => [...(kind === "update" ? [] : [kind]), succeeded ? "succeeded" : "failed", ...(partial ? ["some hosts only"] : [])].join(", ");

const shorten = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
