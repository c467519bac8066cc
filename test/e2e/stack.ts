/** A stack of its own for a test: a real Pulumi engine, a file backend in a scratch folder, a git-ignored stack file. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { $ } from "zx";

export interface Run {
  exitCode: number;
  /** stdout and stderr together, as a person reads them. */
  output: string;
}

const project = join(import.meta.dirname, "../..");

/** A passphrase that must not be found anywhere. */
export const passphrase = "correct-horse-battery-staple";

export class Stack {
  readonly backend = mkdtempSync(join(tmpdir(), "drydock-e2e-"));
  readonly file: string;
  readonly name: string;

  readonly #surroundings: { prefix: string[]; env: Record<string, string> };

  /** @param surroundings what stands before each command, and in its environment besides */
  constructor(name: string, surroundings: { prefix: string[]; env: Record<string, string> } = { prefix: [], env: {} }) {
    this.#surroundings = surroundings;
    this.name = `lab-e2e-${name}`;
    this.file = join(project, "stacks", `Pulumi.${this.name}.yaml`);
  }

  /** Writes the stack file's `drydock:*` values; the engine's own lines in it are made anew. */
  configure(config: Record<string, unknown>): void {
    writeFileSync(this.file, stringify({ config: Object.fromEntries(Object.entries(config).map(([key, value]) => [`drydock:${key}`, value])) }));
  }

  /** The stack file as it is by now, the engine's own lines included. */
  edit(change: (text: string) => string): void {
    writeFileSync(this.file, change(readFileSync(this.file, "utf8")));
  }

  async init(): Promise<void> {
    const { exitCode, output } = await this.pulumi("stack", "init", this.name);
    if (exitCode !== 0) throw new Error(`no stack: ${output}`);
  }

  /** For who starts the engine by himself. */
  readonly project = project;

  get environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      PATH: `${join(project, "node_modules/.bin")}:${process.env.PATH ?? ""}`,
      PULUMI_BACKEND_URL: `file://${this.backend}`,
      PULUMI_CONFIG_PASSPHRASE: passphrase,
      PULUMI_SKIP_UPDATE_CHECK: "1",
      PULUMI_CONTINUE_ON_ERROR: "true",
      ...this.#surroundings.env,
    };
  }

  up = (...options: string[]): Promise<Run> => this.pulumi("up", "--yes", "--skip-preview", "-s", this.name, ...options);
  preview = (...options: string[]): Promise<Run> => this.pulumi("preview", "-s", this.name, ...options);
  destroy = (...options: string[]): Promise<Run> => this.pulumi("destroy", "--yes", "--skip-preview", "-s", this.name, ...options);

  pulumi = (...words: string[]): Promise<Run> => this.run("pulumi", "--color", "never", "--non-interactive", ...words);

  /** Any command, in the project's folder and with the stack's surroundings. */
  async run(...command: string[]): Promise<Run> {
    const result = await $({ cwd: project, env: this.environment, nothrow: true, quiet: true })`${this.#surroundings.prefix} ${command}`;
    return { exitCode: result.exitCode ?? -1, output: result.stdall };
  }

  /** Everything the engine has written: state, history, backups. */
  written(): string {
    const files = readdirSync(this.backend, { recursive: true, encoding: "utf8" }).map((name) => join(this.backend, name));
    return files.filter((file) => statSync(file).isFile()).map((file) => readFileSync(file, "utf8")).join("\n");
  }

  remove(): void {
    rmSync(this.backend, { recursive: true, force: true });
    rmSync(this.file, { force: true });
  }
}

/** Consent to everything: a lab machine is there to be disrupted. */
export const consent = ["hide-containers", "restart-containers", "restore-original"];
