import { expect, it } from "vitest";
import { kindOf, measure } from "../../../scripts/bench/processes.ts";

it.each([
  [["/home/me/.pulumi/versions/3.259.0/bin/pulumi", "up"], "engine"],
  [["node", "/project/node_modules/.bin/pulumi", "up"], undefined],
  [["node", "/project/provider/pulumi-resource-drydock", "127.0.0.1:4000"], "providers"],
  [["/node", "/project/node_modules/@pulumi/pulumi/cmd/run", "--monitor=127.0.0.1:4000"], "program"],
  [["ssh", "-T", "host"], undefined],
])("%j is %s", (words, kind) => {
  expect(kindOf(words.join("\0"))).toBe(kind);
});

it("measures a command with what it says, on both streams", async () => {
  const run = await measure(["sh", "-c", "echo one; echo two >&2; exit 3"], { cwd: "/", env: {} });
  expect(run.exitCode).toBe(3);
  expect(run.output.split("\n").sort()).toEqual(["", "one", "two"]);
  expect(run.seconds).toBeGreaterThan(0);
});
