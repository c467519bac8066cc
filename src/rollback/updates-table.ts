/** The updates of a stack as a table, newest first. */

import Table from "cli-table3";
import type { Checkpoint } from "./checkpoint.ts";
import { RollbackError } from "./error.ts";
import { headline, shortCommit, showTime, type History, type Update } from "./history.ts";
import { visible } from "../redact.ts";
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
      shorten(visible(author ?? ""), 12),
      shorten(visible(headline(message)), 32),
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
    const waiting = [...after.values()].filter(({ deferred }) => deferred);
    const { added, removed, changed } = stateDifference(before ? await settled(history, before) : new Map(), new Map([...after].filter(([, { deferred }]) => !deferred)));
    const gone = removed.filter((name) => !after.has(name));
    // What a failed update saw on a host, nobody has changed there by it.
    const applied = [...changed].filter(([name]) => update.kind === "update" && wasApplied(after.get(name) ?? neverApplied, update));
    const which = [...new Set(applied.flatMap(([, parts]) => parts))].join(", ");
    const texts = [
      ...(applied.length > 0 ? [`${applied.length} ${applied.length === 1 ? "host" : "hosts"}: ${which}`] : []),
      ...(changed.size > applied.length ? [`${changed.size - applied.length} seen otherwise`] : []),
      ...(added.length > 0 ? [`${added.length} added`] : []),
      ...(gone.length > 0 ? [`${gone.length} removed`] : []),
      ...(update.kind === "update" && waiting.length > 0 ? [`${waiting.length} left for later`] : []),
    ];
    return texts.join("; ") || "nothing";
  } catch (error) {
    if (!(error instanceof RollbackError)) throw error;
    return "not known any more";
  }
}

/** With what was there before an update that was left for later, so that the one which then does it shows it. */
async function settled(history: History, update: Update): Promise<Checkpoint> {
  const hosts = new Map(await history.checkpoint(update.number));
  for (const earlier of history.updates.filter(({ number }) => number < update.number).reverse()) {
    const waiting = [...hosts.values()].filter(({ deferred }) => deferred);
    if (waiting.length === 0) break;
    const then = await history.checkpoint(earlier.number);
    for (const { name } of waiting) {
      const old = then.get(name);
      if (old) hosts.set(name, old);
      else hosts.delete(name);
    }
  }
  return new Map([...hosts].filter(([, { deferred }]) => !deferred));
}

const neverApplied = { name: "", urn: "", inputs: {}, asApplied: false, deferred: false, unfinished: true };

const resultOf = ({ kind, succeeded, partial }: Update) => [...(kind === "update" ? [] : [kind]), succeeded ? "succeeded" : "failed", ...(partial ? ["some hosts only"] : [])].join(", ");

const shorten = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
