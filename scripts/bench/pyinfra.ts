/**
 * pyinfra, the fastest of the peers that the figures are held against, on the same hosts with the same files and handlers
 * (scripts/bench/pyinfra). It brings its own SSH, with `curve25519-sha256` and without a post-quantum key exchange.
 */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LightHosts } from "../../lab/hosts/light-hosts.ts";
import { LabError } from "../../lab/settings.ts";
import { jobArgs, jobHandlers, jobTexts, type Step } from "./job.ts";
import { measure } from "./processes.ts";

/** @returns e.g. `pyinfra 3.10.0` @throws LabError when it is not on the PATH */
export function pyinfraVersion(): string {
  const { stdout, status } = spawnSync("pyinfra", ["--version"], { encoding: "utf8" });
  if (status !== 0) throw new LabError("--pyinfra: there is no pyinfra on the PATH; it comes with `pip install pyinfra==3.10.0`");
  return stdout.trim().replace(/^.*v(?=\d)/, "pyinfra ");
}

/**
 * Seconds of one command.
 *
 * @throws when it fails, or when a second run or a look finds something to change
 */
export async function pyinfra(set: LightHosts, step: Step): Promise<number> {
  const folder = set.environment.XDG_RUNTIME_DIR;
  const knownHosts = join(folder, "known_hosts");
  const texts = jobTexts(jobArgs(set.hosts));
  writeFileSync(knownHosts, set.hosts.map(({ connection }) => `${connection.host} ${connection.hostKey}\n`).join(""));
  const job = {
    hosts: Object.fromEntries(set.hosts.map(({ name, connection }) => [name, connection.host])),
    key: set.hosts[0]?.connection.identityFile,
    knownHosts,
    files: texts,
    handlers: jobHandlers(texts),
  };
  writeFileSync(join(folder, "job.json"), JSON.stringify(job));
  const { seconds, exitCode, output } = await measure([...set.command, "pyinfra", step === "check" ? "--dry" : "--yes", "inventory.py", "deploy.py"], {
    cwd: join(import.meta.dirname, "pyinfra"),
    env: { ...set.environment, BENCH_JOB: join(folder, "job.json") },
  });
  if (exitCode !== 0) throw new Error(`pyinfra ended with exit code ${exitCode}: ${output.slice(-3000)}`);
  const problem = notUnchanged(step, output);
  if (problem !== undefined) throw new Error(`${problem}: ${output.slice(-3000)}`);
  return seconds;
}

/**
 * A second run and a look have to find nothing to do, and to have looked: with `--yes` a dry run of pyinfra looks at nothing.
 *
 * @returns what is wrong with what pyinfra has said
 */
export function notUnchanged(step: Step, output: string): string | undefined {
  if (step === "first") return undefined;
  if (step === "no-op") return /^ *Grand total +\d+ +- +- +\d+ *$/m.test(output) ? undefined : "pyinfra's second run was to change nothing";
  const files = output.split("\n").filter((line) => /^ +\/etc\/\S+ +\S/.test(line));
  return files.length > 0 && files.every((line) => / - +- *$/.test(line)) ? undefined : "pyinfra's dry run was to find nothing to change";
}
