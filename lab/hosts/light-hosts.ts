/**
 * Light hosts: many real sshd hosts on one machine, each in namespaces of its own with its own root tree, for tests and
 * figures over many hosts. Host tools that cannot run there (systemd, dockerd, auditd, iptables, …) are stand-ins that note
 * their calls and keep the state that Drydock looks at: lab/hosts/root.
 *
 * Hosts hang on a bridge in a namespace that has no way out; clients run in there too (`command`). A set lives on after the
 * process that started it; another one finds it by its name.
 */

import { cpSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, appendFileSync, chmodSync, closeSync } from "node:fs";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { $ } from "zx";
import { assertName } from "../machine.ts";
import { LabError } from "../settings.ts";
import { ensureBase, HOSTS_RECIPE, hostsFolder } from "./base.ts";
import { address, controlAddress, countLog, type Counts } from "./records.ts";
import { whyNoLightHosts } from "./namespaces.ts";

export interface StartHostsOptions {
  count: number;
  /** Of the set: a-z, 0-9 and -. @default "hosts" */
  name?: string;
  /** Throw away a set of that name that is there already, instead of refusing. @default false */
  replace?: boolean;
  log?: (line: string) => void;
}

/** What a stack file's `connection` says. */
export interface LightConnection {
  host: string;
  port: number;
  user: "root";
  hostKey: string;
  identityFile: string;
}

export interface LightHost {
  name: string;
  connection: LightConnection;
}

const COUNT_LIMIT = 1000;

/** Starts a set; returns when all of its hosts let us in. */
export async function startHosts({ count, name = "hosts", replace = false, log }: StartHostsOptions): Promise<LightHosts> {
  assertName(name);
  if (!Number.isInteger(count) || count < 1 || count > COUNT_LIMIT) throw new LabError(`${count} is no number of light hosts: allowed are 1 to ${COUNT_LIMIT}`);
  const why = await whyNoLightHosts();
  if (why) throw new LabError(why);
  const hosts = new LightHosts(name);
  if (hosts.isThere() && !replace) throw new LabError(`the light hosts "${name}" are up already: npm run lab -- hosts down`);
  await hosts.stop();
  try {
    await hosts.start(await ensureBase(log), count);
  } catch (error) {
    await hosts.stop();
    throw error;
  }
  return hosts;
}

/** The sets that are there, whoever started them. */
export function listHosts(): LightHosts[] {
  const runs = join(hostsFolder(), "run");
  if (!existsSync(runs)) return [];
  return readdirSync(runs).sort().map((name) => new LightHosts(name));
}

export class LightHosts {
  readonly name: string;
  readonly #folder: string;
  readonly #control: string;

  constructor(name: string) {
    this.name = name;
    this.#folder = join(hostsFolder(), "run", name);
    this.#control = `drydock-${name}`;
  }

  /** Something of it is left, running or not. */
  isThere(): boolean {
    return existsSync(this.#folder);
  }

  /** In the order of their numbers; the first is `light1`. */
  get hosts(): LightHost[] {
    const numbers = readdirSync(this.#folder).flatMap((file) => /^(\d+)\.key\.pub$/.exec(file)?.[1] ?? []).map(Number).sort((a, b) => a - b);
    return numbers.map((number) => {
      const hostKey = readFileSync(join(this.#folder, `${number}.key.pub`), "utf8").split(" ").slice(0, 2).join(" ").trim();
      return { name: `light${number}`, connection: { host: address(number), port: 22, user: "root", hostKey, identityFile: join(this.#folder, "id_ed25519") } };
    });
  }

  /** What a client's command line begins with, to reach the hosts. */
  get command(): string[] {
    return ["ip", "netns", "exec", this.#control];
  }

  /** What a client's environment needs: its shared connections end with the set. */
  get environment(): { XDG_RUNTIME_DIR: string } {
    return { XDG_RUNTIME_DIR: join(this.#folder, "sockets") };
  }

  /** Where the root of a host is seen from outside. */
  root(host: string): string {
    const number = host.replace(/^light/, "");
    const pid = this.#processes().get(number);
    const child = pid === undefined ? "" : readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    if (child === "") throw new LabError(`${host}: it does not run`);
    return `/proc/${child}/root`;
  }

  read(host: string, path: string): string {
    return readFileSync(join(this.root(host), path), "utf8");
  }

  /** What the stand-ins were called with since the host was started, e.g. `systemctl daemon-reload`. */
  calls(host: string): string[] {
    return this.read(host, "/run/stand-ins/calls").split("\n").filter(Boolean);
  }

  /** Somebody adds a line to a file of each of these hosts. */
  drift(names: string[] = this.hosts.map(({ name }) => name), path = "/etc/audit/rules.d/50-drydock.rules"): void {
    for (const name of names) appendFileSync(join(this.root(name), path), "# drift\n");
  }

  /** What the hosts have seen since they were started. */
  counts(): Counts {
    const logs = readdirSync(this.#folder).filter((file) => file.endsWith(".log")).map((file) => countLog(readFileSync(join(this.#folder, file), "utf8")));
    return { connections: logs.reduce((sum, { connections }) => sum + connections, 0), sessions: logs.reduce((sum, { sessions }) => sum + sessions, 0) };
  }

  /** Ends the shared connections of clients: the next command begins without one. */
  async closeConnections(): Promise<void> {
    await this.#endClients();
    rmSync(this.environment.XDG_RUNTIME_DIR, { recursive: true, force: true });
    mkdirSync(this.environment.XDG_RUNTIME_DIR, { mode: 0o700 });
  }

  /** Every host as it was at first, with the same address and key. */
  async reset(): Promise<void> {
    const { length } = this.hosts;
    await this.#endHosts();
    await this.closeConnections();
    await this.#startAll(await ensureBase(), length);
  }

  /** Ends one host, as a power cut does. */
  async end(host: string): Promise<void> {
    await this.#endHosts([host.replace(/^light/, "")]);
  }

  /** Ends the hosts and takes away all that was made for them; also what a killed process has left. */
  async stop(): Promise<void> {
    await this.#endClients();
    await this.#endHosts();
    if (existsSync(join("/run/netns", this.#control))) await $({ quiet: true })`ip netns del ${this.#control}`;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** @internal called by {@link startHosts} */
  async start(base: string, count: number): Promise<void> {
    mkdirSync(this.environment.XDG_RUNTIME_DIR, { recursive: true, mode: 0o700 });
    await $({ quiet: true })`ssh-keygen -q -t ed25519 -N "" -C drydock-light -f ${join(this.#folder, "id_ed25519")}`;
    this.#makeLayer();
    const control = this.#control;
    await $({ quiet: true })`ip netns add ${control} && ip -n ${control} link set lo up && ip -n ${control} link add bridge type bridge && ip -n ${control} address add ${`${controlAddress}/16`} dev bridge && ip -n ${control} link set bridge up`;
    await this.#startAll(base, count);
  }

  // What all hosts of the set have over the base: the stand-ins, and the key that opens them.
  #makeLayer(): void {
    const layer = join(this.#folder, "layer");
    cpSync(join(HOSTS_RECIPE, "root"), layer, { recursive: true });
    mkdirSync(join(layer, "root", ".ssh"), { recursive: true, mode: 0o700 });
    chmodSync(join(layer, "root"), 0o700);
    cpSync(join(this.#folder, "id_ed25519.pub"), join(layer, "root", ".ssh", "authorized_keys"));
    for (const folder of ["etc/docker", "var/lib/docker"]) mkdirSync(join(layer, folder), { recursive: true });
  }

  async #startAll(base: string, count: number): Promise<void> {
    const waiting = Array.from({ length: count }, (_, i) => i + 1);
    const worker = async () => {
      for (let number = waiting.shift(); number !== undefined; number = waiting.shift()) await this.#startOne(base, number);
    };
    await Promise.all(Array.from({ length: 8 }, worker));
  }

  async #startOne(base: string, number: number): Promise<void> {
    const folder = this.#folder;
    mkdirSync(join(folder, String(number)), { recursive: true });
    const key = join(folder, `${number}.key`);
    if (!existsSync(key)) await $({ quiet: true })`ssh-keygen -q -t ed25519 -N "" -C ${`light${number}`} -f ${key}`;
    const logFile = join(folder, `${number}.log`);
    writeFileSync(logFile, "");
    const log = openSync(logFile, "a");
    const namespaces = ["--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--propagation", "private"];
    const child = spawn("unshare", [...namespaces, "bash", join(HOSTS_RECIPE, "host.sh"), base, join(folder, "layer"), folder, this.#control, String(number), address(number)], { detached: true, stdio: ["ignore", log, log] });
    child.unref();
    closeSync(log);
    const state = { ended: false };
    child.once("exit", () => (state.ended = true)).once("error", () => (state.ended = true));
    const end = Date.now() + 60_000;
    while (!readFileSync(logFile, "utf8").includes("Server listening on 0.0.0.0")) {
      if (state.ended || Date.now() > end) throw new LabError(`light${number} did not start: ${readFileSync(logFile, "utf8").trim().split("\n").at(-1) ?? ""}`);
      await sleep(30);
    }
  }

  /** By number of the host: the process that holds its namespaces, which ends with it. */
  #processes(): Map<string, number> {
    const mine = join(HOSTS_RECIPE, "host.sh");
    const found = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid): [string, number][] => {
      const words = readWords(Number(pid));
      const at = words.indexOf(mine);
      return words[0] === "unshare" && at > 0 && words[at + 3] === this.#folder ? [[words[at + 5] ?? "", Number(pid)]] : [];
    });
    return new Map(found);
  }

  async #endHosts(numbers?: string[]): Promise<void> {
    const pids = [...this.#processes()].filter(([number]) => !numbers || numbers.includes(number)).map(([, pid]) => pid);
    // Its child, process 1 of the namespaces, goes with it (--kill-child), and everything in there with that one.
    for (const pid of pids) kill(pid);
    await waitUntilGone(pids);
  }

  /** Whatever still runs in the namespace that clients run in: shared connections of ssh. */
  async #endClients(): Promise<void> {
    if (!existsSync(join("/run/netns", this.#control))) return;
    const { stdout } = await $({ quiet: true })`ip netns pids ${this.#control}`;
    const pids = stdout.split("\n").filter(Boolean).map(Number).filter((pid) => pid !== process.pid);
    for (const pid of pids) kill(pid);
    await waitUntilGone(pids);
  }
}

function readWords(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Ended by itself meanwhile.
  }
}

async function waitUntilGone(pids: number[]): Promise<void> {
  const end = Date.now() + 30_000;
  // A zombie has no words.
  while (pids.some((pid) => readWords(pid).length > 1)) {
    if (Date.now() > end) throw new LabError(`processes ${pids.join(", ")} of the light hosts did not end`);
    await sleep(20);
  }
}
