/**
 * `npm run bench -- --hosts 1,16,64`: how long Drydock takes on light hosts, beside one bare ssh a host and what the engine takes
 * for itself. docs/performance.md has the figures and what they mean.
 */

import { readFileSync } from "node:fs";
import { LabError } from "../lab/settings.ts";
import { runCommand } from "./command.ts";
import { prepareKeyExchange } from "./bench/key-exchange.ts";
import { homeWithoutLogs } from "./bench/engine-log.ts";
import { measureFleet, type Row } from "./bench/fleet.ts";
import { BENCH_USAGE, parseBenchOptions, type BenchOptions } from "./bench/options.ts";
import { pyinfraVersion } from "./bench/pyinfra.ts";
import { renderSimulation, simulate } from "./bench/simulate.ts";
import { renderGround, renderTable, type Ground } from "./bench/table.ts";
import { whereMeasured } from "./where-measured.ts";

await runCommand("bench", [LabError], main);

async function main(args: string[]): Promise<number> {
  const options = parseBenchOptions(args);
  if (!options) {
    console.error(BENCH_USAGE);
    return 2;
  }
  // With --markdown stdout has the table alone, for pasting.
  const log = (line: string) => console.error(line);
  const ground = await readGround(options);
  log(`load before: ${ground.load}`);
  const home = options.engineLog ? undefined : homeWithoutLogs();
  if (home) process.env.PULUMI_HOME = home.path;
  try {
    if (options.simulate === undefined) await measureFleets(options, ground, log);
    else console.log(`${renderGround(ground)}; no SSH: recorded answers.\n\n${renderSimulation(await simulate(options.simulate, log))}`);
  } finally {
    home?.remove();
  }
  return 0;
}

async function measureFleets(options: BenchOptions, ground: Ground, log: (line: string) => void): Promise<void> {
  const keyExchange = await prepareKeyExchange(options.keyExchange);
  try {
    log(`key exchange: ${keyExchange.name}`);
    const peer = options.pyinfra ? pyinfraVersion() : undefined;
    const rows: Row[] = [];
    for (const hosts of options.hosts) rows.push(await measureFleet({ hosts, rounds: options.rounds, prefix: keyExchange.prefix, withPyinfra: peer !== undefined, log }));
    console.log(renderTable(rows, { ...ground, keyExchange: keyExchange.name, peer }));
  } finally {
    keyExchange.remove();
  }
}

async function readGround({ rounds, engineLog }: BenchOptions): Promise<Ground> {
  return {
    ...(await whereMeasured()),
    load: readFileSync("/proc/loadavg", "utf8").split(" ").slice(0, 3).join(" "),
    rounds,
    engineLog,
  };
}
