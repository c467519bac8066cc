/** A lock between processes: a file that names its holder, so that one left by a killed process is seen through. */

import { randomUUID } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export async function withLock<T>(path: string, what: string, log: (line: string) => void, body: () => Promise<T>): Promise<T> {
  const mine = `${path}.${randomUUID()}`;
  let told = false;
  writeFileSync(mine, String(process.pid));
  try {
    for (;;) {
      try {
        // A link appears with its content, or not at all: nobody ever reads a lock without a holder.
        linkSync(mine, path);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const holder = readHolder(path);
      if (holder !== undefined && !isRunning(holder)) {
        rmSync(path, { force: true });
        continue;
      }
      if (!told) log(`waiting for ${what}: process ${holder ?? "?"} works on it`);
      told = true;
      await sleep(200);
    }
    try {
      return await body();
    } finally {
      rmSync(path, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

function readHolder(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    // Given back in this moment.
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
