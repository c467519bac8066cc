/**
 * JUnit XML: a suite for each host. Drift is a failure; what can't be read, is refused or went wrong is an error; change and
 * pending are skipped: they neither pass nor fail.
 */

import { create } from "xmlbuilder2";
import type { Piece } from "./describe.ts";
import type { DriftReport, HostReport } from "./report.ts";
import { linesOf, notesOf } from "./words.ts";

export function renderJunit(report: DriftReport): string {
  const suites = [...(report.problems.length > 0 ? [previewSuite(report)] : []), ...report.hosts.map((host) => hostSuite(host, report.exitCode === 4)), ...(report.others.length > 0 ? [othersSuite(report)] : [])];
  const root = create({ version: "1.0", encoding: "UTF-8" }).ele("testsuites", { name: `drydock drift ${report.stack}`, ...totals(suites.flatMap(({ cases }) => cases)) });
  for (const { name, cases, notes = [] } of suites) {
    const suite = root.ele("testsuite", { name, ...totals(cases) });
    for (const { name: title, result } of cases) {
      const element = suite.ele("testcase", { classname: name, name: title });
      if (result) element.ele(result.kind, { message: result.message, ...(result.kind === "skipped" ? {} : { type: result.type }) }).txt(result.text);
    }
    // Of no test case: they neither pass nor fail.
    if (notes.length > 0) suite.ele("system-out").txt(notes.join("\n"));
  }
  return `${root.end({ prettyPrint: true })}\n`;
}

// --- Internal ---

interface Case {
  name: string;
  /** Absent when it passed. */
  result?: { kind: "failure" | "error" | "skipped"; type: string; message: string; text: string };
}

interface Suite {
  name: string;
  cases: Case[];
  notes?: string[];
}

function hostSuite(host: HostReport, pendingFails: boolean): Suite {
  const said = (name: string, kind: "failure" | "error" | "skipped", type: string, texts: string[]): Case =>
    texts.length === 0 ? { name } : { name, result: { kind, type, message: firstLine(texts[0] ?? ""), text: texts.join("\n") } };
  const found = (all: Piece[], kind: "failure" | "skipped", type: string, none: Case): Case[] =>
    all.length === 0 ? [none] : all.map(({ title, text }) => ({ name: `${type}: ${title}`, result: { kind, type, message: `${title} is not as ${type === "drift" ? "the last update left it" : "the stack file wants it"}`, text } }));
  const change = said("change", "skipped", "change", host.is.includes("change") ? ["an update would change this host", ...linesOf(host, "change")] : []);
  const cases = [
    said("can be read", "error", "unread", host.unread === undefined ? [] : [host.unread]),
    ...found(host.drift, "failure", "drift", { name: "drift" }),
    ...found(host.change, "skipped", "change", change),
    said("is not refused", "error", "refused", host.refused),
    said("is looked at without errors", "error", "error", host.errors),
    said("nothing is pending", pendingFails ? "failure" : "skipped", "pending", host.pending),
  ];
  return { name: host.name, notes: notesOf(host), cases: host.unread === undefined ? cases : cases.map(notKnown) };
}

/** Of a host that could not be read nothing has passed. */
const notKnown = (one: Case): Case => (one.result ? one : { ...one, result: { kind: "skipped", type: "unread", message: "not known: the host could not be read", text: "" } });

const previewSuite = ({ problems }: DriftReport): Suite => ({
  name: "preview",
  cases: problems.map((text, i) => ({ name: `problem ${i + 1}`, result: { kind: "error", type: "problem", message: firstLine(text), text } })),
});

const othersSuite = ({ others }: DriftReport): Suite => ({
  name: "other resources",
  cases: others.map(({ op, type, name }) => ({ name: `change: ${name}`, result: { kind: "skipped", type: "change", message: `${type}: ${op}`, text: "" } })),
});

function totals(cases: Case[]): Record<string, string> {
  const count = (kind: string) => String(cases.filter(({ result }) => result?.kind === kind).length);
  return { tests: String(cases.length), failures: count("failure"), errors: count("error"), skipped: count("skipped") };
}

const firstLine = (text: string) => text.split("\n")[0] ?? "";
