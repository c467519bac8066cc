/** SARIF 2.1.0: one result for each place of each host, pointing to the host in the stack file. */

import { createHash } from "node:crypto";
import { currentBenchmark as benchmark } from "../cis/current.ts";
import { controlOf } from "./controls.ts";
import type { Context } from "./formats.ts";
import type { DriftReport, HostReport, Verdict } from "./report.ts";
import { linesOf, notesOf, piecesOf, sections } from "./words.ts";

export function renderSarif(report: DriftReport, { stackFile, lines }: Context): string {
  const results = report.hosts.flatMap(resultsOf);
  const used = [...new Set(results.map(({ rule }) => rule))].sort();
  const at = (host: string, place: string | undefined) => ({
    physicalLocation: { artifactLocation: { uri: encodeURI(stackFile), uriBaseId: "%SRCROOT%" }, region: { startLine: lines.get(host) ?? 1 } },
    logicalLocations: [{ name: host, fullyQualifiedName: place === undefined ? host : `${host}:${place}`, kind: "resource" }],
  });
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "drydock drift", rules: used.map(ruleOf) } },
        automationDetails: { id: `drydock-drift/${report.stack}/` },
        invocations: [
          {
            executionSuccessful: report.exitCode !== 1,
            exitCode: report.exitCode,
            toolExecutionNotifications: [...report.problems.map((text) => notification("error", text)), ...report.warnings.map((text) => notification("warning", text)), ...report.hosts.flatMap((host) => notesOf(host).map((text) => notification("note", `${host.name}: ${text}`)))],
          },
        ],
        results: results.map(({ rule, host, place, level, text }) => ({
          ruleId: rule,
          ruleIndex: used.indexOf(rule),
          level,
          message: { text },
          locations: [at(host, place)],
          partialFingerprints: { "drydock/v1": createHash("sha256").update([rule, host, place ?? ""].join("\n")).digest("hex").slice(0, 32) },
        })),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

// --- Internal ---

type Level = "error" | "warning" | "note";

interface Result {
  /** `drift/cis-2.2`, `drift/files`, `unread`. */
  rule: string;
  host: string;
  place?: string;
  level: Level;
  text: string;
}

const levels: Record<Verdict, Level> = { unread: "error", refused: "error", failed: "error", drift: "error", change: "note", pending: "note" };

function resultsOf(host: HostReport): Result[] {
  return host.is.flatMap((verdict): Result[] => {
    const level = levels[verdict];
    const places = piecesOf(host, verdict).flatMap(({ title, places: named, text }) => (named.length > 0 ? named : [title]).map((place) => ({ place, text })));
    if (places.length > 0) return places.map(({ place, text }) => ({ rule: `${verdict}/${groupOf(place)}`, host: host.name, place, level, text: `${host.name}: ${place}\n${text}` }));
    const lines = linesOf(host, verdict);
    return [{ rule: verdict, host: host.name, level, text: [`${host.name}: ${sections[verdict].title.toLowerCase()}`, ...lines].join("\n") }];
  });
}

function groupOf(place: string): string {
  const control = controlOf(place);
  if (control) return `cis-${control.id}`;
  return place === "first update" ? "first-update" : (place.split(".")[0] ?? place);
}

function ruleOf(id: string) {
  const [verdict, group = ""] = id.split("/") as [Verdict, string?];
  const { title, about } = sections[verdict];
  const control = benchmark.controls.find((one) => group === `cis-${one.id}`);
  const short = control ? `${title}: ${benchmark.name} ${benchmark.version}, ${control.id} ${control.title}` : group === "" ? title : `${title}: ${group}`;
  return {
    id,
    name: id.replaceAll(/(?:^|[^a-z0-9]+)([a-z0-9])/gi, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: short },
    fullDescription: { text: about },
    defaultConfiguration: { level: levels[verdict] },
    ...(control ? { properties: { tags: ["security", `${benchmark.name} ${benchmark.version}`, control.id] } } : {}),
  };
}

const notification = (level: Level, text: string) => ({ level, message: { text } });
