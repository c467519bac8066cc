import { afterEach, beforeEach, expect, it, vi } from "vitest";

const names = ["DRYDOCK_TIME_FACTOR", "DRYDOCK_CONFIRM_SECONDS", "DRYDOCK_SETTLE_SECONDS"];

beforeEach(() => {
  vi.resetModules();
  for (const name of names) vi.stubEnv(name, undefined);
});
afterEach(() => void vi.unstubAllEnvs());

const limits = () => import("../../src/remote/limits.ts");
const read = async () => (await limits()).seconds;

it("waits a minute for the confirmation, and 25 s for a dockerd that was started", async () => {
  expect(await read()).toMatchObject({ confirm: 60, settle: 25, apply: 900 });
});

it.each([
  [{ DRYDOCK_TIME_FACTOR: "3" }, { confirm: 180, settle: 25, apply: 2700 }],
  [{ DRYDOCK_TIME_FACTOR: "0.5", DRYDOCK_CONFIRM_SECONDS: "7" }, { confirm: 7, apply: 450 }],
  [{ DRYDOCK_SETTLE_SECONDS: "0" }, { settle: 0 }],
  [{ DRYDOCK_SETTLE_SECONDS: "" }, { settle: 25 }],
])("takes %j from the environment", async (environment, expected) => {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  expect(await read()).toMatchObject(expected);
  expect((await limits()).mistakes).toEqual([]);
});

it.each([
  ["DRYDOCK_TIME_FACTOR", "0", "above 0"],
  ["DRYDOCK_TIME_FACTOR", "fast", "above 0"],
  ["DRYDOCK_CONFIRM_SECONDS", "0", "above 0"],
  ["DRYDOCK_CONFIRM_SECONDS", "1m", "above 0"],
  ["DRYDOCK_SETTLE_SECONDS", "-1", "from 0 on"],
  ["DRYDOCK_SETTLE_SECONDS", "Infinity", "from 0 on"],
])("refuses %s=%s, and says what is allowed", async (name, value, allowed) => {
  vi.stubEnv(name, value);
  expect((await limits()).mistakes).toEqual([`${name} is "${value}": allowed is a number ${allowed}`]);
  expect(await read()).toMatchObject({ confirm: 60, settle: 25 });
});
