/** The report as Markdown, for a terminal, a wiki or a comment. */

import { verdicts, type ControlReport, type Report, type SeenHost, type UnreachableHost } from "./model.ts";
import { adviceOf, asTerminal, countsInWords, heading, sentence } from "./words.ts";
import { ticksAround } from "../code-fence.ts";

export function renderMarkdown(report: Report): string {
  const { total, hosts } = report;
  const unreachable = hosts.filter((host) => !host.reachable);
  const seen = hosts.filter((host) => host.reachable);
  return `${[
    `# ${plain(heading(report))}`,
    "",
    `${total.hosts} ${total.hosts === 1 ? "host" : "hosts"}, ${total.unreachable} unreachable. Controls: ${countsInWords(total)}. ${report.createdAt}`,
    "",
    `| host | ${verdicts.join(" | ")} |`,
    `| --- | ${verdicts.map(() => "---:").join(" | ")} |`,
    ...hosts.map((host) => `| ${plain(host.name)} | ${verdicts.map((verdict) => (host.reachable ? String(host.counts[verdict]) : "?")).join(" | ")} |`),
    "",
    ...(unreachable.length > 0 ? ["## Unreachable", "", "Nothing is known of these hosts, and none of their controls is counted.", "", ...unreachable.map(unreachableLine), ""] : []),
    ...seen.flatMap(hostSection),
  ].join("\n").trimEnd()}\n`;
}

/** A text of a host's as Markdown shows it: nothing in it is markup, a link or a mention, and it stays on its line. */
export function plain(text: string): string {
  return text
    .replaceAll(/\s+/g, " ")
    .trim()
    .replaceAll(/[\\`*_[\]|~$#]/g, String.raw`\$&`)
    .replaceAll(/[<>&]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll(/:(?=\/\/)|(?<![\w.])@/g, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll(/\bwww\./gi, "www&#46;")
    // At the beginning of a line these would be a list or a heading.
    .replace(/^([-+=](?=\s|$)|\d+(?=[.)](?:\s|$)))/, (begin) => (/\d/.test(begin) ? `${begin}\\` : `\\${begin}`));
}

/** A block that no line of the text can end. */
export function codeBlock(text: string): string {
  const fence = ticksAround(text, 3);
  return `${fence}text\n${text}\n${fence}`;
}

// --- Internal ---

const unreachableLine = ({ name, address, reason }: UnreachableHost) => `- **${plain(name)}** (${plain(address)}): ${plain(reason)}`;

function hostSection(host: SeenHost): string[] {
  const { name, address, os, kernel, engine, counts, controls, pending } = host;
  const applicable = controls.filter(({ verdict }) => verdict !== "not applicable");
  const worth = applicable.filter(({ verdict }) => verdict !== "pass");
  return [
    `## ${plain(name)}`,
    "",
    `${plain(address)}, ${plain(os)}, ${plain(kernel)}, engine ${plain(engine)}: ${countsInWords(counts)}.`,
    "",
    ...(pending.length > 0 ? ["Pending:", "", ...pending.map((text) => `- ${plain(text)}`), ""] : []),
    "| CIS | control | declared | on disk | in effect | verdict | evidence |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...applicable.map(controlRow),
    "",
    ...(worth.length > 0 ? ["<details><summary>What the host printed</summary>", "", ...worth.flatMap(proofBlock), "</details>", ""] : []),
    ...adviceSection(host),
  ];
}

function controlRow(control: ControlReport): string {
  const { id, title, declared, onDisk, inEffect, verdict } = control;
  const word = verdict === "pass" ? verdict : `**${verdict}**`;
  return `| ${id} | ${plain(title)} | ${[declared, onDisk, inEffect].map((value) => plain(value ?? "")).join(" | ")} | ${word} | ${plain(sentence(control))} |`;
}

const proofBlock = (control: ControlReport) => (control.proof.length === 0 ? [] : [`**${control.id} ${plain(control.title)}**`, "", codeBlock(asTerminal(control)), ""]);

function adviceSection({ containers }: SeenHost): string[] {
  if (!containers.known) return [`Containers: unknown: ${plain(containers.reason)}`, ""];
  const advice = adviceOf(containers).filter(({ found, unknown }) => found.length + unknown.length > 0);
  if (advice.length === 0) return [];
  return [
    "### Advice on containers",
    "",
    "Sections 4 and 5: for whoever starts them. In no count.",
    "",
    ...advice.flatMap(({ container, found, unknown }) => [
      `- **${plain(container)}**`,
      ...found.map(({ id, finding }) => `  - ${id} ${plain(finding)}`),
      ...(unknown.length > 0 ? [`  - not known: ${unknown.map(({ id }) => id).join(", ")} (${plain(unknown[0]?.finding ?? "")})`] : []),
    ]),
    "",
  ];
}
