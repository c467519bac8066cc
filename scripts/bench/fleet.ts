/** One line of the bench's table: so many light hosts, measured. */

import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startHosts, type LightHosts } from "../../lab/hosts/light-hosts.ts";
import { bareSsh } from "./bare-ssh.ts";
import { assertApplied } from "./applied.ts";
import { bareScript, jobArgs, jobConfig, jobHandlers, jobTexts, type Step } from "./job.ts";
import type { Measured, Memory } from "./processes.ts";
import { pyinfra } from "./pyinfra.ts";
import { BenchStack, root } from "./stack.ts";
import { median } from "./statistics.ts";

type Times = Record<Step, number>;

export interface Row {
  hosts: number;
  bare: Times;
  floor: Times;
  /** Where it was asked for. */
  pyinfra?: Times;
  /** Without the watch over a restarted dockerd. */
  drydock: Times;
  /** Seconds of one first apply as users have it: with the watch, and all hosts at a time. */
  watched: number;
  detail: Record<Step, Detail>;
}

interface Detail {
  connections: number;
  sessions: number;
  memory: Memory;
}

export interface FleetOptions {
  hosts: number;
  rounds: number;
  /** What stands before each command besides the set's own. */
  prefix: string[];
  /** Measure it, too. */
  withPyinfra: boolean;
  log: (line: string) => void;
}

export async function measureFleet({ hosts, rounds, prefix, withPyinfra, log }: FleetOptions): Promise<Row> {
  log(`${hosts} light hosts: Docker, systemd, auditd and iptables are stand-ins there`);
  const set = await startHosts({ count: hosts, name: "bench", replace: true, log });
  try {
    const bare = await measureBare(set, rounds, prefix);
    log(`bare ssh ${show(bare)}`);
    const peer = withPyinfra ? { pyinfra: await measurePyinfra(set, rounds) } : {};
    if (peer.pyinfra) log(`pyinfra ${show(peer.pyinfra)}`);
    const floor = await measureFloor(hosts, rounds);
    log(`engine's floor ${show(floor)}`);
    const { times, detail, watched } = await measureDrydock(set, rounds, prefix);
    log(`drydock ${show(times)}; first apply with the watch ${watched.toFixed(2)}`);
    return { hosts, bare, floor, ...peer, drydock: times, watched, detail };
  } finally {
    await set.stop();
  }
}

// --- Internal ---

const show = (times: Times) => Object.values(times).map((value) => value.toFixed(2)).join(" / ");

function measureBare(set: LightHosts, rounds: number, prefix: string[]): Promise<Times> {
  const args = jobArgs(set.hosts);
  return fromFresh(set, rounds, (step) => bareSsh(set, bareScript(args, step), prefix));
}

function measurePyinfra(set: LightHosts, rounds: number): Promise<Times> {
  return fromFresh(set, rounds, (step) => pyinfra(set, step));
}

/** The three steps again and again, each time on hosts as they come; after them each has the whole job. */
async function fromFresh(set: LightHosts, rounds: number, seconds: (step: Step) => Promise<number>): Promise<Times> {
  const calls = jobHandlers(jobTexts(jobArgs(set.hosts)));
  const taken: Record<Step, number[]> = { first: [], "no-op": [], check: [] };
  for (let round = 0; round < rounds; round++) {
    for (const step of ["first", "no-op", "check"] as const) taken[step].push(await seconds(step));
    assertApplied(set, { calls });
    await set.reset();
  }
  return medians(taken);
}

async function measureFloor(hosts: number, rounds: number): Promise<Times> {
  const stack = new BenchStack({ name: "lab-floor", project: join(root, "scripts", "bench", "floor"), state: join(tmpdir(), `drydock-floor-${process.pid}`), env: { BENCH_HOSTS: String(hosts) } });
  try {
    const { times } = await rounded(rounds, () => stack.init(), stack);
    return times;
  } finally {
    stack.remove();
  }
}

async function measureDrydock(set: LightHosts, rounds: number, prefix: string[]) {
  const state = join(tmpdir(), `drydock-bench-${process.pid}`);
  const stack = new BenchStack({ name: "lab-bench", state, prefix: [...set.command, ...prefix], env: { ...set.environment, ...unwatched } });
  try {
    const result = await rounded(rounds, async (round) => {
      if (round > 0) await set.reset();
      await stack.init(jobConfig(set.hosts));
    }, stack, set);
    assertApplied(set);
    await set.reset();
    await stack.init(jobConfig(set.hosts));
    const watched = await stack.up(false, asUsersHaveIt(set.hosts.length));
    assertGood(watched, "first");
    assertApplied(set);
    return { ...result, watched: watched.seconds };
  } finally {
    stack.remove();
    rmSync(state, { recursive: true, force: true });
  }
}

async function rounded(rounds: number, prepare: (round: number) => Promise<void>, stack: BenchStack, set?: LightHosts) {
  const taken: Record<Step, number[]> = { first: [], "no-op": [], check: [] };
  const detail = {} as Record<Step, Detail>;
  for (let round = 0; round < rounds; round++) {
    await prepare(round);
    for (const step of ["first", "no-op", "check"] as const) {
      // No command begins with a connection that the last one left.
      await set?.closeConnections();
      const before = set?.counts() ?? nothing;
      const run = await (step === "check" ? stack.preview(round === 0) : stack.up(round === 0));
      assertGood(run, step);
      taken[step].push(run.seconds);
      const after = set?.counts() ?? nothing;
      // Memory is looked at in the first round only: looking takes time.
      if (round === 0) detail[step] = { connections: after.connections - before.connections, sessions: after.sessions - before.sessions, memory: run.memory };
    }
  }
  return { times: medians(taken), detail };
}

/**
 * A dockerd that was started is watched for 25 s before the change is kept: a wait in which nothing is computed, of a guard that no peer
 * has. It would hide what all else takes, so it is measured by itself.
 */
const unwatched = { DRYDOCK_SETTLE_SECONDS: "0" };

/** Who waits needs no CPU: with the engine's own limit of four hosts a CPU the next ones would begin only after the watch. */
const asUsersHaveIt = (hosts: number) => ({ DRYDOCK_SETTLE_SECONDS: undefined, PULUMI_PARALLEL: String(hosts) });

const nothing = { connections: 0, sessions: 0 };

function assertGood({ exitCode, output }: Measured, step: Step): void {
  if (exitCode !== 0) throw new Error(`${step} ended with exit code ${exitCode}: ${output.slice(-3000)}`);
  if (step !== "first" && !/^\s+\d+ unchanged$/m.test(output)) throw new Error(`${step} was to change nothing: ${output.slice(-3000)}`);
}

const medians = (taken: Record<Step, number[]>): Times => ({ first: median(taken.first), "no-op": median(taken["no-op"]), check: median(taken.check) });
