/** What a rollback tells before it asks. */

import type { Checkpoint } from "../../src/rollback/checkpoint.ts";
import type { Choice } from "../../src/rollback/choose-hosts.ts";
import { redact, secretsOf, visible } from "../../src/redact.ts";
import { describeUpdate, type Update } from "../../src/rollback/history.ts";
import type { Preview } from "../../src/rollback/preview.ts";

/** @param where `update 2`, or the file */
export function sayChoice({ taken, left }: Choice, where: string, update: Update | undefined): void {
  console.log(`\nBack to ${visible(update ? describeUpdate(update) : where)}`);
  for (const host of taken) {
    const other = host.update && host.update.number !== update?.number ? `: as update ${host.update.number} applied it, the last one before that is known to have` : "";
    console.log(`  ${host.name}${host.isNew ? " is taken up again" : ""}${other}`);
    for (const text of host.leftOut) console.log(`    left out: ${safe(text)}`);
  }
  for (const { name, why } of left) console.log(`  ${name} ${why}`);
}

export function sayPreview({ hosts, notes }: Preview): void {
  for (const { name, change, said } of hosts) {
    console.log(`\n${name}${change === "" ? "" : `\n${safe(change)}`}`);
    for (const { text } of said) console.log(safe(text));
  }
  for (const note of notes) console.log(`\n${safe(note)}`);
  const consents = new Set(hosts.flatMap(({ said }) => said.flatMap(({ level, text }) => (level === "error" ? [...text.matchAll(/allow: \[([\w-]+)\]/g)].map(([, word = ""]) => word) : []))));
  if (consents.size > 0) console.log(`\nTo consent for this rollback alone: ${[...consents].map((word) => `--allow ${word}`).join(" ")}`);
}

/** What is on a host may hold secrets, and what a terminal acts on, right before somebody is asked. */
const safe = (text: string) => redact(text, secrets);
const secrets = secretsOf(process.env);

/** @returns whether every host is back: the engine counts one that waits for its window as done */
export function sayEnd({ hosts }: Preview, after: Checkpoint, where: string): boolean {
  const waiting = hosts.filter(({ name }) => after.get(name)?.deferred);
  const back = hosts.filter((host) => !waiting.includes(host));
  if (back.length > 0) console.log(`\n${named({ hosts: back })} ${back.length === 1 ? "is" : "are"} back at ${where}.`);
  if (waiting.length > 0) console.log(`\n${named({ hosts: waiting })} ${waiting.length === 1 ? "waits for its window and was" : "wait for their windows and were"} not touched. Run the same command again in the window.`);
  return waiting.length === 0;
}

/** @returns whether every host of then is among those that go back */
export function sayMissing({ left }: Choice): boolean {
  const missing = left.filter((host) => host.missing).map(({ name }) => name);
  if (missing.length === 0) return true;
  const [was, is] = missing.length === 1 ? ["was", "is"] : ["were", "are"];
  console.error(`\nrollback: ${missing.join(", ")} ${was} there then and ${is} left as now, as said above. To go back without, name the others with --host.`);
  return false;
}

/** Hosts by name, as long as that is short. */
export const named = ({ hosts }: Pick<Preview, "hosts">) => (hosts.length > 8 ? `${hosts.length} hosts` : hosts.map(({ name }) => name).join(", "));
export const counted = (count: number) => (count === 1 ? "the host is" : `the ${count} hosts are`);
