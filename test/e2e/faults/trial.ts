/** One row of the table: an update, a fault in one of its steps, and the state in which the host ended. */

import { breakAt, goOn, isReached, type Step } from "./breakpoint.ts";
import type { End, Fault } from "./faults.ts";
import { other, type FaultHost, type Seen, type State, type Update } from "./host.ts";

export interface Row {
  fault: string;
  step: Step;
  /** What shows that it really happened. */
  evidence: string;
  ended: End;
  /** From the fault to the last word of the transaction, dockerd answering; seconds. */
  seconds: number;
  /** The container ran on, or was started again after a boot. */
  container: "ran on" | "runs again";
}

/** How long a host may take to help itself, emulated and with another machine beside it. */
const patience = 300;

/**
 * @param from the state that the host is in
 * @throws with all of it when it did not end as it has to
 */
export async function trial(host: FaultHost, fault: Fault, step: Step, from: State): Promise<Row> {
  const { machine } = host;
  const before = await host.look();
  if (host.stateOf(before) !== from || before.leftovers !== "") throw new Error(`the trial does not begin in state ${from}: ${before.leftovers}\n${host.mixture(before)}`);
  host.wish(other[from]);
  await fault.prepare?.(host, from);
  await breakAt(machine, step);
  const update = host.update(fault.during);
  const circumstances = { host, machine, update, from, step };
  const clear = async (): Promise<void> => {
    update.kill();
    await fault.undo?.(host);
    await host.clear();
    if (fault.during === "destroy") await host.bring(from);
  };
  try {
    await reached(host, update);
    const struck = Date.now();
    await fault.strike?.(circumstances);
    // With what somebody else did, and nobody may undo.
    const expected = fault.ends(step) === "old, with what somebody else changed" ? await host.look() : undefined;
    await goOn(machine);
    await fault.passes?.(circumstances);
    // Who is told by the host that it went back has to have heard it.
    if (!(await host.settles(patience))) throw new Error(`it had no end within ${patience} s: ${await machine.run("cat /var/lib/drydock/transaction/step /var/lib/drydock/transaction/log; systemctl status docker drydock-guard.timer | head -40").catch(String)}`);
    const seconds = (Date.now() - struck) / 1000;
    const { output, exitCode } = await update.done;
    const after = await host.look();
    const evidence = await fault.evidence(circumstances);
    const ended = judge(host, fault, step, from, before, after, expected, output);
    if (ended === "original") {
      const left = await machine.run("ls -A /var/lib/drydock 2>/dev/null || true");
      if (left !== "") throw new Error(`${fault.name}, ${step}: /var/lib/drydock still has ${left}`);
    }
    await clear();
    // Nobody was left to note it in the stack, and the next update would find nothing to do there.
    if (ended === "new" && exitCode !== 0) await host.bring(other[from]);
    return { fault: fault.name, step, evidence, ended, seconds: Math.round(seconds), container: after.container === before.container ? "ran on" : "runs again" };
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

function judge(host: FaultHost, fault: Fault, step: Step, from: State, before: Seen, after: Seen, expected: Seen | undefined, output: string): End {
  const ends = fault.ends(step);
  const wanted: Record<End, State | "original"> = { old: from, "old, with what somebody else changed": from, new: other[from], original: "original" };
  const problems = [
    !after.daemon && "dockerd does not run",
    after.data !== "whole" && `data of a container are lost: ${after.data}`,
    !after.container.startsWith("true ") && `the container does not run: ${after.container}`,
    !fault.restarts && after.container !== before.container && `the container was started again: ${before.container}, then ${after.container}`,
    after.leftovers !== "" && `something of the transaction is left: ${after.leftovers}`,
    fault.says && !fault.says.test(output) && `the operator is not told ${String(fault.says)}`,
    expected ? expected.state !== after.state && "it is not as it was" : host.stateOf(after) !== wanted[ends] && `it is ${host.stateOf(after) === undefined ? "a mixture" : "the other state"}, and not the ${ends} one:\n${host.mixture(after)}`,
  ].filter((problem) => typeof problem === "string");
  if (problems.length > 0) throw new Error([`${fault.name}, ${step}: ${problems.join("; ")}`, output].join("\n"));
  return ends;
}
