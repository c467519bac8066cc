/** `npm run report -- <stack>`: evidence of every host of a stack file, hardened or not, from one look at each. Changes nothing. */

import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readFleet, StackFileError, type Fleet } from "../src/config/fleet.ts";
import { didYouMean } from "../src/config/problems.ts";
import { readStackFile } from "../src/config/stack-file.ts";
import type { HostArgs } from "../src/desired/host-inputs.ts";
import { renderFleet } from "../src/program/declared-hosts.ts";
import { collect, type DeclaredHost } from "../src/report/collect.ts";
import { renderers } from "../src/report/formats.ts";
import { buildReport, type Report } from "../src/report/model.ts";
import { countsInWords } from "../src/report/words.ts";
import { RunError } from "../src/sdk.ts";
import { runCommand } from "./command.ts";
import { fromHere } from "./from-here.ts";
import { parseReportOptions, ReportError, usage, type ReportOptions } from "./report/options.ts";

await runCommand("report", [ReportError, StackFileError, RunError], main);

async function main(args: string[]): Promise<number> {
  const options = parseReportOptions(args);
  if (!options) {
    console.log(usage);
    return 0;
  }
  const stack = options.stack.split("/").at(-1) ?? options.stack;
  const hosts = declared(stack, options.hosts);
  // As the engine's own option says; most of it is waiting for the network.
  const limit = Number(process.env.PULUMI_PARALLEL) || 16;
  const report = buildReport(await collect(hosts, limit), { stack, now: new Date() });
  write(report, options);
  return exitCode(report, options);
}

function declared(stack: string, wanted: string[]): DeclaredHost[] {
  const fleet = fleetOf(stack);
  const names = [...fleet.hosts.keys()];
  const unknown = wanted.filter((name) => !fleet.hosts.has(name));
  if (unknown.length > 0) throw new ReportError(unknown.map((name) => `--host ${name}: no host of that name${didYouMean(name, names) || `; known: ${names.join(", ")}`}`).join("\n"));
  const args = renderFleet(fleet);
  return [...fleet.hosts].flatMap(([name, settings]) => {
    const own = args.get(name);
    return own === undefined || (wanted.length > 0 && !wanted.includes(name)) ? [] : [{ name, settings, args: own as HostArgs }];
  });
}

function fleetOf(stack: string): Fleet {
  const file = join("stacks", `Pulumi.${stack}.yaml`);
  if (!existsSync(file)) {
    const known = readdirSync("stacks").flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);
    throw new ReportError(`there is no ${file}${didYouMean(stack, known) || `; known stacks: ${known.join(", ")}`}`);
  }
  return readFleet(readStackFile(file), file);
}

function write(report: Report, { format, output }: ReportOptions): void {
  const text = renderers[format](report);
  if (output === undefined) {
    process.stdout.write(text);
    return;
  }
  // It names hosts, addresses and what is weak on them.
  writeFileSync(fromHere(output), text, { mode: 0o600 });
  console.log(`${output}: ${inOneLine(report)}`);
}

function inOneLine({ total, hosts }: Report): string {
  const lines = hosts.flatMap((host) => (host.reachable ? [] : [`\n  ${host.name} could not be read: ${host.reason}`]));
  return `${total.hosts} ${total.hosts === 1 ? "host" : "hosts"}, ${total.unreachable} unreachable; ${countsInWords(total)}${lines.join("")}`;
}

/** A host that nobody could read weighs more than a control that fails: of it nothing is known. */
function exitCode({ total }: Report, { failOn }: ReportOptions): number {
  if (total.unreachable > 0) return 1;
  return failOn.some((verdict) => total[verdict] > 0) ? 2 : 0;
}
