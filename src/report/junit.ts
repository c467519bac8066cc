/** The report as JUnit XML: a suite a host, a test case a control. */

import { create } from "xmlbuilder2";
import type { XMLBuilder } from "xmlbuilder2/lib/interfaces.js";
import type { ControlReport, HostReport, Report } from "./model.ts";
import { asTerminal, heading, remedyInWords, sentence } from "./words.ts";

export function renderJunit(report: Report): string {
  // A host may send characters that XML 1.0 has no way to write.
  const document = create({ version: "1.0", encoding: "UTF-8", invalidCharReplacement: "\uFFFD" });
  const root = document.ele("testsuites", { name: heading(report), ...sizes(report.hosts) });
  for (const host of report.hosts) suite(root, host, report);
  return `${document.end({ prettyPrint: true })}\n`;
}

// --- Internal ---

function suite(root: XMLBuilder, host: HostReport, { benchmark, createdAt }: Report): void {
  const node = root.ele("testsuite", { name: host.name, ...sizes([host]), timestamp: createdAt.slice(0, 19), hostname: host.address });
  const classname = `${benchmark.name} ${benchmark.version}`;
  if (!host.reachable) {
    node.ele("testcase", { classname, name: "the host can be reached", time: 0 }).ele("error", { message: host.reason, type: "unreachable" });
    return;
  }
  for (const control of host.controls) verdictOf(node.ele("testcase", { classname, name: `${control.id} ${control.title}`, time: 0 }), control);
}

function verdictOf(testcase: XMLBuilder, control: ControlReport): void {
  const message = sentence(control);
  const text = [asTerminal(control), remedyInWords(control)].filter(Boolean).join("\n\n");
  if (control.verdict === "pass") return;
  if (control.verdict === "fail" || control.verdict === "unknown") testcase.ele(elementOf[control.verdict], { message, type: control.waiver?.state === "expired" ? "waiver expired" : control.verdict }).txt(text);
  else testcase.ele("skipped", { message: `${control.verdict}: ${message}` });
}

const elementOf = { fail: "failure", unknown: "error" } as const;

function sizes(hosts: HostReport[]): Record<"tests" | "failures" | "errors" | "skipped", number> {
  const controls = hosts.flatMap((host) => (host.reachable ? host.controls : []));
  const unreachable = hosts.filter(({ reachable }) => !reachable).length;
  const count = (...wanted: string[]) => controls.filter(({ verdict }) => wanted.includes(verdict)).length;
  return { tests: controls.length + unreachable, failures: count("fail"), errors: count("unknown") + unreachable, skipped: controls.length - count("pass", "fail", "unknown") };
}
