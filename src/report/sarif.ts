/**
 * The report as SARIF 2.1.0: what fails, for code scanning. A waived control is a result that is suppressed.
 *
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */

import type { ControlReport, Report, SeenHost } from "./model.ts";
import { asTerminal, remedyInWords, sentence } from "./words.ts";

export function renderSarif(report: Report): string {
  const { benchmark, hosts, createdAt, stack } = report;
  const seen = hosts.filter((host) => host.reachable);
  const rules = rulesOf(seen);
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
        results: seen.flatMap((host) => host.controls.filter(({ verdict }) => verdict === "fail" || verdict === "waived").map((control) => resultOf(host, control, stack, rules))),
      },
    ],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}

// --- Internal ---

type Rule = ReturnType<typeof ruleOf>;

/** Every control, so that one which passes on all hosts is known as well. */
function rulesOf(hosts: SeenHost[]): Rule[] {
  return (hosts[0]?.controls ?? []).map(ruleOf);
}

function ruleOf({ id, title, setting, remedy, level }: ControlReport) {
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

function resultOf(host: SeenHost, control: ControlReport, stack: string, rules: Rule[]) {
  const { id, waiver, verdict } = control;
  const ruleId = `CIS-${id}`;
  return {
    ruleId,
    ruleIndex: rules.findIndex((rule) => rule.id === ruleId),
    level: "error",
    kind: "fail",
    message: { text: `${host.name}: ${id} ${sentence(control)}` },
    // Hosts are no files: their place is the stack file that declares them.
    locations: [{ physicalLocation: { artifactLocation: { uri: `stacks/Pulumi.${encodeURIComponent(stack)}.yaml` }, region: { startLine: 1 } }, logicalLocations: [{ name: host.name, kind: "resource" }] }],
    partialFingerprints: { "hostAndControl/v1": `${host.name}/${id}` },
    properties: { host: host.name, evidence: asTerminal(control) },
    ...(verdict === "waived" && waiver ? { suppressions: [{ kind: "external", status: "accepted", justification: `until ${waiver.until}: ${waiver.reason}` }] } : {}),
  };
}
