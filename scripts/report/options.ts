/** What `npm run report --` may be given. */

import { parseArgs } from "node:util";
import { didYouMean } from "../../src/config/problems.ts";
import { formats, type Format } from "../../src/report/formats.ts";
import { verdicts, type ReportVerdict } from "../../src/report/model.ts";
import { parseWords } from "../command.ts";

export interface ReportOptions {
  stack: string;
  format: Format;
  /** Where to write; undefined is the terminal. */
  output: string | undefined;
  /** Only these hosts; empty is all. */
  hosts: string[];
  /** Verdicts of which one control makes exit code 2. */
  failOn: ReportVerdict[];
}

/** Something the user can mend: printed as it is, without a stack. */
export class ReportError extends Error {
  override name = "ReportError";
}

export const usage = `npm run report -- prod --output report.html     looks at every host of stacks/Pulumi.prod.yaml, hardened or not
npm run report -- prod                          the same as Markdown, on the terminal
npm run --silent report -- prod --format junit  for a pipe: md, json, junit, sarif or html
  --output FILE      its ending says the format, unless --format does: .html .md .json .xml .sarif
  --host NAME        only this host; may be given again, or with commas
  --fail-on LIST     verdicts that make exit code 2: ${verdicts.join(", ")}, or none (fail,unknown)
Exit codes: 0 nothing fails; 1 a mistake, or a host that can't be reached; 2 a control fails or is unknown.`;

/**
 * @returns undefined when help was asked for.
 * @throws ReportError with what is wrong
 */
export function parseReportOptions(args: string[]): ReportOptions | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  const [stack, ...more] = positionals;
  if (stack === undefined || more.length > 0) throw new ReportError(`${stack === undefined ? "which stack?" : `one stack at a time, not also ${more.join(", ")}`}\n\n${usage}`);
  return { stack, format: formatOf(values.format, values.output), output: values.output, hosts: values.host.flatMap((names) => names.split(",")).filter(Boolean), failOn: failOnOf(values["fail-on"]) };
}

// --- Internal ---

const parse = (args: string[]) =>
  parseWords(
    () =>
      parseArgs({
        args,
        allowPositionals: true,
        options: {
          format: { type: "string" },
          output: { type: "string", short: "o" },
          host: { type: "string", multiple: true, default: [] },
          "fail-on": { type: "string", default: "fail,unknown" },
          help: { type: "boolean", short: "h", default: false },
        },
      }),
    usage,
    (text, options) => new ReportError(text, options),
  );

const endings: Record<string, Format> = { html: "html", htm: "html", md: "md", json: "json", xml: "junit", sarif: "sarif" };

function formatOf(format: string | undefined, output: string | undefined): Format {
  if (format === undefined) return endings[/\.(\w+)$/.exec(output ?? "")?.[1] ?? "md"] ?? "md";
  const known = formats.find((name) => name === format);
  if (!known) throw new ReportError(`--format ${format}: allowed are ${formats.join(", ")}${didYouMean(format, formats)}`);
  return known;
}

function failOnOf(list: string): ReportVerdict[] {
  if (list === "none") return [];
  return list.split(",").map((word) => {
    const known = verdicts.find((verdict) => verdict === word.trim());
    if (!known) throw new ReportError(`--fail-on ${word}: allowed are ${verdicts.join(", ")}, with commas, or none${didYouMean(word, verdicts)}`);
    return known;
  });
}
