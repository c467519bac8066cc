/**
 * The report as one HTML page that needs nothing besides: no network, no script to read it. Its policy lets nothing run or load but
 * its own style and its own script, by their sums, whatever a host may have sent.
 */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import Handlebars from "handlebars";
import { verdicts, type ControlReport, type Counts, type HostReport, type Report, type ReportVerdict, type SeenHost } from "./model.ts";
import { aboutWaiver } from "./waive.ts";
import { adviceOf, countsInWords, heading, remedyInWords } from "./words.ts";

export function renderHtml(report: Report): string {
  const { benchmark, stack, createdAt, hosts, total } = report;
  const views = hosts.map(hostView);
  return page({
    policy: `default-src 'none'; style-src '${sum(style)}'; script-src '${sum(script)}'; base-uri 'none'; form-action 'none'`,
    style,
    script,
    title: `${heading(report)}: ${countsInWords(total)}`,
    benchmark: `${benchmark.name} ${benchmark.version}`,
    stack,
    createdAt,
    createdInWords: `${createdAt.slice(0, 10)} ${createdAt.slice(11, 16)} UTC`,
    hostsInWords: `${total.hosts} ${total.hosts === 1 ? "host" : "hosts"}${total.unreachable === 0 ? "" : `, ${total.unreachable} unreachable`}`,
    tiles: countViews(total),
    columns: verdicts,
    // Engine, share and all verdicts.
    wholeRow: verdicts.length + 2,
    hosts: views,
    common: commonFailures(hosts),
  });
}

// --- Internal ---

const read = (name: string) => readFileSync(new URL(`page/${name}`, import.meta.url), "utf8");
const style = read("style.css");
const script = read("script.js");

/** What a policy of the page may name; `</style` and `</script` stand in neither. */
const sum = (text: string) => `sha256-${createHash("sha256").update(text).digest("base64")}`;

const handlebars = Handlebars.create();
handlebars.registerPartial("bar", handlebars.compile(read("bar.hbs").trim(), { strict: true }));
const page = handlebars.compile(read("page.hbs"), { strict: true });

/** Beside the word, never instead of it. */
const marks: Record<ReportVerdict, string> = { fail: "✕", unknown: "?", pending: "◔", waived: "⚑", manual: "☞", pass: "✓", "not applicable": "–" };

const className = (verdict: ReportVerdict) => (verdict === "not applicable" ? "na" : verdict);

const countViews = (counts: Counts) =>
  verdicts.map((verdict) => ({ name: className(verdict), label: verdict, mark: marks[verdict], count: counts[verdict], some: counts[verdict] > 0, shown: verdict !== "not applicable" }));

function hostView(host: HostReport, index: number) {
  const anchor = `host-${index + 1}`;
  const { name, address } = host;
  if (!host.reachable) return { anchor, name, address, reachable: false, reason: host.reason };
  const { os, kernel, engine, counts, pending, containers, controls } = host;
  return {
    anchor,
    name,
    address,
    reachable: true,
    os,
    kernel,
    engine,
    ...barView(counts),
    counts: countViews(counts),
    pending,
    controls: controls.map(controlView),
    advice: adviceViews(containers),
    containersUnknown: containers.known ? undefined : `unknown: ${containers.reason}`,
  };
}

function barView(counts: Counts) {
  let x = 0;
  const segments = (["pass", "waived", "manual", "pending", "unknown", "fail"] as const).map((verdict) => {
    const segment = { name: className(verdict), x, width: counts[verdict] };
    x += counts[verdict];
    return segment;
  });
  return { total: Math.max(x, 1), segments: segments.filter(({ width }) => width > 0), summary: countsInWords(counts) };
}

function controlView(control: ControlReport) {
  const { id, title, verdict, declared, onDisk, inEffect, evidence, proof, waiver } = control;
  return {
    id,
    title,
    verdict,
    className: className(verdict),
    mark: marks[verdict],
    declared,
    onDisk,
    inEffect,
    evidence,
    proof,
    remedy: remedyInWords(control),
    waiver: waiver && aboutWaiver(waiver, verdict),
    waiverClass: waiver?.state === "expired" ? "fail" : "waived",
  };
}

function adviceViews(containers: SeenHost["containers"]) {
  return adviceOf(containers)
    .filter(({ found, unknown }) => found.length + unknown.length > 0)
    .map(({ container, found, unknown }) => ({
      container,
      found: found.map(({ id, finding, proof }) => ({ id, finding, proof })),
      unknown: unknown.length === 0 ? undefined : `not known: ${unknown.map(({ id }) => id).join(", ")} (${unknown[0]?.finding ?? ""})`,
    }));
}

/** The controls that fail on most hosts, and on more than one: there a group or the defaults are the place to mend them. */
function commonFailures(hosts: HostReport[]) {
  const seen = hosts.filter((host) => host.reachable);
  const failing = new Map<string, { id: string; title: string; on: string[] }>();
  for (const { name, controls } of seen) {
    for (const { id, title, verdict } of controls) {
      if (verdict !== "fail") continue;
      const known = failing.get(id) ?? { id, title, on: [] };
      failing.set(id, { ...known, on: [...known.on, name] });
    }
  }
  const ranked = [...failing.values()].filter(({ on }) => on.length > 1).sort((a, b) => b.on.length - a.on.length).slice(0, 5);
  return ranked.map(({ id, title, on }) => ({ id, title, where: on.length <= 3 ? on.join(", ") : on.length === seen.length ? `all ${on.length} hosts` : `${on.length} of ${seen.length} hosts` }));
}
