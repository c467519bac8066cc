/**
 * Runs the steps of a job of ours as GitHub's runner does: `run` in `bash -e`, with the environment of the workflow, the files for
 * outputs and variables, and artifacts in a folder. What it does not know, an expression above all, is an error and no guess.
 */

import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";

export const project = join(import.meta.dirname, "../..");

export interface Step {
  name?: string;
  id?: string;
  uses?: string;
  run?: string;
  if?: string;
  env?: Record<string, string>;
  with?: Record<string, string | boolean | number>;
}

export interface Job {
  if?: string;
  environment?: string;
  permissions?: Record<string, string>;
  steps: Step[];
}

export interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

export const readWorkflow = (name: string): Workflow => parse(readFileSync(join(project, ".github", "workflows", name), "utf8")) as Workflow;

export interface Ran {
  name: string;
  exitCode: number;
  output: string;
}

/** One run of a workflow: its jobs share artifacts. */
export class WorkflowRun {
  readonly folder: string;
  /** What the last job has put into GITHUB_ENV and GITHUB_STEP_SUMMARY. */
  variables: Record<string, string> = {};
  summary = "";

  readonly #values: Record<string, string>;
  readonly #surroundings: { prefix: string[]; env: Record<string, string>; skip: string[] };

  /**
   * @param values of expressions, e.g. `matrix.stack`
   * @param surroundings what stands before each command and in its environment besides; steps, by name, that can't run here; the
   *   folder of a run whose artifacts are wanted
   */
  constructor(values: Record<string, string>, { prefix = [], env = {}, skip = [], folder = mkdtempSync(join(tmpdir(), "drydock-workflow-")) }: { prefix?: string[]; env?: Record<string, string>; skip?: string[]; folder?: string } = {}) {
    this.folder = folder;
    this.#values = { "runner.temp": this.folder, ...values };
    this.#surroundings = { prefix, env, skip };
  }

  /** Runs until a step fails; later ones only when they say `always()`. */
  async job({ steps }: Job): Promise<Ran[]> {
    this.variables = {};
    this.summary = "";
    const values: Record<string, string> = { ...this.#values };
    const ran: Ran[] = [];
    for (const step of steps) {
      const failed = ran.some(({ exitCode }) => exitCode !== 0);
      if (this.#surroundings.skip.includes(step.name ?? "") || !holds(step.if, failed, values)) continue;
      if (step.uses !== undefined) this.#use(step.uses, step.with ?? {}, values);
      else ran.push(await this.#run(step, values));
    }
    return ran;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  // --- Internal ---

  #use(action: string, given: NonNullable<Step["with"]>, values: Record<string, string>): void {
    const name = action.replace(/@.*/, "");
    const at = (key: string) => filled(String(given[key] ?? ""), values);
    const artifacts = join(this.folder, "artifacts");
    mkdirSync(artifacts, { recursive: true });
    if (name === "actions/upload-artifact") {
      if (existsSync(at("path"))) cpSync(at("path"), join(artifacts, at("name")), { recursive: true });
    } else if (name === "actions/download-artifact") {
      if (given["pattern"] !== "drift-*" || given["merge-multiple"] !== true) throw new Error("this stand-in merges drift-*");
      rmSync(at("path"), { recursive: true, force: true });
      mkdirSync(at("path"));
      for (let i = 0; existsSync(join(artifacts, `drift-${i}`)); i++) cpSync(join(artifacts, `drift-${i}`), at("path"), { recursive: true });
    } else if (!["actions/checkout", "actions/setup-node"].includes(name)) throw new Error(`no stand-in for ${action}`);
  }

  async #run({ name = "", id, run = "", env = {} }: Step, values: Record<string, string>): Promise<Ran> {
    const files = Object.fromEntries(["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"].map((file) => [file, join(this.folder, file)]));
    for (const file of Object.values(files)) writeFileSync(file, "");
    const own = Object.fromEntries(Object.entries(env).map(([key, value]) => [key, filled(value, values)]));
    const command = [...this.#surroundings.prefix, "bash", "-e", "-c", filled(run, values)];
    const result = await start(command, { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...files, ...this.#surroundings.env, ...this.variables, ...own });
    Object.assign(this.variables, pairs(files["GITHUB_ENV"] ?? ""));
    for (const [key, value] of Object.entries(pairs(files["GITHUB_OUTPUT"] ?? ""))) values[`steps.${id ?? ""}.outputs.${key}`] = value;
    this.summary += readFileSync(files["GITHUB_STEP_SUMMARY"] ?? "", "utf8");
    return { name, ...result };
  }
}

// --- Internal ---

function filled(text: string, values: Record<string, string>): string {
  return text.replaceAll(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) => valueOf(expression, values));
}

function valueOf(expression: string, values: Record<string, string>): string {
  const value = values[expression];
  if (value === undefined) throw new Error(`the workflow asks for ${expression}, which this test does not give`);
  return value;
}

function holds(condition: string | undefined, failed: boolean, values: Record<string, string>): boolean {
  if (condition === "always()") return true;
  if (failed) return false;
  if (condition === undefined) return true;
  const [, left = "", right] = /^([\w.]+) == '(\w*)'$/.exec(condition) ?? [];
  if (right === undefined) throw new Error(`this stand-in can't judge: if: ${condition}`);
  return (values[left] ?? "") === right;
}

const pairs = (file: string): Record<string, string> => Object.fromEntries(readFileSync(file, "utf8").split("\n").filter(Boolean).map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));

function start(command: string[], env: Record<string, string>): Promise<{ exitCode: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0] ?? "", command.slice(1), { cwd: project, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const take = (chunk: Buffer) => (output += chunk.toString());
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", reject);
    // `exit` and not `close`: an agent that stays holds the pipes open.
    child.on("exit", (code) => setTimeout(() => resolve({ exitCode: code ?? -1, output }), 20));
  });
}
