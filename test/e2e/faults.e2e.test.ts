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
    // dockerd takes seconds to start on an emulated host, and makes its firewall rules anew meanwhile. All else is noise.
    expect(requests.lost).toBeLessThan(requests.sent / 10);
    const pause = await restartOfDockerd();
    const lost = (await host.machine.run("sed -n 's/ lost$//p' /root/requests/log")).split("\n").filter(Boolean).map(Number);
    expect(lost).toHaveLength(requests.lost);
    expect(lost.filter((time) => time < pause.from || time > pause.to).length, `outside of ${pause.from} to ${pause.to}: ${lost.join(" ")}`).toBeLessThanOrEqual(requests.sent / 100);
    expect(requests.longestPause).toBeLessThanOrEqual(pause.to - pause.from);
  });
});

/** From the moment at which it is told to stop until it is up, by the host's journal, and two seconds on either side for who asks; seconds since 1970. */
async function restartOfDockerd(): Promise<{ from: number; to: number }> {
  const text = await host.machine.run("journalctl -q --no-pager -o short-unix -b UNIT=docker.service _PID=1");
  const last = (word: string): number => Number(text.split("\n").findLast((line) => line.includes(`: ${word} docker.service`))?.split(" ")[0]);
  const [from, to] = [last("Stopping"), last("Started")];
  if (!(from < to)) throw new Error(`dockerd was not restarted: ${text.slice(-500)}`);
  return { from: from - 2, to: to + 2 };
}

describe("an update with a fault in it", () => {
  beforeAll(async () => {
    await host.stack.destroy();
    await host.harden();
  });

  tryFaults(0, () => host);
});
