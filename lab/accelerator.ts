/** KVM where it really runs a guest, else software emulation (TCG), several times slower. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { $ } from "zx";
import { acceleratorArguments } from "./qemu.ts";
import type { LabSettings } from "./settings.ts";

export type Accelerator = "kvm" | "tcg";

export interface AcceleratorChoice {
  accelerator: Accelerator;
  /** Why it is this one, for people. */
  reason: string;
}

// A guest of this size says hello within 2 s on any KVM that works, nested ones included.
const PROBE_SECONDS = 20;

/** Tries it once and remembers the answer, until QEMU or the kernel of this machine changes. */
export async function chooseAccelerator(settings: LabSettings, kernel: string, initrd: string): Promise<AcceleratorChoice> {
  if (settings.accelerator !== "auto") return { accelerator: settings.accelerator, reason: "DRYDOCK_LAB_ACCELERATOR says so" };
  const file = join(settings.folder, "accelerator.json");
  const ground = `${await qemuVersion()}, kernel ${release()}`;
  const known = readRemembered(file);
  if (known?.ground === ground) return known;
  const choice = await probe(kernel, initrd);
  mkdirSync(settings.folder, { recursive: true });
  writeFileSync(file, JSON.stringify({ ...choice, ground }));
  return choice;
}

export async function qemuVersion(): Promise<string> {
  const { stdout } = await $({ quiet: true })`qemu-system-x86_64 --version`;
  return stdout.split("\n")[0] ?? "";
}

// A /dev/kvm that opens proves nothing: inside another virtual machine it can exist and never run an instruction.
async function probe(kernel: string, initrd: string): Promise<AcceleratorChoice> {
  if (!existsSync("/dev/kvm")) return { accelerator: "tcg", reason: "there is no /dev/kvm" };
  const machine = ["-nodefaults", "-display", "none", "-no-reboot", "-m", "256M", "-serial", "stdio"];
  const { stdout, stderr } = await $({ quiet: true, nothrow: true })`
    timeout --signal KILL ${PROBE_SECONDS} qemu-system-x86_64 ${machine} ${acceleratorArguments("kvm")} -kernel ${kernel} -initrd ${initrd} -append ${"console=ttyS0 quiet panic=-1 probe"} < /dev/null`;
  if (stdout.includes("drydock-probe-ok")) return { accelerator: "kvm", reason: "a small guest ran with it" };
  const why = stderr.trim().split("\n")[0] || `a small guest said nothing within ${PROBE_SECONDS} s`;
  return { accelerator: "tcg", reason: `KVM does not work here: ${why}` };
}

function readRemembered(file: string): (AcceleratorChoice & { ground: string }) | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as AcceleratorChoice & { ground: string };
  } catch {
    // Not there yet, or cut off half-way: a new probe costs seconds.
    return undefined;
  }
}
