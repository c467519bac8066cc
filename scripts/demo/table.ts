/** A host in a table that fits a terminal: what each setting is, what it was before, and what the benchmark says. */

import Table from "cli-table3";
import { currentBenchmark } from "../../src/cis/current.ts";
import { evaluateHost, summarize, type ControlResult, type Verdict } from "../../src/cis/evaluate.ts";
import type { HostInputs } from "../../src/desired/host-inputs.ts";
import { scopeDropIn } from "../../src/effect/container-limits.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { parseUnitText } from "../../src/observed/systemd.ts";
import { green, red, yellow } from "./steps.ts";

export interface Snapshot {
  rows: Row[];
  summary: ReturnType<typeof summarize>;
}

export interface Row {
  setting: string;
  value: string;
  /** Id of the control, or of several. */
  cis: string;
  verdict: Verdict;
}

export function takeSnapshot(observation: Observation, wish: HostInputs): Snapshot {
  const results = evaluateHost(observation, wish);
  const byId = new Map(results.map((result) => [result.id, result]));
  const rows = shown.flatMap((id) => {
    const result = byId.get(id);
    return result ? [{ setting: result.setting, value: valueOf(result), cis: id, verdict: result.verdict }] : [];
  });
  return {
    rows: [
      ...rows,
      together("audit rules", "1.1.3–18", results.filter(({ id }) => /^1\.1\.([3-9]|1\d)$/.test(id)), "paths watched"),
      together("owners and modes", "3.1–24", results.filter(({ id }) => id.startsWith("3.")), "right"),
      limit("processes a container", "TasksMax", "5.29", observation),
      limit("memory a container", "MemoryMax", "5.11", observation),
    ],
    summary: summarize(results),
  };
}

/** One snapshot, or two side by side. */
export function renderTable(now: Snapshot, before?: Snapshot): string {
  const table = new Table({
    head: before ? ["setting", "before", "now", "CIS", ""] : ["setting", "value", "CIS", ""],
    style: { head: [], border: [], compact: true },
    colWidths: before ? [23, 23, 26, 10, 9] : [23, 50, 10, 9],
    wordWrap: true,
  });
  for (const [i, { setting, value, cis, verdict }] of now.rows.entries()) {
    const word = colored(verdict);
    table.push(before ? [setting, before.rows[i]?.value ?? "", value, cis, word] : [setting, value, cis, word]);
  }
  return table.toString().replaceAll(/^/gm, "   ");
}

/** `CIS Docker Benchmark 1.6.0, sections 1.1, 2 and 3: 21 passed, 17 failed, …`, and what still fails. */
export function renderSummary({ passed, failed, pending, manual, notApplicable, unknown, failing }: Snapshot["summary"], listFailing = false): string {
  const counts = [`${passed} passed`, `${failed} failed`, `${pending} pending`, `${unknown} unknown`, `${manual} for a person to judge`, `${notApplicable} not applicable`];
  const line = `   ${currentBenchmark.name} ${currentBenchmark.version}, sections 1.1, 2 and 3: ${counts.join(", ")}`;
  return listFailing && failing.length > 0 ? `${line}\n   Failing:\n${failing.map((text) => `     ${text}`).join("\n")}` : line;
}

/** One line for each setting that is not the same, and for a total that differs. */
export function differences(before: Snapshot, now: Snapshot): string[] {
  const rows = before.rows.flatMap(({ setting, value }, i) => (now.rows[i]?.value === value ? [] : [`${setting}: ${value} => ${now.rows[i]?.value ?? ""}`]));
  const totals = [before.summary, now.summary].map((summary) => renderSummary(summary, true).trim());
  return totals[0] === totals[1] ? rows : [...rows, ...totals];
}

// --- Internal ---

/** What a strict profile is about; the rest is in the totals. */
const shown = ["2.2", "2.9", "2.14", "2.16", "2.15", "2.13", "2.8", "2.10", "2.12", "1.1.1"];

function valueOf({ onDisk, inEffect }: ControlResult): string {
  if (onDisk !== undefined && inEffect !== undefined && onDisk !== inEffect) return `${inEffect} (on disk: ${onDisk})`;
  return inEffect ?? onDisk ?? "";
}

function together(setting: string, cis: string, results: ControlResult[], what: string): Row {
  const applicable = results.filter(({ verdict }) => verdict !== "not applicable");
  const passed = applicable.filter(({ verdict }) => verdict === "pass").length;
  const worst = (["fail", "unknown", "pending"] as const).find((verdict) => applicable.some((result) => result.verdict === verdict));
  return { setting, value: `${passed} of ${applicable.length} ${what}`, cis, verdict: worst ?? "pass" };
}

function limit(setting: string, key: string, cis: string, { files }: Observation): Row {
  const dropIn = files[scopeDropIn];
  const value = dropIn?.known ? parseUnitText(dropIn.value.text ?? "")[0]?.entries.find(([name]) => name === key)?.[1] : undefined;
  return { setting, value: value ?? "no limit", cis, verdict: value === undefined ? "fail" : "pass" };
}

function colored(verdict: Verdict): string {
  if (verdict === "pass") return green(verdict);
  return verdict === "fail" ? red(verdict) : yellow(verdict === "not applicable" ? "n/a" : verdict);
}
