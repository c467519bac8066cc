/** What the network and the hosts alone take: one `ssh host sh -s` a host, all at once, the whole job as one script. */

import { spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LightHosts } from "../../lab/hosts/light-hosts.ts";
import type { Connection } from "../../src/config/connection.ts";
import { quote } from "../../src/remote/shell.ts";
import { sshArguments } from "../../src/remote/ssh.ts";

/**
 * Seconds until the last host has answered.
 *
 * @param prefix what stands before the command besides the set's own
 */
export async function bareSsh(set: LightHosts, script: string, prefix: string[] = []): Promise<number> {
  process.env.XDG_RUNTIME_DIR = set.environment.XDG_RUNTIME_DIR;
  const file = join(set.environment.XDG_RUNTIME_DIR, "bare-script");
  writeFileSync(file, script);
  const commands = set.hosts.map(({ connection }) => ["ssh", ...sshArguments(connection as Connection, true), "sh", "-s"]);
  const start = performance.now();
  await run([...set.command, ...prefix, "sh", "-c", startAll(commands, file)]);
  const took = (performance.now() - start) / 1000;
  rmSync(file);
  return took;
}

/** One shell starts them all, since entering the hosts' network takes time as well, which Drydock pays once. */
export function startAll(commands: string[][], input: string): string {
  const started = commands.map((command) => `${command.map(quote).join(" ")} <${quote(input)} >/dev/null & started="$started $!"`);
  return ["started=", ...started, "for pid in $started; do wait $pid || exit; done"].join("\n");
}

function run([program = "", ...words]: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (data: Buffer) => (said += data.toString()));
    child.on("error", reject);
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`bare ssh ended with ${code ?? "a signal"}: ${said}`))));
  });
}
