/** The tree that all light hosts share: a Debian with sshd and nothing else, unpacked once for each version of its recipe. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { $ } from "zx";
import { withLock } from "../lock.ts";
import { LabError, readSettings } from "../settings.ts";

export const HOSTS_RECIPE = join(import.meta.dirname);
const SUITE = "bookworm";

/** Where light hosts keep what they share. */
export const hostsFolder = () => join(readSettings().folder, "hosts");

/** Returns the tree's folder; makes it when it is missing, once, however many processes ask at the same time. */
export async function ensureBase(log: (line: string) => void = () => {}): Promise<string> {
  mkdirSync(hostsFolder(), { recursive: true });
  return await withLock(join(hostsFolder(), "lock"), "the tree of the light hosts", log, async () => {
    const recipe = join(HOSTS_RECIPE, "base.sh");
    const hash = createHash("sha256").update(SUITE).update(readFileSync(recipe)).digest("hex").slice(0, 12);
    const base = join(hostsFolder(), `base-${hash}`);
    if (existsSync(base)) return base;
    const start = Date.now();
    // Renamed when it is whole: a tree that was cut off half-way is none.
    const script = `set -e; rm -rf "$2".part*; bash "$1" "$2.part" "$3"; mv "$2.part" "$2"`;
    const output = await $({ quiet: true, nothrow: true })`${asRoot()} sh -c ${script} sh ${recipe} ${base} ${SUITE}`;
    if (output.exitCode !== 0) throw new LabError(`the tree of the light hosts could not be made: ${output.stderr.trim().split("\n").slice(-8).join("\n")}`);
    log(`lab: tree of the light hosts made (${((Date.now() - start) / 1000).toFixed(1)} s)`);
    return base;
  });
}

/** What is put before a command that only root may run. */
export const asRoot = (): string[] => (process.getuid?.() === 0 ? [] : ["sudo"]);
