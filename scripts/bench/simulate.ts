/** `npm run bench -- --simulate 1000`: what the engine, the program and the provider take for so many hosts, without SSH. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Measured } from "./processes.ts";
import { recordedConfig, recordHosts } from "./recorded-hosts.ts";
import { BenchStack } from "./stack.ts";
import { mebibytes, seconds } from "./statistics.ts";
import { markdown } from "./table.ts";

export interface Simulated {
  hosts: number;
  first: Measured;
  noOp: Measured;
}

/** A tenth of the hosts first, then all: what grows faster than their number shows. */
export async function simulate(hosts: number, log: (line: string) => void): Promise<Simulated[]> {
  const rows: Simulated[] = [];
  for (const count of [...new Set([Math.max(1, Math.round(hosts / 10)), hosts])]) {
    const row = await simulateOne(count);
    // A thousand takes long, and who stops it wants to have seen the rest.
    log(renderSimulation([row]));
    rows.push(row);
  }
  return rows;
}

export function renderSimulation(rows: Simulated[]): string {
  const line = ({ hosts, ...runs }: Simulated) =>
    ([["first", runs.first], ["no-op", runs.noOp]] as const).map(([step, { seconds: took, memory }]) => [
      String(hosts),
      step,
      seconds(took),
      ((took / hosts) * 1000).toFixed(0),
      mebibytes(memory.engine),
      mebibytes(memory.providers),
      mebibytes(memory.program),
    ]);
  return markdown(["hosts", "step", "seconds", "ms a host", "engine, MiB", "providers, MiB", "program, MiB"], rows.flatMap(line));
}

// --- Internal ---

async function simulateOne(hosts: number): Promise<Simulated> {
  const folder = mkdtempSync(join(tmpdir(), "drydock-simulate-"));
  const name = "lab-simulate";
  const stack = new BenchStack({ name, state: join(folder, "state"), path: recordHosts(folder, hosts, name), env: { XDG_RUNTIME_DIR: folder } });
  try {
    await stack.init(recordedConfig(hosts));
    const first = assertWorked(await stack.up(true), "created", hosts);
    const noOp = assertWorked(await stack.up(true), "unchanged", hosts);
    return { hosts, first, noOp };
  } finally {
    stack.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One more than the hosts: the stack itself. */
function assertWorked(run: Measured, deed: "created" | "unchanged", hosts: number): Measured {
  if (run.exitCode !== 0 || !new RegExp(`^\\s+\\+? ?${hosts + 1} ${deed}$`, "m").test(run.output)) throw new Error(`the simulation did not do what it was to do: ${run.output.slice(-3000)}`);
  return run;
}
