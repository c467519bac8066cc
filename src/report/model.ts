/**
 * The evidence of a fleet against a benchmark, in one model that every format is rendered from. Pure: what was seen of each host
 * comes in, and the day by which waivers are judged. No text in it holds what looks like a secret, or what a terminal would act on.
 */

import { adviseContainers, type ContainerAdvice } from "../cis/container-checks.ts";
import type { Benchmark, Control } from "../cis/benchmark.ts";
import { currentBenchmark } from "../cis/current.ts";
import { evaluateHost, type Verdict } from "../cis/evaluate.ts";
import { proofsOf, type Proof } from "../cis/proof.ts";
import type { Waivers } from "../config/waivers.ts";
import type { HostInputs } from "../desired/host-inputs.ts";
import type { Observation } from "../observed/observation.ts";
import { pendingOn } from "../plan/pending.ts";
import { redactAll } from "../redact.ts";
import { judge, type JudgedWaiver } from "./waive.ts";

/** In the order in which reports name them: what needs somebody first. */
export const verdicts = ["fail", "unknown", "pending", "waived", "manual", "pass", "not applicable"] as const;
export type ReportVerdict = Verdict | "waived";

/** Also the document of `--format json`: docs/report.md. */
export interface Report {
  format: "drydock-report";
  /** Counts up when a field changes its meaning or goes. */
  version: 1;
  stack: string;
  /** ISO 8601, UTC. */
  createdAt: string;
  /** With all its controls, also those that nobody could look at. */
  benchmark: { name: string; version: string; controls: ControlText[] };
  total: Counts & { hosts: number; unreachable: number };
  hosts: HostReport[];
}

export type ControlText = Pick<Control, "id" | "title" | "level" | "setting" | "remedy">;
export type Counts = Record<ReportVerdict, number>;
export type HostReport = SeenHost | UnreachableHost;

export interface SeenHost {
  name: string;
  /** `user@host:port`. */
  address: string;
  reachable: true;
  os: string;
  kernel: string;
  engine: string;
  counts: Counts;
  controls: ControlReport[];
  /** What is right in the files and waits for something. */
  pending: string[];
  /** Advice on sections 4 and 5 of the containers that run; counted nowhere. */
  containers: { known: true; running: ContainerAdvice[] } | { known: false; reason: string };
}

/** Nothing is believed of it: it is in no count but its own. */
export interface UnreachableHost {
  name: string;
  address: string;
  reachable: false;
  reason: string;
}

export interface ControlReport {
  id: string;
  title: string;
  level?: 1 | 2;
  /** What a user knows it by, e.g. `icc`. */
  setting: string;
  /** Where a stack file decides it. */
  remedy?: string;
  verdict: ReportVerdict;
  declared?: string;
  onDisk?: string;
  inEffect?: string;
  /** One sentence. */
  evidence: string;
  /** What a reader can run on the host, and what it printed. */
  proof: Proof[];
  waiver?: JudgedWaiver;
}

export interface SeenInput {
  name: string;
  address: string;
  waivers: Waivers;
  observation: Observation;
  /** Complete for this host. */
  wish: HostInputs;
}

export interface UnreachableInput {
  name: string;
  address: string;
  reason: string;
}

export interface ReportOptions {
  stack: string;
  now: Date;
  /** @default the one that hosts are judged by */
  benchmark?: Benchmark;
}

export function buildReport(hosts: (SeenInput | UnreachableInput)[], { stack, now, benchmark = currentBenchmark }: ReportOptions): Report {
  const today = now.toISOString().slice(0, 10);
  const reports = hosts.map((host): HostReport => redactAll("reason" in host ? { ...host, reachable: false } : seenHost(host, benchmark, today)));
  const seen = reports.filter((host) => host.reachable);
  return {
    format: "drydock-report",
    version: 1,
    stack,
    createdAt: now.toISOString(),
    benchmark: { name: benchmark.name, version: benchmark.version, controls: benchmark.controls.map(textOf) },
    total: { hosts: reports.length, unreachable: reports.length - seen.length, ...count(seen.flatMap(({ controls }) => controls)) },
    hosts: reports,
  };
}

// --- Internal ---

const textOf = ({ id, title, level, setting, remedy }: Control): ControlText => ({ id, title, ...(level && { level }), setting, ...(remedy !== undefined && { remedy }) });

function seenHost({ name, address, waivers, observation, wish }: SeenInput, benchmark: Benchmark, today: string): SeenHost {
  const results = evaluateHost(observation, wish, benchmark);
  const controls = benchmark.controls.flatMap(({ check, remedy }, i): ControlReport[] => {
    const result = results[i];
    if (!result) return [];
    const proof = proofsOf(check, { observation, wish });
    return [{ ...result, ...(remedy === undefined ? {} : { remedy }), proof, ...judge(result.verdict, waivers[result.id], today) }];
  });
  const advice = adviseContainers(observation, benchmark);
  return {
    name,
    address,
    reachable: true,
    os: observation.os,
    kernel: observation.kernel,
    engine: observation.info.known ? observation.info.value.ServerVersion : `unknown: ${observation.info.reason}`,
    counts: count(controls),
    controls,
    // Of a host that nobody has hardened nothing is right and waiting.
    pending: observation.owner ? pendingOn(wish, observation) : [],
    containers: advice.known ? { known: true, running: advice.value } : { known: false, reason: advice.reason },
  };
}

function count(controls: ControlReport[]): Counts {
  const of = (wanted: ReportVerdict) => controls.filter(({ verdict }) => verdict === wanted).length;
  return Object.fromEntries(verdicts.map((verdict) => [verdict, of(verdict)])) as Counts;
}
