/** A stack of the bench's own in a scratch folder, with the engine that users have. */

import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { stringify } from "yaml";
import { measure, type Measured } from "./processes.ts";

export const root = join(import.meta.dirname, "..", "..");

/** Besides this process's own. A value of undefined takes one away. */
export type Environment = Record<string, string | undefined>;

export interface BenchStackOptions {
  /** Begins with `lab`, so that git ignores its stack file. */
  name: string;
  /** The folder with Pulumi.yaml. @default the project's */
  project?: string;
  state: string;
  /** What stands before each command, e.g. to be in a namespace. */
  prefix?: string[];
  env?: Environment;
  /** What goes in front of PATH. */
  path?: string;
}

export class BenchStack {
  readonly #options: BenchStackOptions;

  constructor(options: BenchStackOptions) {
    this.#options = options;
  }

  /** Nothing is known of any host. */
  async init(config: Record<string, unknown> = {}): Promise<void> {
    const { name, project = root, state } = this.#options;
    this.remove();
    mkdirSync(state, { recursive: true });
    const made = await this.pulumi(["stack", "init", name]);
    if (made.exitCode !== 0) throw new Error(`no stack for the bench: ${made.output}`);
    const values = Object.fromEntries(Object.entries(config).map(([key, value]) => [`drydock:${key}`, value]));
    if (project === root) writeFileSync(this.#file, stringify({ config: values }));
  }

  up = (memory: boolean, env: Environment = {}): Promise<Measured> => this.pulumi(["up", "--yes", "--skip-preview", "--stack", this.#options.name], memory, env);
  preview = (memory: boolean): Promise<Measured> => this.pulumi(["preview", "--diff", "--stack", this.#options.name], memory);

  pulumi(words: string[], memory = false, more: Environment = {}): Promise<Measured> {
    const { project = root, state, prefix = [], env = {}, path } = this.#options;
    const own = {
      PATH: [...(path === undefined ? [] : [path]), join(root, "node_modules", ".bin"), process.env.PATH ?? ""].join(delimiter),
      PULUMI_BACKEND_URL: `file://${state}`,
      PULUMI_CONFIG_PASSPHRASE: "bench",
      PULUMI_SKIP_UPDATE_CHECK: "1",
      ...env,
      ...more,
    };
    return measure([...prefix, "pulumi", "--color", "never", "--non-interactive", ...words], { cwd: project, env: own, memory });
  }

  remove(): void {
    rmSync(this.#options.state, { recursive: true, force: true });
    if (existsSync(this.#file)) rmSync(this.#file);
  }

  get #file(): string {
    const { name, project } = this.#options;
    return project === undefined ? join(root, "stacks", `Pulumi.${name}.yaml`) : join(project, `Pulumi.${name}.yaml`);
  }
}
