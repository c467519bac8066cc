import { setImmediate as soon } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HostRollout } from "../../src/desired/host-inputs.ts";
import { DeferredError } from "../../src/provider/errors.ts";
import { NotItsTurnError, Turns } from "../../src/provider/turns.ts";

const wave = (number: number, limits: Partial<HostRollout> = {}): HostRollout => ({ wave: number, maxFailures: 0, ...limits });
const fail = (): Promise<never> => Promise.reject(new Error("no"));
const work = (): Promise<string> => Promise.resolve("done");

describe("failures of a wave", () => {
  it("keep the rest of it from being touched once there are more than may be, and say which", async () => {
    const turns = new Turns();
    const limits = wave(2, { maxFailures: 1 });
    await expect(turns.take("web1", limits, fail)).rejects.toThrow("no");
    expect(await turns.take("web2", limits, work)).toBe("done");
    await expect(turns.take("web3", limits, fail)).rejects.toThrow("no");
    let worked = false;
    await expect(turns.take("web4", limits, () => Promise.resolve((worked = true)))).rejects.toThrow(
      "web4: refused, nothing was touched: web1, web3 of wave 2 failed, and rollout.maxFailures is 1; mend them and run the update again, which goes on from here",
    );
    expect(worked).toBe(false);
  });

  it("do not count who was refused", async () => {
    const turns = new Turns();
    await expect(turns.take("web1", wave(1), fail)).rejects.toThrow("no");
    for (const host of ["web2", "web3"]) await expect(turns.take(host, wave(1), work)).rejects.toThrow(/: web1 of wave 1 failed, .*; mend it and/);
  });

  it("do not count who waits for its window", async () => {
    const turns = new Turns();
    await expect(turns.take("web1", wave(1), () => Promise.reject(new DeferredError("web1: later")))).rejects.toThrow("later");
    expect(await turns.take("web2", wave(1), work)).toBe("done");
  });

  it("are those of the wave alone", async () => {
    const turns = new Turns();
    await expect(turns.take("web1", wave(1), fail)).rejects.toThrow("no");
    expect(await turns.take("web2", wave(2), work)).toBe("done");
  });

  it("hold for hosts that were waiting already", async () => {
    const turns = new Turns();
    const limits = wave(1, { maxParallel: 1 });
    const first = turns.take("web1", limits, fail);
    const second = turns.take("web2", limits, work);
    await expect(first).rejects.toThrow("no");
    await expect(second).rejects.toBeInstanceOf(NotItsTurnError);
  });
});

it("without a rollout there are no turns", async () => {
  const turns = new Turns();
  await expect(turns.take("web1", undefined, fail)).rejects.toThrow("no");
  expect(await turns.take("web2", undefined, work)).toBe("done");
});

it("tells a host once that it has to wait, and only then", async () => {
  const turns = new Turns();
  const waits: string[] = [];
  const take = (host: string) => turns.take(host, wave(1, { maxParallel: 1 }), soon, () => waits.push(host));
  await Promise.all([take("web1"), take("web2"), take("web3")]);
  await take("web4");
  expect(waits).toEqual(["web2", "web3"]);
});

it("lets no more work than may, and everybody in the end, whoever fails", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(fc.record({ rounds: fc.integer({ min: 1, max: 4 }), fails: fc.boolean() }), { maxLength: 12 }), async (maxParallel, hosts) => {
      const turns = new Turns();
      let [now, most] = [0, 0];
      const ends = await Promise.allSettled(
        hosts.map(({ rounds, fails }, i) =>
          turns.take(`h${i}`, wave(1, { maxParallel, maxFailures: 100 }), async () => {
            most = Math.max(most, ++now);
            for (let round = 0; round < rounds; round++) await soon();
            now--;
            if (fails) throw new Error("no");
          }),
        ),
      );
      expect(most).toBe(Math.min(maxParallel, hosts.length));
      expect(ends.map(({ status }) => status === "rejected")).toEqual(hosts.map(({ fails }) => fails));
    }),
    { numRuns: 50 },
  );
});
