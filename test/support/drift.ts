/** Reports to render: from streams that the real engine has printed (test/fixtures/record-events.ts), or made up. */

import { readFileSync } from "node:fs";
import { classify, type Findings } from "../../src/drift/classify.ts";
import { readEvents, type Gathered } from "../../src/drift/events.ts";
import { reportOn, type DriftReport, type HostReport } from "../../src/drift/report.ts";

export type Recorded = "mixed" | "after-a-failed-update" | "refused-and-removed" | "mistake-in-the-stack-file";

export const linesOfStream = (name: Recorded): string[] => readFileSync(new URL(`../fixtures/events/${name}.jsonl`, import.meta.url), "utf8").split("\n");

export const gathered = (name: Recorded): Gathered => readEvents(linesOfStream(name));

export const findings = (name: Recorded): Findings => classify(gathered(name), { exitCode: name === "mistake-in-the-stack-file" ? 1 : 0, stderr: "" });

export const recordedReport = (name: Recorded): DriftReport => reportOn(findings(name), { stack: "prod" });

export const hostReport = (more: Partial<HostReport> = {}): HostReport => ({ name: "web1", is: [], isNew: false, goes: false, drift: [], change: [], refused: [], errors: [], pending: [], notes: [], ...more });

export function report(hosts: HostReport[], more: Partial<DriftReport> = {}): DriftReport {
  const count = (verdict: HostReport["is"][number]) => hosts.filter(({ is }) => is.includes(verdict)).length;
  const summary = { hosts: hosts.length, clean: hosts.filter(({ is }) => is.length === 0).length, drift: count("drift"), change: count("change"), pending: count("pending"), unread: count("unread"), refused: count("refused"), failed: count("failed") };
  return { version: 1, stack: "prod", exitCode: 0, summary, problems: [], warnings: [], hosts, others: [], ...more };
}

export const context = { stackFile: "stacks/Pulumi.prod.yaml", lines: new Map([["web1", 7]]) };
