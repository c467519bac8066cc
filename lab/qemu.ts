/** QEMU: the one set of devices all our machines have, started so that it outlives this process. */

import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Accelerator } from "./accelerator.ts";
import { LabError } from "./settings.ts";

export interface QemuOptions {
  /** Working folder: console.log, qemu.log and the socket qmp.sock are in it. */
  folder: string;
  kernel: string;
  initrd: string;
  rootDisk: Disk;
  dataDisk: Disk;
  /** Port on 127.0.0.1 that leads to sshd. */
  port: number;
  memory: number;
  cpus: number;
  accelerator: Accelerator;
  /** A file for the guest's memory: written when freezing, read (and left alone) when resuming. */
  memoryFile?: { path: string; shared: boolean };
  /** Wait for the state of a frozen machine instead of booting. */
  incoming?: boolean;
}

export interface Disk {
  path: string;
  format: "raw" | "qcow2";
}

// mitigations=off and tsc=reliable only save time; apparmor and audit are what is under test.
const KERNEL_ARGUMENTS =
  "root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 apparmor=1 security=apparmor audit=1 mitigations=off tsc=reliable";

/**
 * QEMU 7.2 keeps what it has translated by its address in the process: with programs at random ones it translates each anew for each
 * process. 300 × /bin/true took 11.4 s, and take 4.3 s with norandmaps; a restart of dockerd 14.8 and 7.3 s.
 */
export const kernelArguments = (accelerator: Accelerator) => (accelerator === "tcg" ? `${KERNEL_ARGUMENTS} norandmaps` : KERNEL_ARGUMENTS);

/** The arguments of QEMU. A frozen machine resumes only with the devices it was frozen with, so there is one list. */
export function qemuArguments(options: QemuOptions): string[] {
  const size = `size=${options.memory}M`;
  const memory = options.memoryFile
    ? `memory-backend-file,id=ram,${size},mem-path=${options.memoryFile.path},share=${options.memoryFile.shared ? "on" : "off"}`
    : `memory-backend-ram,id=ram,${size}`;
  return [
    "-nodefaults", "-display", "none",
    "-machine", "pc,memory-backend=ram", "-m", `${options.memory}M`, "-object", memory,
    "-smp", String(options.cpus), ...acceleratorArguments(options.accelerator),
    "-kernel", options.kernel, "-initrd", options.initrd, "-append", kernelArguments(options.accelerator),
    ...diskArguments("root", options.rootDisk), ...diskArguments("data", options.dataDisk),
    "-netdev", `user,id=net,hostfwd=tcp:127.0.0.1:${options.port}-:22`,
    "-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci",
    // Relative paths: a socket's path may have 107 characters, and a cache folder can be longer.
    "-serial", "file:console.log", "-qmp", "unix:qmp.sock,server=on,wait=off",
    ...(options.incoming ? ["-incoming", "defer"] : []),
  ];
}

export function acceleratorArguments(accelerator: Accelerator): string[] {
  return accelerator === "kvm" ? ["-accel", "kvm", "-cpu", "host"] : ["-accel", "tcg,thread=multi", "-cpu", "max"];
}

// cache=unsafe: no fsync on the disk of the real host. What the guest flushed still survives a killed QEMU, since a
// flush goes as far as the page cache.
function diskArguments(id: string, disk: Disk): string[] {
  return [
    "-drive", `if=none,id=${id},format=${disk.format},file=${disk.path},cache=unsafe,discard=unmap`,
    "-device", `virtio-blk-pci,drive=${id},serial=${id}`,
  ];
}

/** Starts QEMU in the background and returns its process id. */
export function startQemu(options: QemuOptions): number {
  const log = openSync(join(options.folder, "qemu.log"), "a");
  try {
    const child = spawn("qemu-system-x86_64", qemuArguments(options), {
      cwd: options.folder,
      detached: true,
      stdio: ["ignore", log, log],
    });
    // Without a listener a missing program would end this process with a bare ENOENT.
    child.on("error", () => {});
    if (child.pid === undefined) {
      throw new LabError("qemu-system-x86_64 cannot be started; `npm run setup` installs it");
    }
    child.unref();
    writeFileSync(join(options.folder, "pid"), String(child.pid));
    return child.pid;
  } finally {
    closeSync(log);
  }
}

/** Whether that process is the QEMU that was started in this folder: process ids are used again. */
export function isQemuRunning(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(folder) && readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("qemu-system");
  } catch {
    // No such process, or one of another user: not ours.
    return false;
  }
}

/** Ends it at once, as a power cut would, and returns when it is gone. */
export async function killQemu(pid: number, folder: string): Promise<void> {
  if (!isQemuRunning(pid, folder)) return;
  process.kill(pid, "SIGKILL");
  await waitUntilGone(pid, folder, 30);
}

/** Ends the QEMU of a folder whose owner was killed before it could. */
export async function killLeftQemu(folder: string): Promise<void> {
  const file = join(folder, "pid");
  if (existsSync(file)) await killQemu(Number(readFileSync(file, "utf8")), folder);
}

export async function waitUntilGone(pid: number, folder: string, seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (isQemuRunning(pid, folder) || holdsFiles(pid)) {
    if (Date.now() > end) throw new LabError(`QEMU (process ${pid}) did not end within ${seconds} s`);
    await sleep(50);
  }
}

// A process on its way out has no working folder any more, but may still hold the locks of its disks: until it is gone,
// or a zombie without other threads that nobody has asked for.
function holdsFiles(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    if (!stat.includes("(qemu-system")) return false;
    return !/\) [ZX] /.test(stat) || readdirSync(`/proc/${pid}/task`).length > 1;
  } catch {
    return false;
  }
}

/** The end of a log, for messages. */
export function tail(path: string, lines = 5): string {
  try {
    return readFileSync(path, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return `(no ${path})`;
  }
}
