/**
 * The report as SARIF 2.1.0, for code scanning. Whoever reads it takes a result that is gone for one that is mended: so there is one as
 * well for what nobody could look at. A waived control is a result that is suppressed.
 *
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */

import type { ControlReport, ControlText, Report, ReportVerdict, UnreachableHost } from "./model.ts";
import { asTerminal, remedyInWords, sentence } from "./words.ts";

export function renderSarif(report: Report): string {
  const { benchmark, hosts, createdAt, stack } = report;
  const rules = [...benchmark.controls.map(ruleOf), unreachableRule];
  const results = hosts.flatMap((host): Result[] => (host.reachable ? host.controls.flatMap((control) => controlResult(host.name, control)) : [unreachableResult(host)]));
  const unreachable = hosts.filter((host) => !host.reachable);
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "Drydock", rules } },
        automationDetails: { id: `drydock/${stack}/` },
        invocations: [
          {
            executionSuccessful: unreachable.length === 0,
            endTimeUtc: createdAt,
            toolExecutionNotifications: unreachable.map(({ name, reason }) => ({ level: "error", message: { text: `${name} could not be read: ${reason}` } })),
          },
        ],
        properties: { benchmark: `${benchmark.name} ${benchmark.version}` },
        results: results.map((result) => ({ ruleIndex: rules.findIndex(({ id }) => id === result.ruleId), ...result, locations: [locationOf(result.properties.host, stack)] })),
      },
    ],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}

// --- Internal ---

type Result = ReturnType<typeof resultOf>;

/** SARIF has the kind "open" for what is unknown, and allows it no level (3.27.10): code scanning goes by the level. */
const levels: Partial<Record<ReportVerdict, "error" | "warning">> = { fail: "error", waived: "error", unknown: "warning" };

const unreachableRule = {
  id: "unreachable",
  name: "unreachable",
  shortDescription: { text: "The host can be reached" },
  help: { text: "Nothing is known of a host that can't be read. It does not mean that its controls pass." },
  defaultConfiguration: { level: "error" },
  properties: { tags: ["security"] },
};

function ruleOf({ id, title, setting, remedy, level }: ControlText) {
  const help = [`Ensure that ${title}.`, remedyInWords({ ...(remedy === undefined ? {} : { remedy }) })].filter(Boolean).join(" ");
  return {
    id: `CIS-${id}`,
    name: setting,
    shortDescription: { text: `${id} Ensure that ${title}` },
    help: { text: help },
    defaultConfiguration: { level: "error" },
    properties: { tags: ["security", "cis", ...(level === undefined ? [] : [`level-${level}`])] },
  };
}

function controlResult(host: string, control: ControlReport): Result[] {
  const { id, waiver, verdict } = control;
  const level = levels[verdict];
  if (level === undefined) return [];
  const suppressions = verdict === "waived" && waiver ? [{ kind: "external", status: "accepted", justification: `until ${waiver.until}: ${waiver.reason}` }] : undefined;
  return [resultOf(host, { ruleId: `CIS-${id}`, key: id, level, text: `${id} ${sentence(control)}`, evidence: asTerminal(control), suppressions })];
}

const unreachableResult = ({ name, reason }: UnreachableHost): Result => resultOf(name, { ruleId: unreachableRule.id, key: unreachableRule.id, level: "error", text: `could not be read: ${reason}`, evidence: reason });

interface Finding {
  ruleId: string;
  /** What it is about, the same at each run. */
  key: string;
  level: "error" | "warning";
  text: string;
  evidence: string;
  suppressions?: object[] | undefined;
}

const resultOf = (host: string, { ruleId, key, level, text, evidence, suppressions }: Finding) => ({
  ruleId,
  level,
  kind: "fail",
  message: { text: `${host}: ${text}` },
  partialFingerprints: { "hostAndControl/v1": `${host}/${key}` },
  properties: { host, evidence },
  ...(suppressions && { suppressions }),
});

/** Hosts are no files: their place is the stack file that declares them. */
const locationOf = (host: string, stack: string) => ({
  physicalLocation: { artifactLocation: { uri: `stacks/Pulumi.${encodeURIComponent(stack)}.yaml` }, region: { startLine: 1 } },
  logicalLocations: [{ name: host, kind: "resource" }],
});
