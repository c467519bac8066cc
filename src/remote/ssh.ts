/**
 * Running a script as root on a host, with the OpenSSH client of the machine, so that agents, hardware keys,
 * certificates, jump hosts and ssh_config work as people expect.
 *
 * One connection a host: the first script opens a control master that later ones share, also those of other provider
 * processes and of the next command (ssh_config(5), ControlMaster, ControlPersist).
 */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, lstatSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Connection, Endpoint } from "../config/connection.ts";
import { quote } from "./shell.ts";

/** A host that cannot be reached or refuses us. The message is one line: what happened and what to do. */
export class UnreachableError extends Error {
  override name = "UnreachableError";
}

/** A script that ran and failed, or that did not end in time. */
export class RemoteScriptError extends Error {
  override name = "RemoteScriptError";
}

export interface RunOptions {
  /** Names the deed in errors, e.g. `observe`. Scripts and their output may hold what a log should not. */
  step: string;
  /** Seconds until the script is given up. */
  timeout: number;
  /** A connection of its own instead of the shared one: what a confirmation after an apply must prove. */
  fresh?: boolean;
  /** Told each line that the script prints, as it comes. */
  onLine?: (line: string) => void;
}

/** How long an idle shared connection stays open, in seconds: from `pulumi preview` to the `pulumi up` after it. */
const persistSeconds = 120;

/**
 * Runs a POSIX sh script as root and returns what it printed.
 *
 * The script travels over stdin, so it is in no process list. Users other than root go through `sudo -n`.
 *
 * @throws UnreachableError when there is no session as root; RemoteScriptError when the script fails or takes too long.
 */
export async function runAsRoot(connection: Connection, script: string, options: RunOptions): Promise<string> {
  return (await readAsRoot(connection, script, options)).toString();
}

/** As {@link runAsRoot}, for what need not be text. */
export async function readAsRoot(connection: Connection, script: string, options: RunOptions): Promise<Buffer> {
  const args = sshArguments(connection, options.fresh === true);
  // A shell reads its stdin in blocks and would hand the rest to the commands it runs: it must have parsed all before.
  // Who logs in as root need not become it: each process costs the host time. sudo keeps from root where a connection comes from, and
  // what sshd makes of it depends on that.
  const [shell, text] = connection.user === "root" ? ["exec sh -s", `export ${environment}\n${script}`] : [becomeRoot('SSH_CONNECTION="$SSH_CONNECTION" sh -s'), script];
  const output = await runSsh([...args, shell], `{\n${text}\nexit\n}\n`, options);
  if (output.exitCode === 0) return output.stdout;
  const name = describe(connection);
  if (output.signal !== null) {
    throw new RemoteScriptError(`${options.step} on ${name} did not end within ${options.timeout} s`);
  }
  const trouble = explainFailure(output.stderr, output.exitCode);
  if (trouble) throw new UnreachableError(`${name}: ${trouble}`);
  throw new RemoteScriptError(
    `${options.step} on ${name} failed with exit status ${output.exitCode ?? "unknown"}: ${lastLines(output.stderr, 5)}`,
  );
}

/** `user@host:port`, the way people write it. */
export function describe({ host, port, user }: Pick<Connection, "host" | "port" | "user">): string {
  return `${user ? `${user}@` : ""}${host.includes(":") ? `[${host}]` : host}${port === 22 ? "" : `:${port}`}`;
}

/** The arguments of ssh(1) for a connection; the remote command follows them. */
export function sshArguments(connection: Connection, fresh: boolean): string[] {
  const control = fresh
    ? ["-o", "ControlMaster=no", "-o", "ControlPath=none"]
    : ["-o", "ControlMaster=auto", "-o", `ControlPath=${controlPath(connection)}`, "-o", `ControlPersist=${persistSeconds}`];
  const proxy = connection.proxy ? ["-o", `ProxyCommand=${proxyCommand(connection.proxy)}`] : [];
  return ["-T", ...control, ...proxy, ...endpointArguments(connection), "--", connection.host];
}

/**
 * What our stderr and exit status mean when no script of ours ran.
 *
 * @returns undefined when the script itself failed.
 */
export function explainFailure(stderr: string, exitCode: number | null): string | undefined {
  if (exitCode === noRoot || /^sudo: .*(password is required|not allowed|may not run|not in the sudoers)/m.test(stderr)) {
    return "this user is not root and may not use sudo without a password; allow it with a line such as `ops ALL=(root) NOPASSWD: ALL` in /etc/sudoers.d";
  }
  if (exitCode === noSudo) return "this user is not root and there is no sudo; install sudo or connect as root";
  if (exitCode !== 255) return undefined;
  if (stderr.includes("REMOTE HOST IDENTIFICATION HAS CHANGED")) {
    return "the host key is not the pinned one; if the host was made again, pin its new key in the stack file (connection.hostKey), else somebody may be in between";
  }
  if (/Host key verification failed|No .* host key is known/.test(stderr)) {
    return "the host key is not known; pin it in the stack file (connection.hostKey) or add it to known_hosts";
  }
  if (stderr.includes("Permission denied")) {
    return `no key of ours was accepted (${/Permission denied \([^)]*\)/.exec(stderr)?.[0] ?? "Permission denied"})`;
  }
  return lastLines(stderr, 1).replace(/^ssh: /, "") || "ssh ended without a word (exit status 255)";
}

/**
 * What to run on a host, as whoever logs in, so that a command gets its stdin as root.
 *
 * Runs in the user's login shell, whichever that is: single quotes and `exec` work in all of them.
 */
export function becomeRoot(command: string): string {
  const asRoot = `env ${environment} ${command}`;
  const steps = [
    `[ "$(id -u)" -ne 0 ] || exec ${asRoot}`,
    `command -v sudo >/dev/null || exit ${noSudo}`,
    `sudo -n true </dev/null || exit ${noRoot}`,
    `exec sudo -n ${asRoot}`,
  ];
  return `exec sh -c ${quote(steps.join("; "))}`;
}

// --- Internal ---

interface SshOutput {
  exitCode: number | null;
  /** It was given up. */
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: string;
}

/** By itself and not through zx, which starts a shell for each command (docs/decisions/0050-speed.md). */
function runSsh(args: string[], input: string, { timeout, onLine }: Pick<RunOptions, "timeout" | "onLine">): Promise<SshOutput> {
  return new Promise((resolve, reject) => {
    // Ctrl-C at the terminal goes to the whole group: the engine waits for the running call, and so must this.
    const child = spawn("ssh", args, { detached: true, stdio: ["pipe", "pipe", "pipe"] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (data: Buffer) => stdout.push(data));
    child.stderr.on("data", (data: Buffer) => stderr.push(data));
    if (onLine) createInterface({ input: child.stdout }).on("line", onLine);
    const timer = setTimeout(() => {
      // With what it started, e.g. an ssh to a jump host: that has our pipes, too.
      if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
    }, timeout * 1000);
    child.on("error", (cause) => reject(new UnreachableError("ssh can't be started on this machine; install the OpenSSH client", { cause })));
    // An ssh that gives up has not read all of it: its exit status says why, and a broken pipe would end the whole process.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const exited = new Promise<[number | null, NodeJS.Signals | null]>((done) => child.on("exit", (...how) => done(how)));
    const allRead = new Promise((done) => child.stdout.on("close", done));
    // A master that is born here stays behind with our stderr: its end is waited for only as long as ssh's own last words take.
    const lastWords = new Promise((done) => child.stderr.on("close", done));
    void Promise.all([exited, allRead]).then(async ([[exitCode, signal]]) => {
      clearTimeout(timer);
      if (exitCode !== 0) await Promise.race([lastWords, new Promise((done) => setTimeout(done, 200))]);
      child.stderr.destroy();
      resolve({ exitCode, signal, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() });
    });
  });
}

const environment = "LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const noSudo = 97;
const noRoot = 98;

function endpointArguments(endpoint: Endpoint & Pick<Connection, "connectTimeout">): string[] {
  const options = [
    "BatchMode=yes",
    `ConnectTimeout=${endpoint.connectTimeout ?? 15}`,
    // A dead link shows after a minute, also while a long step prints nothing.
    "ServerAliveInterval=15",
    "ServerAliveCountMax=4",
    "StrictHostKeyChecking=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    ...(endpoint.hostKey
      ? [`UserKnownHostsFile=${pinnedKeyFile(endpoint.hostKey)}`, "GlobalKnownHostsFile=none", `HostKeyAlias=${pinnedName}`]
      : []),
    ...(endpoint.identityFile ? ["IdentitiesOnly=yes"] : []),
  ];
  return [
    ...options.flatMap((option) => ["-o", option]),
    "-p",
    String(endpoint.port),
    ...(endpoint.user ? ["-l", endpoint.user] : []),
    ...(endpoint.identityFile ? ["-i", endpoint.identityFile.replace(/^~(?=\/)/, homedir())] : []),
  ];
}

/** ProxyJump cannot be given a key or a host key of its own on the command line, ProxyCommand can. */
function proxyCommand(proxy: Endpoint): string {
  const words = ["ssh", "-T", "-o", "ControlPath=none", ...endpointArguments(proxy)].map(quote);
  return [...words.map((word) => word.replaceAll("%", "%%")), "-W", "'[%h]:%p'", "--", quote(proxy.host).replaceAll("%", "%%")].join(" ");
}

const pinnedName = "drydock-pinned";

function pinnedKeyFile(hostKey: string): string {
  const file = join(privateFolder(), `${digest(hostKey)}.key`);
  if (!existsSync(file)) writeFileSync(file, `${pinnedName} ${hostKey}\n`, { mode: 0o600 });
  return file;
}

/** Named after all settings of the connection: a changed host key or user must not ride on an older connection. */
function controlPath(connection: Connection): string {
  return join(privateFolder(), digest(JSON.stringify(connection)));
}

const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);

/** A folder only we can enter, with a path short enough for a socket (108 characters, unix(7)). */
function privateFolder(): string {
  const folder = join(process.env.XDG_RUNTIME_DIR ?? tmpdir(), `drydock-${userInfo().uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid } = lstatSync(folder);
  if (!lstatSync(folder).isDirectory() || uid !== userInfo().uid) {
    throw new Error(`${folder} belongs to somebody else; remove it, or set XDG_RUNTIME_DIR to a folder of your own`);
  }
  chmodSync(folder, 0o700);
  return folder;
}

function lastLines(text: string, count: number): string {
  return text.trim().split(/\r?\n/).slice(-count).join("; ");
}
