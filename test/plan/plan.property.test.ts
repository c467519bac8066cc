/**
 * From any configuration to any other: the steps of the plan lead to what is wished, on a model of a host that knows nothing of
 * the wish (model-host.ts).
 */

import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HostInputs, JsonObject } from "../../src/desired/host-inputs.ts";
import { securityKeys } from "../../src/desired/security-keys.ts";
import { differences } from "../../src/plan/describe.ts";
import { emptyPlan, isEmpty, planApply, type Plan } from "../../src/plan/plan.ts";
import { findings } from "../../src/plan/preflight.ts";
import { hostFacts, observedInputs } from "../../src/plan/seen.ts";
import { completeInputs } from "../../src/plan/wish.ts";
import { recorded } from "../support/recorded.ts";
import { owner } from "../support/wish.ts";
import { argsOf, beginning, settings, type Settings } from "./any-settings.ts";
import { foreignFiles, ModelHost, type Beginning } from "./model-host.ts";

const start = recorded("default");
const daemonJson = "/etc/docker/daemon.json";

/** One update, as src/provider/converge.ts makes it. @returns what is there afterwards; undefined when it was refused. */
function update(host: ModelHost, wanted: Settings): HostInputs | undefined {
  const args = argsOf(wanted);
  const before = host.observe(args);
  const wish = completeInputs(args, hostFacts(before, args));
  const plan = planApply(wish, before);
  if (findings(wish, before, plan, owner).length > 0) return undefined;
  const store = host.docker.storeInUse();
  if (!isEmpty(plan)) host.execute(plan);
  // Consent is asked for what is hidden, and for nothing else.
  if (store !== undefined) expect(plan.docker.switchesStore).toBe(host.docker.storeInUse() !== store);
  expectRight(host, wanted, wish);
  return observedInputs(wish, host.observe(args));
}

function expectRight(host: ModelHost, wanted: Settings, wish: HostInputs): void {
  const args = argsOf(wanted);
  const after = host.observe(args);
  const again = completeInputs(args, hostFacts(after, args));
  const left = { differences: differences(wish, observedInputs(wish, after)), dockerd: host.docker.runsWithOtherThan(), leftOver: host.kernel.hasLeftOver({ icc: wish.daemon.icc !== false }), steps: stepsOf(planApply(again, after)) };
  expect(left).toEqual({ differences: [], dockerd: [], leftOver: [], steps: {} });
  // What the wish is on this host does not depend on what it was when somebody looked.
  expect(again).toEqual(wish);
}

/** What a plan would do, without what stands in each of them. */
function stepsOf(plan: Plan): Partial<Plan> {
  const steps = Object.entries(plan).filter(([name, value]) => !["declared", "daemonKeys", "validateWith"].includes(name) && !isDeepStrictEqual(value, emptyPlan[name as keyof Plan]));
  // The plan's own word counts: who asks it would do nothing.
  return isEmpty(plan) ? {} : Object.fromEntries(steps);
}

const keysOf = (wanted: Settings) => Object.keys(argsOf(wanted).daemon);
const daemonOf = (host: ModelHost) => JSON.parse(host.text(daemonJson) ?? "{}") as JsonObject;

/** Hosts that are refused prove nothing: most must not be. */
function check(numRuns: number, property: (host: ModelHost, a: Settings, b: Settings, from: Beginning) => boolean): void {
  let [runs, made] = [0, 0];
  fc.assert(
    fc.property(beginning, settings, settings, (from, a, b) => {
      runs += 1;
      if (property(new ModelHost(start, from), a, b, from)) made += 1;
    }),
    { numRuns },
  );
  expect(made / runs).toBeGreaterThan(0.8);
}

describe("the steps from any configuration", () => {
  it("lead to it from a host as it comes, and to any other from there", { timeout: 60_000 }, () => {
    check(400, (host, a, b) => {
      if (!update(host, a)) return false;
      host.docker.run("between", { ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "80" }] } });
      if (!update(host, b)) return false;
      // What waited for containers need not wait any more.
      host.docker.stopContainers();
      return update(host, b) !== undefined;
    });
  });

  it("and back again give what was there the first time", { timeout: 60_000 }, () => {
    check(200, (host, a, b) => {
      const first = update(host, a);
      if (!first || !update(host, b)) return false;
      const second = update(host, a);
      if (!second) return false;
      expect(second).toEqual(first);
      return true;
    });
  });

  it("leave what they have made to the next boot as well", { timeout: 60_000 }, () => {
    check(150, (host, a, b) => {
      const last = update(host, a) && update(host, b);
      if (!last) return false;
      host.boot();
      const args = argsOf(b);
      expectRight(host, b, completeInputs(args, last.host));
      return true;
    });
  });

  it("leave other people's files and keys of daemon.json alone", { timeout: 60_000 }, () => {
    check(150, (host, a, b, from) => {
      if (!update(host, a) || !update(host, b)) return false;
      expect(Object.fromEntries(Object.keys(foreignFiles).map((path) => [path, host.text(path)]))).toEqual(foreignFiles);
      expect(host.text("/etc/subuid")).toContain("ops:100000:65536\n");
      const theirs = Object.entries(from.daemon ?? {}).filter(([key]) => !(key in securityKeys) && ![...keysOf(a), ...keysOf(b)].includes(key));
      expect(daemonOf(host)).toMatchObject(Object.fromEntries(theirs));
      return true;
    });
  });
});
