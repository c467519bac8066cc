/** SSH into a lab machine: pinned host key, the lab's own client key, one kept connection for each machine and user. */

import { lstatSync, mkdirSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { $ } from "zx";
import { LabError } from "./settings.ts";

export type LabUser = "root" | "ops";

export interface SshTarget {
  name: string;
  port: number;
  identityFile: string;
  knownHostsFile: string;
}

export interface SshOptions {
  /** @default "root" */
  user?: LabUser;
  /** Seconds. @default DRYDOCK_LAB_COMMAND_TIMEOUT, 300 */
  timeout?: number;
  /** A connection of its own instead of the kept one. @default false */
  newConnection?: boolean;
}

export interface SshResult {
  stdout: string;
  stderr: string;
  exitCode: number;
}

/** The name under which all machines of an image are in its known_hosts file: they share their host key. */
export const HOST_KEY_ALIAS = "drydock-lab";

/** Options and destination of ssh for that machine. */
export function sshArguments(target: SshTarget, user: LabUser, newConnection = false): string[] {
  const options = {
    Port: target.port,
    IdentityFile: target.identityFile,
    IdentitiesOnly: "yes",
    BatchMode: "yes",
    HostKeyAlias: HOST_KEY_ALIAS,
    UserKnownHostsFile: target.knownHostsFile,
    GlobalKnownHostsFile: "/dev/null",
    StrictHostKeyChecking: "yes",
    // Cheaper than OpenSSH's default exchange, which takes a noticeable part of a second under emulation.
    KexAlgorithms: "curve25519-sha256",
    ConnectTimeout: 30,
    ServerAliveInterval: 15,
    ServerAliveCountMax: 4,
    LogLevel: "ERROR",
    ...(newConnection
      ? { ControlPath: "none" }
      : { ControlMaster: "auto", ControlPath: controlPath(target, user), ControlPersist: 120 }),
  };
  // No configuration file of the user: it must not change what a test does.
  return ["-F", "none", ...Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]), `${user}@127.0.0.1`];
}

/**
 * Runs a script in the machine. It goes through a file and not through sh's own input, so that commands that read their
 * input don't swallow the rest of it; and not through arguments, so that `pgrep -f` doesn't find the script itself. The file is in memory: a test
 * may have filled the disk.
 */
export async function runScript(target: SshTarget, script: string, options: SshOptions & { timeout: number }): Promise<SshResult> {
  const user = options.user ?? "root";
  const remote = 'f=$(mktemp -p /dev/shm) && cat >"$f" && sh "$f" </dev/null; code=$?; rm -f "$f"; exit $code';
  const args = [...sshArguments(target, user, options.newConnection), remote];
  const run = $({ quiet: true, nothrow: true, detached: true, input: script })`ssh ${args}`;
  const limit = { passed: false };
  // The kept connection goes too: its master holds our pipes for as long as the command in there runs. (zx's own timeout
  // looks up the tree of processes first, which takes seconds; the process group is enough here.)
  const timer = setTimeout(() => {
    limit.passed = true;
    void closeConnections(target);
    if (run.pid !== undefined) process.kill(-run.pid, "SIGKILL");
  }, options.timeout * 1000);
  const output = await run.finally(() => clearTimeout(timer));
  if (limit.passed || output.exitCode === null) {
    throw new LabError(`${target.name}: a script did not end within ${options.timeout} s, its last words: ${output.stderr.trim().slice(-300) || "none"}`);
  }
  return { stdout: output.stdout, stderr: output.stderr, exitCode: output.exitCode };
}

/**
 * Waits until sshd lets us in. It first asks for sshd's greeting with a short, growing limit: QEMU's network takes a
 * connection before the guest is up and repeats the lost first packet only 6 s later.
 */
export async function waitForSsh(target: SshTarget, seconds: number, isAlive: () => boolean): Promise<void> {
  const end = Date.now() + seconds * 1000;
  let limit = 1000;
  let last = "no greeting from sshd";
  while (Date.now() < end) {
    if (!isAlive()) throw new LabError(`${target.name}: QEMU ended before sshd answered`);
    if (await greets(target.port, limit)) {
      const result = await runScript(target, "true", { timeout: 60, newConnection: true }).catch((error: unknown) => ({ exitCode: 255, stderr: String(error) }));
      if (result.exitCode === 0) return;
      last = result.stderr.trim();
    }
    limit = Math.min(limit + 300, 10_000);
    await sleep(100);
  }
  throw new LabError(`${target.name}: no login over SSH within ${seconds} s (${last})`);
}

/** Forgets the kept connections: needed before a machine goes away and comes back on the same port. */
export async function closeConnections(target: SshTarget): Promise<void> {
  for (const user of ["root", "ops"] as const) {
    const path = controlPath(target, user);
    await $({ quiet: true, nothrow: true })`ssh -F none -o ControlPath=${path} -O exit ${user}@127.0.0.1`;
    rmSync(path, { force: true });
  }
}

// In a short folder: a socket's path may have 107 characters, and ssh adds 17 while it makes one.
function controlPath(target: SshTarget, user: LabUser): string {
  const { uid } = userInfo();
  const folder = join(tmpdir(), `drydock-lab-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid: owner, mode } = lstatSync(folder);
  // Whoever else could write there could hand us a connection of theirs.
  if (owner !== uid || (mode & 0o077) !== 0) throw new LabError(`${folder} must belong to you alone: remove it or \`chmod 700\` it`);
  return join(folder, `${target.name}-${target.port}-${user}`);
}

function greets(port: number, limit: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(limit, () => done(false));
    socket.once("data", (data) => done(data.toString().startsWith("SSH-"))).once("error", () => done(false)).once("end", () => done(false));
  });
}
