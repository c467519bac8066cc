/** `npm run drift -- STACK`: what drifted on the hosts, and what the stack file changes. Changes nothing. */

import { writeFileSync } from "node:fs";
import { runCommand } from "./command.ts";
import { EngineError } from "./engine.ts";
import { DriftError } from "./drift/error.ts";
import { lookAtStack } from "./drift/look.ts";
import { parseOptions, usage } from "./drift/options.ts";
import { fromHere } from "./from-here.ts";
import { formats } from "../src/drift/formats.ts";

await runCommand("drift", [DriftError, EngineError], main);

async function main(args: string[]): Promise<number> {
  const options = parseOptions(args);
  if (!options) {
    console.log(usage);
    return 0;
  }
  const { report, context } = await lookAtStack(options);
  for (const { file, format } of options.outputs) write(file, formats[format].render(report, context));
  process.stdout.write(formats[options.format].render(report, { ...context, color: options.format === "text" && process.stdout.isTTY && !process.env.NO_COLOR }));
  return report.exitCode;
}

function write(file: string, text: string): void {
  try {
    writeFileSync(fromHere(file), text);
  } catch (cause) {
    throw new DriftError(`--output ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
