/**
 * Lab machines: real Debian 12 hosts with systemd, sshd, Docker, auditd and AppArmor, each in a QEMU of its own.
 *
 * A machine lives on after the process that started it; another one finds it by its name. Its disk is thrown away when it
 * stops. All machines of an image share host key and machine-id: they are copies of one frozen machine.
 */

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { $ } from "zx";
import { ensureImage, machineOptions, overlay, sshTarget, type MachineImage } from "./machine-image.ts";
import { freePort } from "./port.ts";
import { connectQmp, waitForStatus } from "./qmp.ts";
import { isQemuRunning, killQemu, startQemu, tail } from "./qemu.ts";
import { LabError, readSettings, type LabSettings } from "./settings.ts";
import { closeConnections, runScript, waitForSsh, type LabUser, type SshOptions, type SshResult, type SshTarget } from "./ssh.ts";

export interface StartOptions {
  /** a-z, 0-9 and -; also the machine's host name. */
  name: string;
  /** Boot it instead of resuming the frozen one. @default false */
  fresh?: boolean;
  /** Throw away a machine of that name that runs already, instead of refusing. @default false */
  replace?: boolean;
  /** Told what takes long. */
  log?: (line: string) => void;
}

/** What a stack file's `connection` says. */
export interface LabConnection {
  host: string;
  port: number;
  user: LabUser;
  hostKey: string;
  identityFile: string;
}

/** Starts a machine with a clean disk; returns when it lets us in. Docker answers 2 to 3 s later under emulation. */
export async function startMachine(options: StartOptions): Promise<Machine> {
  const settings = readSettings();
  assertName(options.name);
  const running = await findMachine(options.name);
  if (running && !options.replace) throw new LabError(`the lab machine "${options.name}" runs already: \`npm run lab -- down ${options.name}\` or reset it`);
  await running?.stop();
  const image = await ensureImage(settings, options.log);
  const machine = new Machine(settings, {
    name: options.name,
    fresh: options.fresh ?? false,
    port: await freePort(readRecords(settings).map((record) => record.port)),
    pid: 0,
    ...image,
  });
  await machine.reset();
  return machine;
}

/** A running machine, whoever started it. */
export function findMachine(name: string): Promise<Machine | undefined> {
  return listMachines().then((machines) => machines.find((machine) => machine.name === name));
}

/** All running machines, by name. */
export function listMachines(): Promise<Machine[]> {
  const settings = readSettings();
  const machines = readRecords(settings).map((record) => new Machine(settings, record));
  return Promise.resolve(machines.filter((machine) => machine.isRunning()));
}

export class Machine {
  readonly name: string;
  readonly #settings: LabSettings;
  readonly #folder: string;
  #record: MachineRecord;

  constructor(settings: LabSettings, record: MachineRecord) {
    this.name = record.name;
    this.#settings = settings;
    this.#record = record;
    this.#folder = join(settings.folder, "run", record.name);
  }

  get port(): number {
    return this.#record.port;
  }

  isRunning(): boolean {
    return isQemuRunning(this.#record.pid, this.#folder);
  }

  connection(user: LabUser = "ops"): LabConnection {
    const home = `${homedir()}/`;
    const { identityFile, hostKey, port } = this.#record;
    const shown = identityFile.startsWith(home) ? `~/${identityFile.slice(home.length)}` : identityFile;
    return { host: "127.0.0.1", port, user, hostKey, identityFile: shown };
  }

  /** Runs a script with sh and returns how it ended, whatever the code; 255 may also be ssh's own. Throws on a timeout. */
  ssh(script: string, options: SshOptions = {}): Promise<SshResult> {
    return runScript(this.sshTarget(), script, { timeout: this.#settings.commandTimeout, ...options });
  }

  /** Runs a script that must work, and returns what it printed, without the last newline. */
  async run(script: string, options: SshOptions = {}): Promise<string> {
    const { stdout, stderr, exitCode } = await this.ssh(script, options);
    if (exitCode !== 0) throw new LabError(`${this.name}: exit code ${exitCode} of: ${script}\n${stderr.trim() || stdout.trim()}`);
    return stdout.replace(/\n$/, "");
  }

  /** Waits until the Docker daemon answers. Each question costs an emulated machine most of a second, which its start lacks. */
  async waitForDocker(): Promise<void> {
    await this.run("until docker info >/dev/null 2>&1; do sleep 2; done", { timeout: this.#settings.bootTimeout });
  }

  /** Ends the machine and throws its disks away. */
  async stop(): Promise<void> {
    await this.powerCut();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Throws the disks away and starts it again, on the same port. */
  async reset(): Promise<void> {
    await this.stop();
    mkdirSync(this.#folder, { recursive: true });
    const { folder, frozen, fresh } = this.#record;
    if (fresh) {
      await overlay(join(folder, "root.raw"), "raw", join(this.#folder, "root.qcow2"));
      await $({ quiet: true })`qemu-img create -q -f qcow2 ${join(this.#folder, "data.qcow2")} ${this.#settings.dataDisk}`;
      await this.boot();
    } else {
      await overlay(join(frozen, "root.qcow2"), "qcow2", join(this.#folder, "root.qcow2"));
      await overlay(join(frozen, "data.qcow2"), "qcow2", join(this.#folder, "data.qcow2"));
      await this.#start(true);
    }
  }

  /** Ends it as a power cut does: what the guest has not flushed to its disks is lost. */
  async powerCut(): Promise<void> {
    await closeConnections(this.sshTarget());
    await killQemu(this.#record.pid, this.#folder);
  }

  /** Boots it from the disks it has, after a power cut. */
  async boot(): Promise<void> {
    if (this.isRunning()) throw new LabError(`the lab machine "${this.name}" runs: cut its power first`);
    await this.#start(false);
  }

  /** Reboots the machine in an orderly way, and returns when it lets us in again. */
  async reboot(): Promise<void> {
    const bootId = "cat /proc/sys/kernel/random/boot_id";
    const before = await this.run(bootId);
    await this.run("systemctl reboot --no-block", { newConnection: true });
    await closeConnections(this.sshTarget());
    const end = Date.now() + this.#settings.bootTimeout * 1000;
    for (;;) {
      await waitForSsh(this.sshTarget(), this.#settings.bootTimeout, () => this.isRunning());
      // The old system may let us in once more on its way down.
      const { stdout } = await this.ssh(bootId, { newConnection: true });
      if (stdout.length > 1 && stdout.trim() !== before) break;
      if (Date.now() > end) throw new LabError(`${this.name}: did not reboot within ${this.#settings.bootTimeout} s`);
    }
    await this.#settle();
  }

  sshTarget(): SshTarget {
    const { folder, identityFile, port } = this.#record;
    return sshTarget(this.name, folder, identityFile, port);
  }

  async #start(resume: boolean): Promise<void> {
    const { port, frozen } = this.#record;
    const pid = startQemu({
      ...machineOptions(this.#record, this.#folder, port),
      ...(resume && { memoryFile: { path: join(frozen, "ram"), shared: false }, incoming: true }),
    });
    this.#record = { ...this.#record, pid };
    writeFileSync(join(this.#folder, "machine.json"), JSON.stringify(this.#record));
    try {
      if (resume) await thaw(pid, join(frozen, "state"));
      await waitForSsh(this.sshTarget(), this.#settings.bootTimeout, () => this.isRunning());
      await this.#settle();
    } catch (cause) {
      const said = `QEMU: ${tail(join(this.#folder, "qemu.log"))}\nconsole: ${tail(join(this.#folder, "console.log"))}`;
      await this.powerCut();
      throw new LabError(`the lab machine "${this.name}" did not start: ${cause instanceof Error ? cause.message : String(cause)}\n${said}`, { cause });
    }
  }

  // A resumed machine wakes in the past, with the name and the random pool of all its siblings.
  async #settle(): Promise<void> {
    await this.run(`date -s @${Math.ceil(Date.now() / 1000)} >/dev/null
      echo ${randomBytes(64).toString("hex")} >/dev/urandom
      hostname ${this.name}; echo ${this.name} >/etc/hostname
      sed -i 's/^127\\.0\\.1\\.1 .*/127.0.1.1 ${this.name}/' /etc/hosts
      sync /etc/hostname /etc/hosts`);
  }
}

export interface MachineRecord extends MachineImage {
  name: string;
  fresh: boolean;
  port: number;
  pid: number;
}

export function assertName(name: string): void {
  if (!/^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name)) {
    throw new LabError(`"${name}" is no name for a lab machine: allowed are up to 32 of a-z, 0-9 and -, the first a letter`);
  }
}

async function thaw(pid: number, state: string): Promise<void> {
  const qmp = await connectQmp(pid);
  try {
    await qmp.execute("migrate-set-capabilities", { capabilities: [{ capability: "x-ignore-shared", state: true }] });
    await qmp.execute("migrate-incoming", { uri: `exec:cat '${state.replaceAll("'", `'\\''`)}'` });
    await waitForStatus(qmp, "query-status", "running", 60);
  } finally {
    qmp.close();
  }
}

function readRecords(settings: LabSettings): MachineRecord[] {
  const runs = join(settings.folder, "run");
  if (!existsSync(runs)) return [];
  const files = readdirSync(runs).sort().map((name) => join(runs, name, "machine.json"));
  return files.filter((file) => existsSync(file)).map((file) => JSON.parse(readFileSync(file, "utf8")) as MachineRecord);
}
