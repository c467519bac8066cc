/** What the network and the hosts alone take: one `ssh host sh -s` a host, all at once, the whole job as one script. */

import { spawn } from "node:child_process";
import type { LightHosts } from "../../lab/hosts/light-hosts.ts";
import type { Connection } from "../../src/config/connection.ts";
import { sshArguments } from "../../src/remote/ssh.ts";

/** Seconds until the last host has answered. */
export async function bareSsh(set: LightHosts, script: string): Promise<number> {
  process.env.XDG_RUNTIME_DIR = set.environment.XDG_RUNTIME_DIR;
  const commands = set.hosts.map(({ connection }) => [...set.command, "ssh", ...sshArguments(connection as Connection, true), "sh", "-s"]);
  const start = performance.now();
  await Promise.all(commands.map((command) => run(command, script)));
  return (performance.now() - start) / 1000;
}

function run([program = "", ...words]: string[], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ["pipe", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (data: Buffer) => (said += data.toString()));
    child.on("error", reject);
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`bare ssh ended with ${code ?? "a signal"}: ${said}`))));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
