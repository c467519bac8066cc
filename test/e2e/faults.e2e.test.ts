/**
 * Each fault once, in one of the steps of an update; `npm run faults` tries it and its variants in all of them and writes docs/faults.md.
 * And what a first hardening costs whoever asks a container at that time.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { count } from "../../scripts/faults/table.ts";
import { faults } from "./faults/faults.ts";
import { FaultHost } from "./faults/host.ts";
import { startRequests, stopRequests } from "./faults/requests.ts";
import { trial } from "./faults/trial.ts";

let host: FaultHost;

beforeAll(async () => {
  host = await FaultHost.start("e2e-faults");
});

afterAll(async () => {
  await host.stop();
});

describe("a first hardening", () => {
  it("keeps a container that serves: its start time, and its answers but for the pause of dockerd's restart", async () => {
    const { container } = await host.look();
    await startRequests(host.machine, 8080);
    host.wish("one");
    const { exitCode, output } = await host.stack.up();
    const requests = await stopRequests(host.machine);
    console.log(`a first hardening, ten requests a second: ${requests.lost} of ${requests.sent} lost, ${requests.longestPause} s between two answers at most`);
    expect(exitCode, output).toBe(0);
    expect((await host.look()).container).toBe(container);
    expect(requests.sent).toBeGreaterThan(100);
    // dockerd takes seconds to start on an emulated host, and makes its firewall rules anew meanwhile.
    expect(requests.lost).toBeLessThan(requests.sent / 10);
  });
});

describe("an update with a fault in it", () => {
  beforeAll(async () => {
    await host.stack.destroy();
    await host.harden();
  });

  const once = faults.filter(({ variant }) => !variant).map((fault) => ({ fault, name: fault.name, step: fault.steps[Math.floor(fault.steps.length / 2)] ?? "begun" }));

  it.each(once)("$name, $step: all of one state or all of the other", async ({ fault, step }) => {
    const row = await trial(host, fault, step).catch(async (error: unknown) => {
      // The next one begins on a host that is whole.
      await host.bring("one");
      throw error;
    });
    expect(row.ended).toBe(fault.ends(step));
    expect(count([row])).toEqual({ mixtures: 0, daemonsLost: 0, bytesLost: 0 });
  });
});
