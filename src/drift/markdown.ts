/**
 * For a comment on a pull request or an issue. All that comes from a host stands in code: there is no other place where Markdown
 * leaves text alone, GitHub's mentions and links included. It ends below GitHub's limit, cut between diffs, and says what is missing.
 */

import { counted } from "../plan/describe.ts";
import type { Piece } from "./describe.ts";
import type { DriftReport, HostReport, Verdict } from "./report.ts";
import { cells, headline, linesOf, notes, notesOf, piecesOf, sections } from "./words.ts";
import { ticksAround } from "../code-fence.ts";

/** GitHub takes 65,536 characters. We count bytes, which are never fewer, and leave room for a link. */
export const commentLimit = 65_000;

/** By it a comment is found again and updated in place. */
export const marker = (stack: string): string => `<!-- drydock:drift:${stack.replaceAll(/[^\w./-]|--/g, "_")} -->`;

export function renderMarkdown(report: DriftReport, { limit = commentLimit }: { limit?: number } = {}): string {
  const page = new Page(limit - footerSize);
  page.add(`${marker(report.stack)}\n### Drydock: stack ${code(report.stack)}\n\n**${sentence(headline(report))}**`);
  page.section({ title: "Went wrong", about: "The rest is not the whole truth." }, report.problems.map((text) => () => fence(text)), "what went wrong");
  addTable(page, report.hosts);
  for (const verdict of Object.keys(sections) as Verdict[]) {
    const concerned = report.hosts.filter(({ is }) => is.includes(verdict));
    const items = concerned.map((host): Item => (room) => hostItem(host, verdict, room));
    page.section(sections[verdict], items, sections[verdict].title.toLowerCase(), concerned);
  }
  const noted = report.hosts.filter((host) => notesOf(host).length > 0);
  page.section(notes, noted.map((host) => () => whole(host, notesOf(host), [])), "notes", noted);
  page.section({ title: "Other resources", about: "" }, report.others.map(({ op, type, name }) => () => `- ${code(name)} (${code(type)}): ${code(op)}`), "other resources");
  page.section({ title: "Warnings", about: "" }, report.warnings.map((text) => () => fence(text)), "warnings");
  return page.end(report.stack);
}

/** Text in a line that Markdown leaves alone. */
export function code(text: string): string {
  const line = text.replaceAll(/\s*\n\s*/g, " ").trim();
  if (line === "") return "";
  const ticks = ticksAround(line, 1);
  const pad = line.startsWith("`") || line.endsWith("`") ? " " : "";
  return `${ticks}${pad}${line}${pad}${ticks}`;
}

/** Text in a block that nothing in it can end. */
export function fence(text: string, language = ""): string {
  const ticks = ticksAround(text, 3);
  const shown = text.length > fenceLimit ? `${text.slice(0, fenceLimit).toWellFormed()}\n… cut here` : text;
  return `${ticks}${language}\n${shown}\n${ticks}`;
}

// --- Internal ---

/** One text, however long, must not take the room of all others. */
const fenceLimit = 20_000;

/** Room for what says what is missing. */
const footerSize = 1000;

/** Renders one thing in at most so many bytes; undefined if it can't. What had to go is in `without`. */
type Item = (room: number) => string | { text: string; without: string } | undefined;

class Page {
  readonly #limit: number;
  readonly #parts: string[] = [];
  readonly #missing: string[] = [];
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get room(): number {
    return this.#limit - this.#size;
  }

  add(text: string): boolean {
    const size = bytes(text) + 2;
    if (size > this.room) return false;
    this.#parts.push(text);
    this.#size += size;
    return true;
  }

  miss(what: string): void {
    this.#missing.push(what);
  }

  /** @param hosts whom the items are of, to name those that are missing */
  section({ title, about }: { title: string; about: string }, items: Item[], what: string, hosts: HostReport[] = []): void {
    if (items.length === 0) return;
    const isThere = this.add([`#### ${title}`, about].filter(Boolean).join("\n\n"));
    const left: string[] = [];
    let leftOut = 0;
    items.forEach((item, i) => {
      const of = hosts[i] ? ` of ${code(hosts[i].name)}` : "";
      const rendered = isThere ? item(this.room - 2) : undefined;
      const text = typeof rendered === "object" ? rendered.text : rendered;
      if (text === undefined || !this.add(text)) {
        leftOut++;
        left.push(of);
      } else if (typeof rendered === "object") this.miss(`${rendered.without}${of}`);
    });
    if (leftOut > 0) this.miss(`${what}: ${hosts.length > 0 ? counted(leftOut, "host") : leftOut}${leftOut <= 3 ? left.map((name) => name.replace(" of ", " ")).join(",") : ""}`);
  }

  end(stack: string): string {
    if (this.#missing.length > 0) {
      const shown = this.#missing.slice(0, 5).map((text) => (text.length > 120 ? "a host with a long name" : text));
      const more = this.#missing.length > shown.length ? `; and ${this.#missing.length - shown.length} more` : "";
      this.#parts.push(`> **Left out for its size:** ${shown.join("; ")}${more}. ${code(`npm run drift -- ${stack}`)} shows all of it.`);
    }
    return `${this.#parts.join("\n\n")}\n`;
  }
}

function addTable(page: Page, hosts: HostReport[]): void {
  const notable = hosts.filter(({ is }) => is.length > 0);
  if (notable.length === 0) return;
  const rows = ["| Host | Is | Drift | Change | Pending |", "| --- | --- | --- | --- | --- |"];
  // Half of the page at most: the diffs behind it say more.
  const most = page.room / 2;
  let shown = 0;
  for (const host of notable) {
    const { is, drift, change, pending } = cells(host);
    const row = `| ${cell(code(host.name))} | ${is} | ${drift} | ${change} | ${pending} |`;
    if (bytes([...rows, row].join("\n")) > most) break;
    rows.push(row);
    shown++;
  }
  page.add(rows.join("\n"));
  if (shown < notable.length) page.miss(`${notable.length - shown} rows of the table`);
}

/** A host with as many of its diffs as fit. */
function hostItem(host: HostReport, verdict: Verdict, room: number): ReturnType<Item> {
  const lines = linesOf(host, verdict);
  const all = piecesOf(host, verdict);
  for (let kept = all.length; kept >= 0; kept--) {
    const text = whole(host, lines, all.slice(0, kept));
    if (bytes(text) <= room) return kept === all.length ? text : { text, without: counted(all.length - kept, "diff") };
  }
  return undefined;
}

function whole(host: HostReport, lines: string[], all: Piece[]): string {
  const said = lines.map((line) => (line.includes("\n") ? fence(line) : `- ${code(line)}`));
  if (all.length === 0) return [code(host.name), ...said].join("\n\n");
  const count = counted(all.reduce((sum, { places }) => sum + Math.max(1, places.length), 0), "place");
  // Values are a line each: together they are one block.
  const blocks: string[][] = [];
  for (const { text } of all) {
    const last = blocks.at(-1);
    if (last && !text.includes("\n") && !last.some((line) => line.includes("\n"))) last.push(text);
    else blocks.push([text]);
  }
  const diffs = blocks.map((texts) => fence(texts.join("\n"), "diff"));
  return [`<details><summary><code>${escapeHtml(host.name)}</code>: ${count}</summary>`, ...said, ...diffs, "</details>"].join("\n\n");
}

/** A bar ends a cell, even in code. */
const cell = (text: string) => text.replaceAll("|", "\\|");

const escapeHtml = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("\n", " ");

const bytes = (text: string) => Buffer.byteLength(text);

const sentence = (text: string) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
