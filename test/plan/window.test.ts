import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseWindow, weekdays, type Window } from "../../src/config/window.ts";
import { isDisruptive, isOpen, waitsForWindow } from "../../src/plan/window.ts";
import { emptyPlan, noDocker } from "../support/plan.ts";

const window = (written: string): Window => parseWindow(written) as Window;
const restart = emptyPlan({ docker: { ...noDocker, how: "restart" } });

it.each([
  ["Sun 02:00-04:00 UTC", "2026-11-22T02:00Z", true],
  ["Sun 02:00-04:00 UTC", "2026-11-22T03:59Z", true],
  ["Sun 02:00-04:00 UTC", "2026-11-22T04:00Z", false],
  ["Sun 02:00-04:00 UTC", "2026-11-23T02:00Z", false],
  // Over midnight: the night that begins on Friday ends on Saturday.
  ["Fri 22:00-02:00 UTC", "2026-11-27T23:00Z", true],
  ["Fri 22:00-02:00 UTC", "2026-11-28T01:59Z", true],
  ["Fri 22:00-02:00 UTC", "2026-11-27T01:00Z", false],
  ["Sun 22:00-02:00 UTC", "2026-11-23T01:00Z", true],
  // 02:00 there is 01:00 UTC in winter and 00:00 UTC in summer.
  ["Sun 02:00-04:00 Europe/Berlin", "2026-11-22T01:00Z", true],
  ["Sun 02:00-04:00 Europe/Berlin", "2026-07-05T00:00Z", true],
  ["Sun 02:00-04:00 Europe/Berlin", "2026-07-05T02:30Z", false],
])("%s at %s: %s", (written, now, open) => {
  expect(isOpen(window(written), new Date(now))).toBe(open);
});

describe("what waits", () => {
  it("is what running containers would notice", () => {
    expect(isDisruptive(restart)).toBe(true);
    expect(isDisruptive(emptyPlan({ overLimits: ["web uses 600 processes, and TasksMax=512 leaves it 512"] }))).toBe(true);
    expect(isDisruptive(emptyPlan({ docker: { ...noDocker, dropBetweenContainers: true } }))).toBe(true);
    expect(isDisruptive(emptyPlan({ profiles: { load: ["drydock-web"], unload: [], replaced: ["drydock-web"], enable: false } }))).toBe(true);
    expect(isDisruptive(emptyPlan({ profiles: { load: ["drydock-web"], unload: [], replaced: [], enable: false } }))).toBe(false);
    expect(isDisruptive(emptyPlan({ docker: { ...noDocker, how: "reload" }, writes: [] }))).toBe(false);
  });

  it("is told when the window opens", () => {
    expect(waitsForWindow(["Sun 02:00-04:00 UTC"], restart, new Date("2026-11-23T12:00Z"))).toBe("its window (Sun 02:00-04:00 UTC), which opens at 2026-11-29T02:00Z");
  });

  it("is nothing in one of the windows, without any, and when nothing is disrupted", () => {
    const now = new Date("2026-11-23T12:00Z");
    expect(waitsForWindow(["Sun 02:00-04:00 UTC", "Mon 11:00-13:00 UTC"], restart, now)).toBeUndefined();
    expect(waitsForWindow(undefined, restart, now)).toBeUndefined();
    expect(waitsForWindow(["Sun 02:00-04:00 UTC"], emptyPlan({}), now)).toBeUndefined();
  });

  it("is open exactly as long in a week as its days and hours say", () => {
    const times = fc.tuple(fc.subarray([...weekdays], { minLength: 1 }), fc.integer({ min: 0, max: 1439 }), fc.integer({ min: 0, max: 1439 })).filter(([, start, end]) => start !== end);
    fc.assert(
      fc.property(times, ([days, start, end]) => {
        const monday = Date.parse("2026-11-23T00:00Z");
        const minutes = Array.from({ length: 7 * 24 * 12 }, (_, i) => new Date(monday + i * 5 * 60_000));
        const snapped = { days, start: start - (start % 5), end: end - (end % 5), zone: "UTC" };
        fc.pre(snapped.start !== snapped.end);
        const length = snapped.start < snapped.end ? snapped.end - snapped.start : snapped.end - snapped.start + 1440;
        expect(minutes.filter((now) => isOpen(snapped, now)).length * 5).toBe(days.length * length);
      }),
      { numRuns: 30 },
    );
  });
});
