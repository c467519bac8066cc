import { existsSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { withLock } from "../../lab/lock.ts";
import { freePort } from "../../lab/port.ts";

function lockPath(): string {
  return join(mkdtempSync(join(tmpdir(), "drydock-lock-")), "lock");
}

it("lets one in at a time, and tells the others whom they wait for", async () => {
  const path = lockPath();
  const events: string[] = [];
  const job = (name: string) => withLock(path, "the image", (line) => events.push(line), async () => {
    events.push(`${name} in`);
    await sleep(50);
    events.push(`${name} out`);
  });
  await Promise.all([job("first"), job("second")]);
  const told = `waiting for the image: process ${process.pid} works on it`;
  expect(events.filter((event) => event !== told)).toEqual(["first in", "first out", "second in", "second out"]);
  expect(events).toContain(told);
  expect(readdirSync(dirname(path))).toEqual([]);
});

it("sees through a lock whose holder is gone", async () => {
  const path = lockPath();
  // The largest process id that Linux hands out is 4194304.
  writeFileSync(path, "4194305");
  await expect(withLock(path, "the image", () => {}, () => Promise.resolve("in"))).resolves.toBe("in");
});

it("gives the lock back when the work fails", async () => {
  const path = lockPath();
  await expect(withLock(path, "the image", () => {}, () => Promise.reject(new Error("no disk")))).rejects.toThrow("no disk");
  expect(existsSync(path)).toBe(false);
});

it("finds a port that is not taken", async () => {
  const port = await freePort();
  expect(port).toBeGreaterThanOrEqual(22_000);
  expect(await freePort([port])).not.toBe(port);
});
