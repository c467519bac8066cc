/** The image that machines start from: built once for each version of its recipe, booted once, and frozen. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { $ } from "zx";
import { chooseAccelerator, qemuVersion, type AcceleratorChoice } from "./accelerator.ts";
import { withLock } from "./lock.ts";
import { freePort } from "./port.ts";
import { connectQmp, waitForStatus } from "./qmp.ts";
import { isQemuRunning, kernelArguments, killLeftQemu, killQemu, startQemu, tail, waitUntilGone, type QemuOptions } from "./qemu.ts";
import { LabError, releases, type LabSettings } from "./settings.ts";
import { HOST_KEY_ALIAS, runScript, waitForSsh, type SshTarget } from "./ssh.ts";

export interface MachineImage extends AcceleratorChoice {
  /** root.raw, vmlinuz, initrd.img, host-key.pub, known_hosts */
  folder: string;
  /** root.qcow2, data.qcow2, ram, state: a booted machine with Docker running. */
  frozen: string;
  identityFile: string;
  /** "ssh-ed25519 AAAA…" */
  hostKey: string;
  /** MiB, and number of CPUs: a frozen machine resumes only with those it was frozen with. */
  memory: number;
  cpus: number;
}

const RECIPE = join(import.meta.dirname, "image");

/** Returns the image; builds and freezes what is missing, once, however many processes ask at the same time. */
export async function ensureImage(settings: LabSettings, log: (line: string) => void = () => {}): Promise<MachineImage> {
  mkdirSync(settings.folder, { recursive: true });
  return await withLock(join(settings.folder, "lock"), "the lab's image", log, async () => {
    const identityFile = await ensureKey(settings);
    const folder = join(settings.folder, "images", `${settings.release}-${recipeHash(readFileSync(`${identityFile}.pub`))}`);
    const part = `${folder}.part`;
    if (!existsSync(folder)) {
      await timed(log, "lab: base disk built", () => buildBase(part, identityFile, settings));
      const choice = await chooseAccelerator(settings, join(part, "vmlinuz"), join(part, "initrd.img"));
      log(`lab: ${choice.accelerator}: ${choice.reason}`);
      await timed(log, "lab: first boot done", () => firstBoot(settings, part, identityFile, choice));
      renameSync(part, folder);
    }
    const choice = await chooseAccelerator(settings, join(folder, "vmlinuz"), join(folder, "initrd.img"));
    const frozen = join(folder, `frozen-${await frozenHash(settings, choice)}`);
    if (!existsSync(frozen)) {
      await timed(log, "lab: machine frozen", () => freezeWithRetry(settings, folder, frozen, identityFile, choice, log));
    }
    await removeUnused(settings, folder, frozen);
    const { memory, cpus } = settings;
    return { ...choice, folder, frozen, identityFile, hostKey: readHostKey(folder), memory, cpus };
  });
}

/** Changes with every file of the recipe, and with the key that opens the machines, since the disk holds it. */
export function recipeHash(publicKey: Uint8Array, folder = RECIPE): string {
  const hash = createHash("sha256").update(publicKey);
  for (const name of readdirSync(folder).sort()) hash.update(`${name}\0`).update(readFileSync(join(folder, name))).update("\0");
  return hash.digest("hex").slice(0, 12);
}

export function overlay(base: string, format: "raw" | "qcow2", path: string) {
  return $({ quiet: true })`qemu-img create -q -f qcow2 -F ${format} -b ${base} ${path}`;
}

/** What all machines have in common, booted or resumed. */
export function machineOptions(image: Pick<MachineImage, "folder" | "accelerator" | "memory" | "cpus">, folder: string, port: number) {
  return {
    folder,
    port,
    kernel: join(image.folder, "vmlinuz"),
    initrd: join(image.folder, "initrd.img"),
    rootDisk: { path: join(folder, "root.qcow2"), format: "qcow2" },
    dataDisk: { path: join(folder, "data.qcow2"), format: "qcow2" },
    memory: image.memory,
    cpus: image.cpus,
    accelerator: image.accelerator,
  } satisfies QemuOptions;
}

async function ensureKey(settings: LabSettings): Promise<string> {
  const file = join(settings.folder, "id_ed25519");
  if (!existsSync(file)) await $({ quiet: true })`ssh-keygen -q -t ed25519 -N "" -C drydock-lab -f ${file}`;
  return file;
}

async function buildBase(part: string, identityFile: string, { release }: LabSettings): Promise<void> {
  await killLeftQemu(join(part, "first-boot"));
  // As root: a build that was cut off leaves files of root.
  await $({ quiet: true })`${asRoot()} rm -rf ${part}`;
  mkdirSync(part, { recursive: true });
  const output = await $({ quiet: true, nothrow: true })`${asRoot()} bash ${join(RECIPE, "build.sh")} ${part} ${identityFile}.pub ${release}`;
  if (output.exitCode !== 0) {
    throw new LabError(`the lab's base disk could not be built: ${output.stderr.trim().split("\n").slice(-8).join("\n")}`);
  }
  writeFileSync(join(part, "known_hosts"), `${HOST_KEY_ALIAS} ${readHostKey(part)}\n`);
}

async function firstBoot(settings: LabSettings, part: string, identityFile: string, choice: AcceleratorChoice): Promise<void> {
  const work = emptyFolder(join(part, "first-boot"));
  writeFileSync(join(work, "data.raw"), "");
  truncateSync(join(work, "data.raw"), 1 << 30);
  const port = await freePort();
  const pid = startQemu({
    ...machineOptions({ ...settings, ...choice, folder: part }, work, port),
    rootDisk: { path: join(part, "root.raw"), format: "raw" },
    dataDisk: { path: join(work, "data.raw"), format: "raw" },
  });
  await guarded(pid, work, async () => {
    await runRecipe(settings, part, identityFile, port, pid, work, "first-boot.sh");
    const target = sshTarget("first-boot", part, identityFile, port);
    await runScript(target, "systemctl poweroff --no-block", { timeout: 60, newConnection: true });
    await waitUntilGone(pid, work, settings.bootTimeout);
  });
  rmSync(work, { recursive: true });
}

async function freezeWithRetry(settings: LabSettings, folder: string, frozen: string, identityFile: string, choice: AcceleratorChoice, log: (line: string) => void) {
  // before-freeze.sh says why a machine may hang here, once in a while.
  for (let attempt = 1; ; attempt++) {
    try {
      return await freeze(settings, folder, frozen, identityFile, choice);
    } catch (error) {
      if (attempt === 3) throw error;
      log(`lab: freezing failed, once more: ${String(error)}`);
    }
  }
}

async function freeze(settings: LabSettings, folder: string, frozen: string, identityFile: string, choice: AcceleratorChoice): Promise<void> {
  await killLeftQemu(`${frozen}.part`);
  const part = emptyFolder(`${frozen}.part`);
  await overlay("../root.raw", "raw", join(part, "root.qcow2"));
  await $({ quiet: true })`qemu-img create -q -f qcow2 ${join(part, "data.qcow2")} ${settings.dataDisk}`;
  const port = await freePort();
  const pid = startQemu({
    ...machineOptions({ ...settings, ...choice, folder }, part, port),
    memoryFile: { path: join(part, "ram"), shared: true },
  });
  await guarded(pid, part, async () => {
    await runRecipe(settings, folder, identityFile, port, pid, part, "before-freeze.sh");
    const qmp = await connectQmp(pid);
    // The memory stays in its file, shared by all that resume from it; only the devices' state is written out.
    await qmp.execute("migrate-set-capabilities", { capabilities: [{ capability: "x-ignore-shared", state: true }] });
    await qmp.execute("migrate", { uri: "exec:cat >state" });
    await waitForStatus(qmp, "query-migrate", "completed", 120);
    await qmp.execute("quit");
    qmp.close();
    await waitUntilGone(pid, part, 60);
  });
  renameSync(part, frozen);
}

async function runRecipe(settings: LabSettings, image: string, identityFile: string, port: number, pid: number, work: string, script: string) {
  const target = sshTarget(script, image, identityFile, port);
  await waitForSsh(target, settings.bootTimeout, () => isQemuRunning(pid, work));
  const result = await runScript(target, readFileSync(join(RECIPE, script), "utf8"), { timeout: settings.bootTimeout, newConnection: true });
  if (result.exitCode !== 0) throw new LabError(`lab/image/${script} failed: ${result.stderr.trim()}`);
}

// Whatever fails, no machine is left running that nobody knows; and the message has what the machine said last.
async function guarded(pid: number, work: string, body: () => Promise<void>): Promise<void> {
  const interrupted = () => {
    process.kill(pid, "SIGKILL");
    process.exit(130);
  };
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    await body();
  } catch (cause) {
    const said = `QEMU: ${tail(join(work, "qemu.log"))}\nconsole: ${tail(join(work, "console.log"))}`;
    await killQemu(pid, work);
    throw new LabError(`a machine for the lab's image failed: ${cause instanceof Error ? cause.message : String(cause)}\n${said}`, { cause });
  } finally {
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
  }
}

export function sshTarget(name: string, imageFolder: string, identityFile: string, port: number): SshTarget {
  return { name, port, identityFile, knownHostsFile: join(imageFolder, "known_hosts") };
}

function readHostKey(folder: string): string {
  return readFileSync(join(folder, "host-key.pub"), "utf8").split(" ").slice(0, 2).join(" ").trim();
}

async function frozenHash(settings: LabSettings, choice: AcceleratorChoice): Promise<string> {
  const cpu = choice.accelerator === "kvm" ? (/^model name.*$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[0] ?? "") : "";
  const ground = [await qemuVersion(), choice.accelerator, kernelArguments(choice.accelerator), cpu, settings.memory, settings.cpus, settings.dataDisk];
  return createHash("sha256").update(JSON.stringify(ground)).digest("hex").slice(0, 8);
}

// Old images of the release go, except those that a machine was started from: its disk is only what differs.
async function removeUnused(settings: LabSettings, folder: string, frozen: string): Promise<void> {
  const runs = join(settings.folder, "run");
  const records = existsSync(runs) ? readdirSync(runs).map((name) => join(runs, name, "machine.json")) : [];
  const used = records.filter((file) => existsSync(file)).map((file) => readFileSync(file, "utf8")).join("\n");
  const images = join(settings.folder, "images");
  const all = [
    ...readdirSync(images).filter((name) => !releases.some((release) => release !== settings.release && name.startsWith(`${release}-`))).map((name) => join(images, name)),
    ...readdirSync(folder).filter((name) => name.startsWith("frozen-")).map((name) => join(folder, name)),
  ];
  const unused = all.filter((path) => path !== folder && path !== frozen && !used.includes(path));
  if (unused.length > 0) await $({ quiet: true })`${asRoot()} rm -rf ${unused}`;
}

function asRoot(): string[] {
  return process.getuid?.() === 0 ? [] : ["sudo"];
}

function emptyFolder(path: string): string {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  return path;
}

async function timed(log: (line: string) => void, what: string, body: () => Promise<unknown>): Promise<void> {
  const start = Date.now();
  await body();
  log(`${what} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
}
