/** One page that needs nothing else: no script, no network, light and dark. */

import { counted } from "../plan/describe.ts";
import type { Piece } from "./describe.ts";
import type { DriftReport, HostReport, Verdict } from "./report.ts";
import { cells, headline, linesOf, notes, notesOf, piecesOf, sections } from "./words.ts";

export function renderHtml(report: DriftReport): string {
  const said = headline(report);
  const parts = [
    `<h1>Stack ${escape(report.stack)}</h1>`,
    `<p class="headline exit-${report.exitCode}">${escape(`${said.slice(0, 1).toUpperCase()}${said.slice(1)}.`)}</p>`,
    ...(report.problems.length > 0 ? [`<section><h2>Went wrong</h2>${report.problems.map((text) => `<pre>${escape(text)}</pre>`).join("")}</section>`] : []),
    ...(report.hosts.length > 0 ? [table(report.hosts)] : []),
    ...(Object.keys(sections) as Verdict[]).flatMap((verdict) => section(report.hosts, verdict)),
    ...notesSection(report.hosts),
    ...(report.others.length > 0 ? [`<section><h2>Other resources</h2><ul>${report.others.map(({ op, type, name }) => `<li><code>${escape(name)}</code> (${escape(type)}): ${escape(op)}</li>`).join("")}</ul></section>`] : []),
    ...(report.warnings.length > 0 ? [`<section><h2>Warnings</h2>${report.warnings.map((text) => `<pre>${escape(text)}</pre>`).join("")}</section>`] : []),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Drydock: ${escape(report.stack)}</title>
<style>${style}</style>
</head>
<body>
<main>
${parts.join("\n")}
</main>
</body>
</html>
`;
}

// --- Internal ---

function table(hosts: HostReport[]): string {
  const rows = hosts.map((host) => {
    const { is, drift, change, pending } = cells(host);
    const link = host.is[0] === undefined ? escape(host.name) : `<a href="#${anchor(host.is[0], host)}">${escape(host.name)}</a>`;
    return `<tr class="${host.is[0] ?? "clean"}"><th scope="row">${link}</th><td>${is}</td><td>${drift}</td><td>${change}</td><td>${pending}</td></tr>`;
  });
  return `<table><thead><tr>${["Host", "Is", "Drift", "Change", "Pending"].map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead><tbody>\n${rows.join("\n")}\n</tbody></table>`;
}

function section(hosts: HostReport[], verdict: Verdict): string[] {
  const concerned = hosts.filter(({ is }) => is.includes(verdict));
  if (concerned.length === 0) return [];
  const { title, about } = sections[verdict];
  const blocks = concerned.map((host) => {
    const lines = linesOf(host, verdict).map((line) => `<pre>${escape(line)}</pre>`);
    const diffs = piecesOf(host, verdict).map(diff);
    return `<article id="${anchor(verdict, host)}"><h3>${escape(host.name)}</h3>${[...lines, ...diffs].join("\n")}</article>`;
  });
  return [`<section class="${verdict}"><h2>${title} <small>${counted(concerned.length, "host")}</small></h2><p>${escape(about)}</p>\n${blocks.join("\n")}</section>`];
}

function notesSection(hosts: HostReport[]): string[] {
  const blocks = hosts.filter((host) => notesOf(host).length > 0).map((host) => `<article><h3>${escape(host.name)}</h3>${notesOf(host).map((text) => `<pre>${escape(text)}</pre>`).join("\n")}</article>`);
  return blocks.length === 0 ? [] : [`<section><h2>${notes.title}</h2><p>${escape(notes.about)}</p>\n${blocks.join("\n")}</section>`];
}

const diff = ({ title, text }: Piece) => `<details open><summary><code>${escape(title)}</code></summary><pre class="diff">${text.split("\n").map(line).join("\n")}</pre></details>`;

function line(text: string): string {
  if (/^(\+\+\+|---|@@) ?/.test(text)) return `<span class="head">${escape(text)}</span>`;
  if (text.startsWith("+")) return `<ins>${escape(text)}</ins>`;
  if (text.startsWith("-")) return `<del>${escape(text)}</del>`;
  return escape(text);
}

const anchor = (verdict: Verdict, host: HostReport) => `${verdict}-${encodeURIComponent(host.name)}`;

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");

const style = `
:root { color-scheme: light dark; --text: #1b1f24; --dim: #59636e; --page: #fff; --box: #f4f6f8; --line: #d0d7de; --bad: #b3261e; --good: #136c2e; --add: #d9f5df; --del: #fde3e1; --link: #0550ae }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ec; --dim: #9aa4ae; --page: #14171a; --box: #1e2226; --line: #3a4148; --bad: #ff8a80; --good: #6fd58a; --add: #12351d; --del: #45191a; --link: #7cb7ff } }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem }
a { color: var(--link) }
h1 { font-size: 1.6rem } h2 { font-size: 1.25rem; margin-top: 2.5rem } h3 { font-size: 1rem; margin-bottom: .25rem } small { color: var(--dim); font-weight: normal }
.headline { font-weight: 600; border-left: .3rem solid var(--dim); padding-left: .75rem }
.exit-0 { border-color: var(--good) } .exit-1, .exit-3 { border-color: var(--bad) }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); font-weight: normal; vertical-align: top } thead th { color: var(--dim) }
tr.unread td, tr.refused td, tr.failed td, tr.drift td { color: var(--bad) } tr.clean td { color: var(--good) }
pre { background: var(--box); border: 1px solid var(--line); border-radius: .3rem; padding: .6rem .8rem; overflow-x: auto; font: .85rem/1.45 ui-monospace, monospace; margin: .4rem 0; white-space: pre-wrap; overflow-wrap: anywhere }
.diff ins { background: var(--add); text-decoration: none } .diff del { background: var(--del); text-decoration: none } .head { color: var(--dim) }
summary { cursor: pointer } details { margin: .4rem 0 }
@media print { details { break-inside: avoid } }
`;
