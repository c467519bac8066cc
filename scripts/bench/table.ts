/** What the bench prints. */

import type { WhereMeasured } from "../where-measured.ts";
import { mebibytes, seconds } from "./statistics.ts";
import type { Row } from "./fleet.ts";
import type { Step } from "./job.ts";

export interface Ground extends WhereMeasured {
  /** /proc/loadavg before it began: others at work make every figure worse. */
  load: string;
  rounds: number;
  /** The engine wrote its log of each command. */
  engineLog: boolean;
  /** What connections were made with; none is made in a simulation. */
  keyExchange?: string;
  /** The peer that was measured as well, with its version. */
  peer?: string | undefined;
}

const steps: readonly Step[] = ["first", "no-op", "check"];

/** The issue's table and what is behind it, as Markdown; it reads well on a terminal, too. */
export function renderTable(rows: Row[], ground: Ground): string {
  const times = (row: Row, of: "floor" | "bare" | "drydock" | "pyinfra") => steps.map((step) => (row[of] ? seconds(row[of][step]) : "–")).join(" / ");
  const main = rows.map((row) => [String(row.hosts), times(row, "bare"), ...(ground.peer === undefined ? [] : [times(row, "pyinfra")]), times(row, "floor"), times(row, "drydock"), goal(row), seconds(row.watched)]);
  const behind = rows.flatMap((row) =>
    steps.map((step) => {
      const { connections, sessions, memory } = row.detail[step];
      return [String(row.hosts), step, perHost(connections, row.hosts), perHost(sessions, row.hosts), mebibytes(memory.engine), `${mebibytes(memory.providers)} in ${memory.providerCount}`, mebibytes(memory.program)];
    }),
  );
  return [
    `${renderGround(ground)}${ground.keyExchange === undefined ? "" : `; key exchange ${ground.keyExchange}`}; median of ${ground.rounds}. Seconds, first apply / no-op \`up\` / drift preview:`,
    "",
    markdown(["hosts", "bare ssh", ...(ground.peer === undefined ? [] : [ground.peer]), "engine's floor", "Drydock", "goal", "first apply with the watch"], main),
    "",
    "Docker, systemd, auditd, AppArmor and iptables are stand-ins on these hosts: what the real ones take longer is in no figure.",
    "",
    "Drydock's three are without the watch over a restarted dockerd (`DRYDOCK_SETTLE_SECONDS=0`), which no peer has and in which nothing is computed. The last column is a first apply as users have it: with the watch, one round, `PULUMI_PARALLEL` set to the number of hosts.",
    "",
    "Connections and sessions a host; most memory in MiB of the engine, of the provider processes together, and of the program:",
    "",
    markdown(["hosts", "step", "connections", "sessions", "engine", "providers", "program"], behind),
  ].join("\n");
}

export const renderGround = ({ machine, date, commit, load, engineLog }: Ground) => `Measured on ${machine}; ${date}; commit ${commit}; load before: ${load}${engineLog ? "" : "; without the engine's log"}`;

/** At 1 host: floor + bare ssh + 0.5 s. With more: the fastest peer, as measured there, else as others measured it; from 64 on floor + 1.5 × bare ssh as well. */
export function goal({ hosts, bare, floor, pyinfra = peers[hosts] }: Row): string {
  const of = (step: Step): number | undefined => {
    if (hosts === 1) return floor[step] + bare[step] + 0.5;
    const limits = [pyinfra?.[step], hosts >= 64 ? floor[step] + 1.5 * bare[step] : undefined].filter((limit) => limit !== undefined);
    return limits.length === 0 ? undefined : Math.min(...limits);
  };
  return steps.map(of).map((limit) => (limit === undefined ? "–" : seconds(limit))).join(" / ");
}

/** pyinfra 3.10, the fastest of the peers there. */
const peers: Record<number, Record<Step, number>> = { 16: { first: 4.9, "no-op": 2.7, check: 2.5 }, 64: { first: 19.3, "no-op": 10, check: 9.6 } };

export function markdown(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

const perHost = (count: number, hosts: number) => (Number.isInteger(count / hosts) ? String(count / hosts) : (count / hosts).toFixed(1));
