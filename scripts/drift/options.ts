/** What `npm run drift --` may be given. */

import { parseArgs } from "node:util";
import { exitCodes } from "../../src/drift/report.ts";
import { formatOf, formats, type Format } from "../../src/drift/formats.ts";
import { DriftError } from "./error.ts";
import { parseWords } from "../command.ts";

export interface DriftOptions {
  stack: string;
  /** Of what is printed. */
  format: Format;
  pendingFails: boolean;
  /** Files to write besides, each in the format that its name says. */
  outputs: { file: string; format: Format }[];
}

export const usage = `npm run drift -- STACK                       what drifted on the hosts, and what the stack file changes
npm run drift -- STACK --format md          text (the default), md, json, junit, sarif or html
npm run drift -- STACK --output drift.html --output drift.sarif
                                            writes files, too: .txt .md .json .xml (JUnit) .sarif .html
npm run drift -- STACK --pending-fails      what waits for a restart or a reboot counts as well

Nothing is changed, neither on a host nor in the stack's state. Exit codes, the worst one counts:
${Object.entries(exitCodes).map(([code, meaning]) => `  ${code}  ${meaning}`).join("\n")}`;

/** @returns undefined when help was asked for. */
export function parseOptions(args: string[]): DriftOptions | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  const [stack, ...more] = positionals;
  const outputs = values.output.map((file) => ({ file, format: formatOf(file) }));
  const mistakes = [
    ...(stack === undefined ? ["no stack is named"] : []),
    ...(stack !== undefined && !/^[\w.-]+(\/[\w.-]+){0,2}$/.test(stack) ? [`${JSON.stringify(stack)} is no name of a stack`] : []),
    ...(more.length > 0 ? [`one stack at a time, and not also ${more.join(", ")}`] : []),
    ...(isFormat(values.format) ? [] : [`--format ${values.format}: allowed are ${Object.keys(formats).join(", ")}`]),
    ...outputs.filter(({ format }) => format === undefined).map(({ file }) => `--output ${file}: its name has to end in ${Object.values(formats).flatMap(({ endings }) => endings).join(", ")}`),
  ];
  if (mistakes.length > 0 || stack === undefined || !isFormat(values.format)) throw new DriftError(`${mistakes.join("\n")}\n\n${usage}`);
  return { stack, format: values.format, pendingFails: values["pending-fails"], outputs: outputs.flatMap(({ file, format }) => (format === undefined ? [] : [{ file, format }])) };
}

// --- Internal ---

const isFormat = (name: string): name is Format => Object.hasOwn(formats, name);

const parse = (args: string[]) =>
  parseWords(
    () =>
      parseArgs({
        args,
        allowPositionals: true,
        options: {
          "format": { type: "string", default: "text" },
          "output": { type: "string", multiple: true, default: [] },
          "pending-fails": { type: "boolean", default: false },
          "help": { type: "boolean", short: "h", default: false },
        },
      }),
    usage,
    (text, options) => new DriftError(text, options),
  );
