/** One preview of a stack by the real engine, read and put into a report. */

import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { classify } from "../../src/drift/classify.ts";
import { EventReader } from "../../src/drift/events.ts";
import type { Context } from "../../src/drift/formats.ts";
import { secretsOf } from "../../src/redact.ts";
import { reportOn, type DriftReport } from "../../src/drift/report.ts";
import { hostLines } from "../../src/drift/stack-file.ts";
import { runEngine } from "../engine.ts";

export interface Look {
  report: DriftReport;
  context: Context;
}

export async function lookAtStack({ stack, pendingFails }: { stack: string; pendingFails: boolean }): Promise<Look> {
  const reader = new EventReader();
  const { exitCode, stderr } = await runEngine({
    // Without --refresh nobody would look at the hosts in a project whose Pulumi.yaml does not say so.
    words: ["preview", "--json", "--refresh", "--non-interactive", "--color", "never", "--stack", stack],
    env: { PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "1" },
    onLine: (line) => reader.take(line),
  });
  const report = reportOn(classify(reader.gathered, { exitCode, stderr }), { stack, pendingFails, secrets: secretsOf(process.env) });
  const file = join(root, "stacks", `Pulumi.${stack.split("/").at(-1) ?? stack}.yaml`);
  const lines = existsSync(file) ? hostLines(readFileSync(file, "utf8")) : new Map<string, number>();
  return { report, context: { stackFile: relative(root, file), lines } };
}

// --- Internal ---

const root = join(import.meta.dirname, "..", "..");
