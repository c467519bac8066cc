/** A rollback from beginning to end: choose, show, ask, apply, say how the code is made to agree. */

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { parse } from "yaml";
import { readFleet, StackFileError, type Fleet } from "../../src/config/fleet.ts";
import { readStackFile } from "../../src/config/stack-file.ts";
import type { HostArgs } from "../../src/desired/host-inputs.ts";
import { renderRecordedHosts, rollbackVariable } from "../../src/program/recorded-hosts.ts";
import { parseCheckpoint, type Checkpoint } from "../../src/rollback/checkpoint.ts";
import { chooseFromFile, chooseFromHistory, type Choice } from "../../src/rollback/choose-hosts.ts";
import { originOf, rollbackMessage, updateBefore, updateNamed } from "../../src/rollback/choose-update.ts";
import { adviseCode } from "../../src/rollback/code-advice.ts";
import { consentsToday, windowToday } from "../../src/rollback/consents.ts";
import { RollbackError } from "../../src/rollback/error.ts";
import { readUnpacked } from "../../src/rollback/file-history.ts";
import { headline, type Update } from "../../src/rollback/history.ts";
import { openHistory, shortName } from "../../src/rollback/open-history.ts";
import { readPreview, type Preview } from "../../src/rollback/preview.ts";
import { argsToday } from "../../src/rollback/recorded-args.ts";
import { renderUpdates } from "../../src/rollback/updates-table.ts";
import { fromHere } from "../from-here.ts";
import { askEngine, root, runEngine } from "./engine.ts";
import type { RollbackOptions } from "./options.ts";
import { counted, named, sayChoice, sayEnd, sayMissing, sayPreview } from "./say.ts";
import { hostType } from "../../src/urn.ts";

/**
 * @returns the exit code
 * @throws RollbackError
 */
export async function rollBack(options: RollbackOptions): Promise<number> {
  const { stack, hosts: only, allow, yes } = options;
  const current = parseCheckpoint(await askEngine(["stack", "export", "--stack", stack]), `the state of ${stack}`);
  const { choice, where, update, origin } = await choose(options, { current, only });
  sayChoice(choice, where, update);
  if (choice.taken.length === 0) throw new RollbackError(`no host can go back to ${where}`);

  const fleet = declaredToday(stackFile(stack));
  const hosts = new Map(hostsNow(current));
  for (const { name, args } of choice.taken) {
    const { window: recorded, ...rest } = args;
    const [declared, now] = [fleet?.hosts.get(name), hosts.get(name)];
    hosts.set(name, { ...rest, ...windowToday(declared, now, { ...(recorded && { window: recorded }) }), allow: consentsToday(declared, now, allow) });
  }
  const folder = mkdtempSync(join(tmpdir(), "drydock-rollback-"));
  try {
    const file = join(folder, "hosts.json");
    writeFileSync(file, renderRecordedHosts(hosts), { mode: 0o600 });
    const engine = { words: ["--stack", stack, ...choice.taken.flatMap(({ name }) => ["--target", targetOf(name, current)])], env: { [rollbackVariable]: file } };

    const preview = await lookAhead(engine);
    sayPreview(preview);
    if (preview.hosts.length === 0) {
      console.log(`\nNothing to do: ${counted(choice.taken.length)} as in ${where} already. Nothing was touched.`);
      sayCode(stack, origin, fleet);
      return sayMissing(choice) ? 0 : 1;
    }
    if (!yes && !(await agreed(`\nTake ${named(preview)} back to ${where}?`))) {
      console.log("Nothing was touched.");
      return 1;
    }
    const note = update ? headline(update.message) : "";
    const message = rollbackMessage(update?.number ?? basename(where), note);
    const { exitCode } = await runEngine(["up", "--yes", "--skip-preview", "--message", message, ...engine.words], { env: engine.env, show: true });
    if (exitCode !== 0) {
      console.error("\nrollback: not every host went back; what each one said is above. Once its reason is mended, the same command goes on from there.");
      return 1;
    }
    const after = parseCheckpoint(await askEngine(["stack", "export", "--stack", stack]), `the state of ${stack}`);
    const allBack = sayEnd(preview, after, where);
    sayCode(stack, origin, fleet);
    const noneMissing = sayMissing(choice);
    return allBack && noneMissing ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// --- Internal ---

interface Chosen {
  choice: Choice;
  /** `update 2`, or the file. */
  where: string;
  update?: Update;
  /** Whose stack file it is, when that one was a rollback itself. */
  origin?: Update;
}

async function choose({ stack, to, from }: RollbackOptions, wanted: { current: Checkpoint; only: string[] }): Promise<Chosen> {
  if (from !== undefined) {
    const file = fromHere(from);
    if (!existsSync(file)) throw new RollbackError(`--from ${from}: is not there`);
    return { choice: await chooseFromFile(parseCheckpoint(readUnpacked(file), from), from, wanted), where: from };
  }
  const history = await openHistory(stack, { folder: root, project, ask: askEngine });
  if (to === undefined) console.log(await renderUpdates(history));
  const update = to === undefined ? await updateBefore(history, wanted.only) : updateNamed(to, history);
  return { choice: await chooseFromHistory(history, update, wanted), where: `update ${update.number}`, update, origin: originOf(update, history) ?? withoutCommit(update) };
}

const { name: project } = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as { name: string };

const stackFile = (stack: string) => join("stacks", `Pulumi.${shortName(stack)}.yaml`);

/** It may be the very mistake that is taken back; then the consents in the state hold. */
function declaredToday(file: string): Fleet | undefined {
  const path = join(root, file);
  if (!existsSync(path)) return undefined;
  try {
    return readFleet(readStackFile(path));
  } catch (error) {
    if (!(error instanceof StackFileError)) throw error;
    console.log(`\n${file} can't be used as it is; the consents of the last update hold, and those of --allow.`);
    return undefined;
  }
}

/** Those that are not taken back are registered as they are, and not touched. */
function hostsNow(current: Checkpoint): [string, HostArgs][] {
  return [...current.values()].flatMap(({ name, inputs }): [string, HostArgs][] => {
    const args = argsToday(inputs);
    return args ? [[name, args]] : [];
  });
}

/** A name that is not in the state stops the engine, which looks for it before the program runs; a pattern does not. */
const targetOf = (name: string, current: Checkpoint) => current.get(name)?.urn ?? `**::${hostType}::${name}`;

interface Engine {
  words: string[];
  env: Record<string, string>;
}

async function lookAhead({ words, env }: Engine): Promise<Preview> {
  const { exitCode, stdout, stderr } = await runEngine(["preview", "--json", ...words], { env: { ...env, PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true" } });
  const preview = readPreview(stdout);
  if (exitCode !== 0) throw new RollbackError(["the preview failed, and nothing was touched:", ...preview.notes, ...preview.hosts.flatMap(({ said }) => said.map(({ text }) => text)), stderr.trim()].join("\n"));
  if (!preview.ended) throw new RollbackError(["the preview came to no end, so nobody knows what would change; nothing was touched", ...preview.notes, stderr.trim()].filter(Boolean).join("\n"));
  return preview;
}

async function agreed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new RollbackError("nobody is there to be asked; with --yes it goes on without. Nothing was touched.");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Ctrl-C and Ctrl-D are a no.
  terminal.once("SIGINT", () => terminal.close());
  try {
    const answer = await Promise.race([terminal.question(`${question} [y/N] `).catch(() => ""), once(terminal, "close").then(() => "")]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

function sayCode(stack: string, origin: Update | undefined, fleet: Fleet | undefined): void {
  const templates = relative(root, resolve(root, fleet?.templates ?? "templates"));
  const file = stackFile(stack);
  console.log(`\nThe next plain \`pulumi up\` applies what ${file} says, whatever was rolled back.`);
  if (origin) console.log(adviseCode(origin, [file, ...(templates.startsWith("..") ? [] : [templates])], git));
}

/** What came from a file was made at a commit that says nothing of it. */
function withoutCommit(update: Update): Update {
  const copy = { ...update };
  delete copy.commit;
  return copy;
}

function git(words: string[]): string | undefined {
  try {
    return execFileSync("git", words, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return undefined;
  }
}
