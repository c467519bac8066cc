import fc from "fast-check";
import { expect, it } from "vitest";
import { readFleet } from "../../src/config/fleet.ts";
import { readWaves, type RolloutSettings } from "../../src/config/rollout.ts";

const hosts = { web1: ["web"], web2: ["web"], web3: ["web", "edge"], db1: ["db"], lone: [] };

function read(rollout: RolloutSettings) {
  const host = (groups: string[], i: number) => ({ connection: { host: `192.0.2.${i}` }, groups });
  const raw = { groups: { web: {}, db: {}, edge: {}, empty: {} }, hosts: Object.fromEntries(Object.entries(hosts).map(([name, groups], i) => [name, host(groups, i)])), rollout };
  return readFleet(raw).rollout;
}

it.each<[string, string[][], string[][]]>([
  ["without waves all hosts are one", [], [["web1", "web2", "web3", "db1", "lone"]]],
  ["a host that is named itself is not in the wave of its group", [["web1"], ["web"]], [["web1"], ["web2", "web3"], ["db1", "lone"]]],
  ["so also when its group comes first", [["web"], ["web1"]], [["web2", "web3"], ["web1"], ["db1", "lone"]]],
  ["a host of several groups is in the first wave that names one of them", [["edge"], ["web"]], [["web3"], ["web1", "web2"], ["db1", "lone"]]],
  ["a wave without hosts is none", [["empty"], ["db", "lone"]], [["db1", "lone"], ["web1", "web2", "web3"]]],
])("%s", (_, waves, expected) => {
  expect(read({ waves })).toEqual({ waves: expected, maxFailures: 0 });
});

it("keeps the limits, and null takes them away", () => {
  expect(read({ maxParallel: 10, maxFailures: 1 })).toMatchObject({ maxParallel: 10, maxFailures: 1 });
  expect(readFleet({ hosts: { web1: { connection: { host: "192.0.2.1" } } }, rollout: null })).not.toHaveProperty("rollout");
});

it("puts every host into exactly one wave, whatever is named, and none before one that is named earlier", () => {
  const names = fc.uniqueArray(fc.constantFrom("h1", "h2", "h3", "h4", "h5", "h6"), { minLength: 1 });
  const groups = ["g1", "g2", "g3"];
  fc.assert(
    fc.property(names, fc.infiniteStream(fc.subarray(groups)), fc.array(fc.array(fc.constantFrom("h1", "h2", "h3", ...groups), { maxLength: 3 }), { maxLength: 4 }), (those, memberships, waves) => {
      const members = new Map(those.map((name) => [name, memberships.next().value as string[]]));
      const rollout = readWaves({ waves }, { hosts: members, groups }, []);
      expect(rollout.waves.flat().sort()).toEqual([...those].sort());
      const explicit = those.filter((name) => waves.some((wave) => wave.includes(name)));
      const first = (name: string) => waves.findIndex((wave) => wave.includes(name));
      const at = (name: string) => rollout.waves.findIndex((wave) => wave.includes(name));
      for (const a of explicit) for (const b of explicit) if (first(a) < first(b)) expect(at(a)).toBeLessThan(at(b));
    }),
  );
});
