/** For people at a terminal: a table, then what is behind it. */

import Table from "cli-table3";
import type { Context } from "./formats.ts";
import type { DriftReport, HostReport, Verdict } from "./report.ts";
import { cells, headline, linesOf, notes, notesOf, piecesOf, sections } from "./words.ts";

export function renderText(report: DriftReport, { color = false }: Partial<Context> = {}): string {
  const paint = color ? (code: number, text: string) => `\x1b[${code}m${text}\x1b[0m` : (_code: number, text: string) => text;
  const bold = (text: string) => paint(1, text);
  const blocks = [
    `${bold(`Stack ${report.stack}`)}: ${headline(report)}`,
    ...(report.problems.length > 0 ? [[bold("Went wrong"), ...report.problems.map((text) => indented(text, "  "))].join("\n")] : []),
    ...(report.hosts.length > 0 ? [table(report.hosts)] : []),
    ...(Object.keys(sections) as Verdict[]).flatMap((verdict) => section(report.hosts, verdict, bold, paint)),
    ...notesSection(report.hosts, bold),
    ...(report.others.length > 0 ? [[bold("Other resources"), ...report.others.map(({ op, type, name }) => `  ${name} (${type}): ${op}`)].join("\n")] : []),
    ...(report.warnings.length > 0 ? [[bold("Warnings"), ...report.warnings.map((text) => indented(text, "  "))].join("\n")] : []),
  ];
  return `${blocks.join("\n\n")}\n`;
}

// --- Internal ---

function table(hosts: HostReport[]): string {
  const rows = new Table({ head: ["Host", "Is", "Drift", "Change", "Pending"], style: { head: [], border: [] } });
  for (const host of hosts) {
    const { is, drift, change, pending } = cells(host);
    rows.push([host.name, is, drift, change, pending]);
  }
  return rows.toString();
}

function section(hosts: HostReport[], verdict: Verdict, bold: (text: string) => string, paint: (code: number, text: string) => string): string[] {
  const concerned = hosts.filter(({ is }) => is.includes(verdict));
  if (concerned.length === 0) return [];
  const blocks = concerned.map((host) => {
    const lines = linesOf(host, verdict).map((line) => indented(line, "    "));
    const diffs = piecesOf(host, verdict).map(({ text }) => text.split("\n").map((line) => `    ${colored(line, paint)}`).join("\n"));
    return [`  ${bold(host.name)}`, ...lines, ...diffs].join("\n");
  });
  const { title, about } = sections[verdict];
  return [[`${bold(title)}. ${about}`, ...blocks].join("\n\n")];
}

function notesSection(hosts: HostReport[], bold: (text: string) => string): string[] {
  const blocks = hosts.filter((host) => notesOf(host).length > 0).map((host) => [`  ${bold(host.name)}`, ...notesOf(host).map((line) => indented(line, "    "))].join("\n"));
  return blocks.length === 0 ? [] : [[`${bold(notes.title)}. ${notes.about}`, ...blocks].join("\n\n")];
}

const indented = (text: string, by: string) => text.split("\n").map((line) => `${by}${line}`).join("\n");

function colored(line: string, paint: (code: number, text: string) => string): string {
  if (/^(\+\+\+|---) /.test(line)) return paint(1, line);
  if (line.startsWith("+")) return paint(32, line);
  if (line.startsWith("-")) return paint(31, line);
  return line;
}
