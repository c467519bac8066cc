/** Which hosts a rollback takes back, each to which recorded inputs; and which it leaves, and why. */

import { didYouMean } from "../config/problems.ts";
import type { HostArgs } from "../desired/host-inputs.ts";
import type { Checkpoint, RecordedHost } from "./checkpoint.ts";
import { RollbackError } from "./error.ts";
import type { History, Update } from "./history.ts";
import { argsToday, recordedArgs } from "./recorded-args.ts";

export interface Choice {
  taken: TakenHost[];
  left: LeftHost[];
}

export interface LeftHost {
  name: string;
  why: string;
  /** It was there then, and is not as it was: the rollback is not whole without it. */
  missing?: true;
}

export interface TakenHost {
  name: string;
  /** As recorded, with the connection of today. */
  args: HostArgs;
  /** Where it is recorded; absent for a file. */
  update?: Update;
  /** It is not in the stack now. */
  isNew: boolean;
  /** What is recorded and can't be taken. */
  leftOut: string[];
}

export interface Wanted {
  /** The state of the stack now. */
  current: Checkpoint;
  /** The hosts that were named; all when it is empty. */
  only: string[];
}

/**
 * Of each host of the update the newest record at or before it that an update really applied.
 *
 * @throws RollbackError with every host that was named and can't be taken, and everything recorded that can't be read
 */
export async function chooseFromHistory(history: History, chosen: Update, wanted: Wanted): Promise<Choice> {
  const then = await history.checkpoint(chosen.number);
  const earlier = history.updates.filter(({ number }) => number <= chosen.number).reverse();
  return await choose(then, wanted, `update ${chosen.number}`, async (name) => {
    for (const update of earlier) {
      const host = (await history.checkpoint(update.number)).get(name);
      if (host && wasApplied(host, update)) return { host, update };
    }
    return `no update up to ${chosen.number} is known to have applied it`;
  });
}

/** Of a file nobody knows more than it says itself. */
export async function chooseFromFile(file: Checkpoint, source: string, wanted: Wanted): Promise<Choice> {
  return await choose(file, wanted, source, (name) => {
    const host = file.get(name);
    return Promise.resolve(host && wasApplied(host) ? { host } : "the file has what was seen on it, which is not what an update applied");
  });
}

/**
 * Everything that an update was to do and did is applied; what it left for a host's window is not, though the engine counts it as done. Of an update that failed, or was for some hosts only, each host's state
 * says it: the engine writes there what it saw before, and somebody may have tampered with that.
 */
export function wasApplied({ asApplied, deferred, unfinished }: RecordedHost, update?: Update): boolean {
  if (unfinished || deferred) return false;
  return asApplied || (update?.kind === "update" && update.succeeded && !update.partial);
}

// --- Internal ---

interface Found {
  host: RecordedHost;
  update?: Update;
}

async function choose(then: Checkpoint, { current, only }: Wanted, where: string, find: (name: string) => Promise<Found | string>): Promise<Choice> {
  const choice: Choice = { taken: [], left: [] };
  const problems: string[] = [];
  for (const name of only.filter((one) => !then.has(one))) {
    const known = [...then.keys()];
    problems.push(current.has(name) ? `--host ${name}: was not there yet in ${where}` : `--host ${name}: is no host of ${where}${didYouMean(name, known) || (known.length > 0 ? `; it has ${known.join(", ")}` : "; it has none")}`);
  }
  for (const name of [...new Set([...then.keys(), ...current.keys()])].sort()) {
    const named = only.includes(name);
    if (!named && only.length > 0) continue;
    if (!then.has(name)) {
      choice.left.push({ name, why: "has come since, and is left as it is" });
      continue;
    }
    if (!named && !current.has(name)) {
      choice.left.push({ name, why: `has left the stack since; --host ${name} takes it up again` });
      continue;
    }
    const found = await find(name);
    if (typeof found === "string") {
      if (named) problems.push(`--host ${name}: ${found}`);
      else choice.left.push({ name, why: `is left as it is: ${found}`, missing: true });
      continue;
    }
    const read = recordedArgs(found.host.inputs);
    if ("wrong" in read) problems.push(...read.wrong.map((text) => `${name}: what ${found.update ? `update ${found.update.number}` : where} recorded can't be taken: ${text}`));
    else choice.taken.push({ name, ...(found.update ? { update: found.update } : {}), isNew: !current.has(name), leftOut: read.leftOut, args: { ...read.args, connection: connectionOf(current.get(name)) ?? read.args.connection } });
  }
  if (problems.length > 0) throw new RollbackError([...problems, ...(only.length > 0 ? [] : ["To go back without them, name the others with --host."])].join("\n"));
  return choice;
}

/** Of today: a host is reached where it is now. */
function connectionOf(host: RecordedHost | undefined): HostArgs["connection"] | undefined {
  return host && argsToday(host.inputs)?.connection;
}
