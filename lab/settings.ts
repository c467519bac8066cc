/** Settings of the lab, each from an environment variable; the defaults suit a machine without KVM and with two CPUs. */

import { homedir } from "node:os";
import { join } from "node:path";

/** Debian releases that a machine can have, each with another engine and another kernel. */
export const releases = ["bookworm", "trixie"] as const;

export interface LabSettings {
  /** Of Debian: `bookworm` has Docker 20.10 and Linux 6.1, `trixie` 26.1 and 6.12. @default "bookworm", DRYDOCK_LAB_RELEASE */
  release: (typeof releases)[number];
  /** Memory of a machine in MiB. @default 2048, DRYDOCK_LAB_MEMORY */
  memory: number;
  /** CPUs of a machine. Emulated ones wait for each other: with two machines on two CPUs, one each is a quarter faster. @default 1, DRYDOCK_LAB_CPUS */
  cpus: number;
  /** Size of the blank second disk. @default "3G", DRYDOCK_LAB_DATA_DISK */
  dataDisk: string;
  /** Seconds until a machine lets us in, cold boot or resumed. @default 300, DRYDOCK_LAB_BOOT_TIMEOUT */
  bootTimeout: number;
  /** Seconds that one script may take in a machine. @default 300, DRYDOCK_LAB_COMMAND_TIMEOUT */
  commandTimeout: number;
  /** `auto` tries KVM and falls back on software emulation. @default "auto", DRYDOCK_LAB_ACCELERATOR */
  accelerator: "auto" | "kvm" | "tcg";
  /** Where images, keys and running machines are kept. @default the user's cache folder, XDG_CACHE_HOME moves it */
  folder: string;
}

export class LabError extends Error {
  override name = "LabError";
}

export function readSettings(env: NodeJS.ProcessEnv = process.env): LabSettings {
  const accelerator = env["DRYDOCK_LAB_ACCELERATOR"] ?? "auto";
  if (accelerator !== "auto" && accelerator !== "kvm" && accelerator !== "tcg") {
    throw new LabError(`DRYDOCK_LAB_ACCELERATOR is "${accelerator}": allowed are auto, kvm and tcg`);
  }
  const wished = env["DRYDOCK_LAB_RELEASE"] || releases[0];
  const release = releases.find((name) => name === wished);
  if (release === undefined) throw new LabError(`DRYDOCK_LAB_RELEASE is "${wished}": allowed are ${releases.join(", ")}`);
  const dataDisk = env["DRYDOCK_LAB_DATA_DISK"] ?? "3G";
  if (!/^\d+[MG]$/.test(dataDisk)) {
    throw new LabError(`DRYDOCK_LAB_DATA_DISK is "${dataDisk}": allowed is a size such as 500M or 3G`);
  }
  return {
    release,
    memory: wholeNumber(env, "DRYDOCK_LAB_MEMORY", 2048),
    cpus: wholeNumber(env, "DRYDOCK_LAB_CPUS", 1),
    dataDisk,
    bootTimeout: wholeNumber(env, "DRYDOCK_LAB_BOOT_TIMEOUT", 300),
    commandTimeout: wholeNumber(env, "DRYDOCK_LAB_COMMAND_TIMEOUT", 300),
    accelerator,
    // An empty XDG variable counts as unset, says its specification.
    folder: join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "drydock", "lab"),
  };
}

function wholeNumber(env: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const text = env[name];
  if (text === undefined || text === "") return fallback;
  if (!/^[1-9]\d*$/.test(text)) throw new LabError(`${name} is "${text}": allowed is a whole number above 0`);
  return Number(text);
}
