/** One row of the table: an operation, a fault in one of its steps, and the state in which the host ended. */

import { breakAt, goOn, isReached, type Step } from "./breakpoint.ts";
import type { End, Fault } from "./fault.ts";
import { dataBytes, other, partNames, type FaultHost, type Named, type Parts, type Seen, type Update } from "./host.ts";

/** What is in a part of the state is told as the state that it is of: `old`, `new` or `original`; `with theirs` where somebody else's change is left in it. */
export interface Row {
  fault: string;
  step: Step;
  /** What shows that it really happened. */
  evidence: string;
  ended: End;
  /** That it runs, and the state of what it reports. */
  daemon: string;
  /** The container ran on, or was started again after a boot. */
  container: "ran on" | "runs again";
  /** How many, and the state that has their owners, modes and sums. */
  files: string;
  /** How many rules, profiles and limits it has, and of which state. */
  kernel: string;
  /** Bytes of the container's files that are as they were, of all of them. */
  data: string;
  /** From the fault to the last word of the transaction, dockerd answering; seconds. */
  seconds: number;
}

/** How long a host may take to help itself, emulated and with another machine beside it. */
const patience = 300;

/** @throws with all of it when it did not end as it has to */
export async function trial(host: FaultHost, fault: Fault, step: Step): Promise<Row> {
  const { machine } = host;
  const from = host.state;
  await fault.leaves?.(host);
  const before = await host.look();
  const begin: Named = fault.leaves ? "original" : from;
  const wrong = partNames.filter((part) => !host.isOf(before, part, begin));
  if (wrong.length > 0 || before.leftovers !== "") throw new Error([`the trial does not begin in state ${begin}: ${before.leftovers}`, ...wrong.map((part) => host.differences(before, part))].join("\n"));
  host.wish(other[from]);
  await fault.prepare?.(host, from);
  await host.markJournal();
  await breakAt(machine, step);
  const update = host.update(fault.during, fault.confirm);
  const circumstances = { host, machine, update, from, step };
  const clear = async (): Promise<void> => {
    update.kill();
    await fault.undo?.(host);
    await host.clear();
    if (fault.during === "destroy" || fault.leaves) await host.bring(from);
  };
  try {
    await reached(host, update);
    const struck = Date.now();
    await fault.strike?.(circumstances);
    // With what somebody else did, and nobody may undo.
    const theirs = fault.ends(step) === "old, with what somebody else changed" ? await host.look() : undefined;
    await goOn(machine);
    await fault.passes?.(circumstances);
    // Who is told by the host that it went back has to have heard it.
    if (!(await host.settles(patience))) throw new Error(`it had no end within ${patience} s: ${await machine.run("cat /var/lib/drydock/transaction/step /var/lib/drydock/transaction/log; systemctl status docker drydock-guard.timer | head -40").catch(String)}`);
    const seconds = Math.round((Date.now() - struck) / 1000);
    const { output, exitCode } = await update.done;
    await fault.finish?.(circumstances);
    const after = await host.look();
    const evidence = await fault.evidence(circumstances);
    const row = { fault: fault.name, step, evidence, ...judge({ host, fault, step, begin, wished: other[from], before, after, theirs, output }), seconds };
    if (row.ended === "original") {
      // Of a first update that was taken back its outcome is told to whoever looks next.
      const left = await machine.run(`cd /var/lib/drydock 2>/dev/null && ${fault.during === "destroy" ? "ls -A" : "ls -d owner pristine* applied current transaction* generations/*"} 2>/dev/null || true`);
      if (left !== "") throw new Error(`${fault.name}, ${step}: /var/lib/drydock still has ${left}`);
    }
    if (fault.next) row.evidence += `; ${await fault.next(circumstances)}`;
    await clear();
    if (row.ended === "new") {
      host.hasBecome(other[from]);
      // Nobody was left to note it in the stack, and the next update would find nothing to do there.
      if (exitCode !== 0) await host.bring(other[from]);
    }
    return row;
  } catch (cause) {
    // Clearing up may fail for the same reason, and would hide it.
    await clear().catch(() => undefined);
    throw cause;
  }
}

// --- Internal ---

async function reached(host: FaultHost, update: Update): Promise<void> {
  // In turns: an update that was refused never comes there.
  for (let tries = 0; tries < patience / 15; tries++) {
    if (await isReached(host.machine, 15)) return;
    if (update.hasEnded()) break;
  }
  throw new Error(`the update never came to that step: ${update.hasEnded() ? (await update.done).output : "it goes on"}`);
}

interface Ending {
  host: FaultHost;
  fault: Fault;
  step: Step;
  /** The states that the operation leads away from, and to. */
  begin: Named;
  wished: Named;
  before: Seen;
  after: Seen;
  /** With somebody else's change, which has to stay. */
  theirs: Seen | undefined;
  output: string;
}

/** What is there, part by part, in words; none of it is taken from what was expected. */
function judge({ host, fault, step, begin, wished, before, after, theirs, output }: Ending): Omit<Row, "fault" | "step" | "evidence" | "seconds"> {
  const ends = fault.ends(step);
  // An original that the operation began with is the old state as well.
  const names: [word: string, state: Named][] = [["old", begin], ["new", wished], ["original", "original"]];
  const ofState = (part: keyof Parts): string => {
    const words = names.filter(([, state]) => host.isOf(after, part, state)).map(([word]) => word);
    return words.find((word) => ends.startsWith(word)) ?? words[0] ?? (theirs?.[part] === after[part] ? "old, with theirs" : "no state");
  };
  const state = { files: ofState("files"), kernel: ofState("kernel"), daemon: ofState("daemon") };
  const right = (part: keyof Parts): boolean => (theirs ? theirs[part] === after[part] : state[part] === ends);
  const problems = [
    !after.runs && "dockerd does not run",
    ...partNames.map((part) => !right(part) && `${part}: ${state[part]}, and not ${ends}\n${host.differences(after, part)}`),
    after.data !== dataBytes && `data of a container are lost: ${after.data} of ${dataBytes} bytes are as they were`,
    !after.container.startsWith("true ") && `the container does not run: ${after.container}`,
    !fault.restarts && after.container !== before.container && `the container was started again: ${before.container}, then ${after.container}`,
    after.leftovers !== "" && `something of the transaction is left: ${after.leftovers}`,
    fault.says && !fault.says.test(output) && `the operator is not told ${String(fault.says)}`,
  ].filter((problem) => typeof problem === "string");
  if (problems.length > 0) throw new Error([`${fault.name}, ${step}: ${problems.join("; ")}`, output].join("\n"));
  const count = (text: string, kind: RegExp) => text.split("\n").filter((line) => kind.test(line)).length;
  return {
    ended: ends,
    daemon: `up, ${state.daemon}`,
    container: after.container === before.container ? "ran on" : "runs again",
    files: `${count(after.files, /^[0-9a-f]{64} /)} ${state.files}`,
    kernel: `${count(after.kernel, /./)} ${state.kernel}`,
    data: `${after.data} of ${dataBytes}`,
  };
}
