import { afterEach, expect, it, vi } from "vitest";
import { skipWithoutTime } from "./time-left.ts";

afterEach(() => void vi.unstubAllEnvs());

it.each([
  ["where there is no limit", "", 0],
  ["while there is time", String(Date.now() + 600_000), 0],
  ["after it", "1", 1],
])("skips nothing but %s", (_, until, times) => {
  vi.stubEnv("DRYDOCK_TEST_UNTIL", until);
  const skip = vi.fn();
  skipWithoutTime({ skip } as never, "npm run faults -- --only 'a fault'");
  expect(skip.mock.calls).toEqual(times === 0 ? [] : [["no time is left for it on this machine: npm run faults -- --only 'a fault'"]]);
});
