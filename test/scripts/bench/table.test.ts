import { expect, it } from "vitest";
import type { Row } from "../../../scripts/bench/fleet.ts";
import { goal, renderTable } from "../../../scripts/bench/table.ts";

const times = (first: number, noOp: number, check: number) => ({ first, "no-op": noOp, check });
const memory = { engine: 118_000, program: 200_000, providers: 387_000, providerCount: 2 };

const row = (hosts: number): Row => ({
  hosts,
  bare: times(0.3, 0.27, 0.26),
  floor: times(2.2, 2.1, 2),
  drydock: times(3.04, 2.6, 41.9),
  watched: 29.4,
  detail: { first: { connections: 2 * hosts, sessions: 3 * hosts, memory }, "no-op": { connections: hosts, sessions: hosts, memory }, check: { connections: 1, sessions: hosts, memory } },
});

it("is a table in Markdown, with machine, date and commit", () => {
  const ground = { machine: "2 × CPU, 24 GiB", date: "2026-11-23", commit: "abc", load: "0.10 0.20 0.30", rounds: 5, engineLog: true };
  expect(renderTable([row(64)], ground)).toMatchInlineSnapshot(`
    "Measured on 2 × CPU, 24 GiB; 2026-11-23; commit abc; load before: 0.10 0.20 0.30; median of 5. Seconds, first apply / no-op \`up\` / drift preview:

    | hosts | bare ssh | engine's floor | Drydock | goal | first apply with the watch |
    | --- | --- | --- | --- | --- | --- |
    | 64 | 0.30 / 0.27 / 0.26 | 2.2 / 2.1 / 2.0 | 3.0 / 2.6 / 42 | 2.7 / 2.5 / 2.4 | 29 |

    Docker, systemd, auditd, AppArmor and iptables are stand-ins on these hosts: what the real ones take longer is in no figure.

    Drydock's three are without the watch over a restarted dockerd (\`DRYDOCK_SETTLE_SECONDS=0\`), which no peer has and in which nothing is computed. The last column is a first apply as users have it: with the watch, one round, \`PULUMI_PARALLEL\` set to the number of hosts.

    Connections and sessions a host; most memory in MiB of the engine, of the provider processes together, and of the program:

    | hosts | step | connections | sessions | engine | providers | program |
    | --- | --- | --- | --- | --- | --- | --- |
    | 64 | first | 2 | 3 | 115 | 378 in 2 | 195 |
    | 64 | no-op | 1 | 1 | 115 | 378 in 2 | 195 |
    | 64 | check | 0.0 | 1 | 115 | 378 in 2 | 195 |"
  `);
});

it.each([
  ["at 1 host: floor, bare ssh and half a second", 1, "3.0 / 2.9 / 2.8"],
  ["at 16: the fastest peer", 16, "4.9 / 2.7 / 2.5"],
  ["at 64: floor and 1.5 times bare ssh, where that is less than the fastest peer", 64, "2.7 / 2.5 / 2.4"],
  ["none in between", 3, "– / – / –"],
])("the goal is, %s", (_what, hosts, expected) => {
  expect(goal(row(hosts))).toBe(expected);
});

it("the goal of 64 is the fastest peer where floor and 1.5 times bare ssh are more", () => {
  expect(goal({ ...row(64), pyinfra: times(2, 9, 2.1) })).toBe("2.0 / 2.5 / 2.1");
});

it("has a measured peer beside it, which is then the one to beat", () => {
  const ground = { machine: "2 × CPU", date: "2026-11-30", commit: "abc", load: "0", rounds: 3, engineLog: false, peer: "pyinfra 3.10.0" };
  const lines = renderTable([{ ...row(16), pyinfra: times(9, 8, 7) }, row(1)], ground).split("\n");
  expect(lines[0]).toContain("; without the engine's log");
  expect(lines.slice(2, 6)).toEqual([
    "| hosts | bare ssh | pyinfra 3.10.0 | engine's floor | Drydock | goal | first apply with the watch |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    "| 16 | 0.30 / 0.27 / 0.26 | 9.0 / 8.0 / 7.0 | 2.2 / 2.1 / 2.0 | 3.0 / 2.6 / 42 | 9.0 / 8.0 / 7.0 | 29 |",
    "| 1 | 0.30 / 0.27 / 0.26 | – / – / – | 2.2 / 2.1 / 2.0 | 3.0 / 2.6 / 42 | 3.0 / 2.9 / 2.8 | 29 |",
  ]);
});
