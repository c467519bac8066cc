import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Progress } from "../../src/provider/progress.ts";

let shown: string[];
let progress: Progress;
beforeEach(() => {
  vi.useFakeTimers();
  shown = [];
  progress = new Progress((status) => shown.push(status));
});
afterEach(() => {
  progress.end();
  vi.useRealTimers();
});

const pass = (seconds: number): void => void vi.advanceTimersByTime(seconds * 1000);

it("shows nothing of a host that is done at once: a CI log has a line for each", () => {
  for (const step of ["looking", "installing /etc/a", "installing /etc/b", "restarting dockerd"]) {
    progress.step(step);
    pass(0.4);
  }
  progress.end();
  pass(60);
  expect(shown).toEqual([]);
});

it("shows a step that lasts, and again now and then, with how long it has taken", () => {
  progress.step("restarting dockerd");
  pass(30);
  expect(shown).toEqual(["restarting dockerd, 2 s", "restarting dockerd, 12 s", "restarting dockerd, 22 s"]);
});

it("begins anew with the next step", () => {
  progress.step("restarting dockerd");
  pass(5);
  progress.step("confirming over a new connection");
  pass(5);
  expect(shown).toEqual(["restarting dockerd, 2 s", "confirming over a new connection, 3 s"]);
});

it("says nothing before the first step: a host that waits for its turn is at none", () => {
  pass(60);
  expect(shown).toEqual([]);
});
