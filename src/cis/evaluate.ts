/** A host against the benchmark: what passes, what fails, what waits, and on which evidence. */

import type { HostInputs } from "../desired/host-inputs.ts";
import type { Observation } from "../observed/observation.ts";
import { checkAudit } from "./audit-checks.ts";
import type { Benchmark, Check, Control } from "./benchmark.ts";
import { checkDaemon } from "./daemon-checks.ts";
import { currentBenchmark } from "./current.ts";
import { checkFile } from "./file-checks.ts";
import { checkPartition, checkUsers } from "./host-checks.ts";
import type { Summary } from "./summary.ts";
import type { Evidence, Finding, Verdict } from "./verdict.ts";

export type { Verdict } from "./verdict.ts";
export { statPaths, tlsPaths } from "./file-checks.ts";

export interface ControlResult extends Finding, Pick<Control, "id" | "title" | "setting" | "level"> {}

/**
 * Judges each control by what was seen on the host; the wish only adds what is declared and what it confirms.
 *
 * @param observation must have looked at {@link statPaths} and {@link auditedPaths}: a path nobody asked for counts as absent.
 */
export function evaluateHost(observation: Observation, wish?: HostInputs, benchmark: Benchmark = currentBenchmark): ControlResult[] {
  return benchmark.controls.map(({ id, title, level, setting, check }) => ({
    id,
    title,
    ...(level === undefined ? {} : { level }),
    setting,
    ...find(check, { observation, wish }),
  }));
}

export function summarize(results: ControlResult[]): Summary {
  const count = (verdict: Verdict) => results.filter((result) => result.verdict === verdict).length;
  return {
    passed: count("pass"),
    failed: count("fail"),
    pending: count("pending"),
    manual: count("manual"),
    notApplicable: count("not applicable"),
    unknown: count("unknown"),
    failing: results.filter(({ verdict }) => verdict === "fail").map(({ id, title }) => `${id} ${title}`),
  };
}

/** Whether these exist decides if an audit control applies. */
export const auditedPaths = [...new Set(currentBenchmark.controls.flatMap(({ check }) => (check.kind === "audit" ? check.paths : [])))];

// --- Internal ---

function find(check: Check, evidence: Evidence): Finding {
  switch (check.kind) {
    case "daemon":
      return checkDaemon(check.name, evidence);
    case "audit":
      return checkAudit(check, evidence);
    case "owner":
      return checkFile(check.of, { owner: check.owner }, evidence);
    case "mode":
      return checkFile(check.of, { mode: check.mode }, evidence);
    case "host":
      return check.name === "separate partition" ? checkPartition(evidence) : checkUsers(evidence);
  }
}
