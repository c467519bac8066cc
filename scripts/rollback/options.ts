/** What `npm run rollback --` may be given. */

import { parseArgs } from "node:util";
import { didYouMean } from "../../src/config/problems.ts";
import { disruptions, type Disruption } from "../../src/desired/host-inputs.ts";
import { RollbackError } from "../../src/rollback/error.ts";
import { parseWords } from "../command.ts";

export interface RollbackOptions {
  stack: string;
  /** The update to go back to. */
  to: number | undefined;
  /** A file with a checkpoint, in place of the stack's history. */
  from: string | undefined;
  /** All, when it is empty. */
  hosts: string[];
  /** Consents for this rollback alone. */
  allow: Disruption[];
  yes: boolean;
}

export const usage = `npm run rollback -- prod                    lists the updates, and goes back to the one before
npm run rollback -- prod --to 7             to what update 7 had applied
npm run rollback -- prod --host web1        only this host; may be given again
npm run rollback -- prod --from old.json    to a checkpoint, or what \`pulumi stack export\` once printed
npm run rollback -- prod --allow hide-containers
                                            consents for this rollback alone: ${disruptions.join(", ")}
npm run rollback -- prod --yes              does not ask
The exit code is 0 when the hosts are as they were then, and 1 otherwise.`;

/**
 * @returns undefined when help was asked for
 * @throws RollbackError with every mistake
 */
export function parseOptions(args: string[]): RollbackOptions | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  const problems: string[] = [];
  const [stack = "", ...more] = positionals;
  if (stack === "") problems.push("name a stack");
  else if (!/^[A-Za-z0-9][\w.-]*(?:\/[A-Za-z0-9][\w.-]*){0,2}$/.test(stack)) problems.push(`${JSON.stringify(stack)} is no name of a stack`);
  if (more.length > 0) problems.push(`one stack at a time, without ${more.join(" and ")}`);
  if (values.to !== undefined && !/^[1-9]\d{0,8}$/.test(values.to)) problems.push(`--to ${values.to}: allowed is the number of an update, from 1 on`);
  if (values.to !== undefined && values.from !== undefined) problems.push("--to and --from: allowed is one of them");
  for (const word of values.allow.filter((one) => !isDisruption(one))) problems.push(`--allow ${word}: allowed are ${disruptions.join(", ")}${didYouMean(word, disruptions)}`);
  if (problems.length > 0) throw new RollbackError(`${problems.join("\n")}\n\n${usage}`);
  return { stack, to: values.to === undefined ? undefined : Number(values.to), from: values.from, hosts: values.host, allow: values.allow.filter(isDisruption), yes: values.yes };
}

// --- Internal ---

const isDisruption = (word: string): word is Disruption => (disruptions as readonly string[]).includes(word);

const parse = (args: string[]) =>
  parseWords(
    () =>
      parseArgs({
        args,
        allowPositionals: true,
        options: {
          to: { type: "string" },
          from: { type: "string" },
          host: { type: "string", multiple: true, default: [] },
          allow: { type: "string", multiple: true, default: [] },
          yes: { type: "boolean", short: "y", default: false },
          help: { type: "boolean", short: "h", default: false },
        },
      }),
    usage,
    (text, options) => new RollbackError(text, options),
  );
