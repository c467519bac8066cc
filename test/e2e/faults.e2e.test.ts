/** What a first hardening costs whoever asks a container at that time, and one half of the faults. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tryFaults } from "./fault-trials.ts";
import { FaultHost } from "./faults/host.ts";
import { startRequests, stopRequests } from "./faults/requests.ts";

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

  tryFaults(0, () => host);
});
