/** A Pulumi stack of the demo's own: its state is in a folder, the user's backend and login are not touched. */

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parse, parseDocument, YAMLMap } from "yaml";
import { DemoError } from "./error.ts";
import { dim, isColorful } from "./steps.ts";

export interface RunOptions {
  /** Exit codes that are fine. @default [0] */
  expect?: number[];
  quiet?: boolean;
}

export class ScratchStack {
  readonly name: string;
  /** Git ignores it: see .gitignore, `Pulumi.lab*.yaml`. */
  readonly file: string;
  readonly #state: string;

  /** @param name begins with `lab`, so that git ignores its stack file. */
  constructor(name: string, state: string) {
    this.name = name;
    this.file = join(root, "stacks", `Pulumi.${name}.yaml`);
    this.#state = state;
  }

  /** What a shell needs to go on with this stack. */
  get howToEnter(): string {
    const exports = Object.entries(this.#environment).map(([name, value]) => `   export ${name}='${value}'`);
    return [...exports, '   export PATH="$PWD/node_modules/.bin:$PATH"'].join("\n");
  }

  /** Its state holds no secret, so that an empty passphrase does. */
  get #environment(): Record<string, string> {
    return { PULUMI_BACKEND_URL: pathToFileURL(this.#state).href, PULUMI_CONFIG_PASSPHRASE: "" };
  }

  /**
   * Makes the stack, or finds it as an earlier run left it, and sets these values in its stack file. What else somebody wrote
   * there stays, e.g. an `allow`.
   */
  async write(values: [path: string[], value: unknown][]): Promise<void> {
    mkdirSync(this.#state, { recursive: true, mode: 0o700 });
    // A salt of another backend's stack would not fit the passphrase.
    if (!existsSync(join(this.#state, ".pulumi"))) rmSync(this.file, { force: true });
    await this.pulumi(["stack", "select", "--create"], { quiet: true });
    const document = parseDocument(existsSync(this.file) ? readFileSync(this.file, "utf8") : "{}");
    for (const [path, value] of values) document.setIn(["config", ...path], document.createNode(value));
    if (document.contents instanceof YAMLMap) document.contents.flow = false;
    writeFileSync(this.file, document.toString({ lineWidth: 0 }));
  }

  /** The values of the stack file. */
  config(): Record<string, unknown> {
    const { config } = parse(readFileSync(this.file, "utf8")) as { config: Record<string, unknown> };
    return config;
  }

  /** Runs `pulumi` before the user's eyes. */
  async pulumi(args: string[], { expect = [0], quiet = false }: RunOptions = {}): Promise<number> {
    const command = [...args, "--stack", this.name];
    if (!quiet) console.log(dim(`   $ pulumi ${command.join(" ")}\n`));
    const code = await run(command, { ...this.#environment, PULUMI_SKIP_UPDATE_CHECK: "1" }, quiet);
    if (!expect.includes(code)) throw new DemoError(`pulumi ${args.join(" ")} ended with exit code ${code}; what it said is above`);
    return code;
  }

  /** Forgets the stack: file and state. */
  remove(): void {
    rmSync(this.file, { force: true });
    rmSync(this.#state, { recursive: true, force: true });
  }
}

// --- Internal ---

const root = join(import.meta.dirname, "..", "..");

function run(args: string[], environment: Record<string, string>, quiet: boolean): Promise<number> {
  const colored = quiet || !isColorful ? [] : ["--color", "always"];
  return new Promise((resolve, reject) => {
    // Through pipes, so that `close` waits for the engine: the npm package's wrapper dies of Ctrl-C, the engine ends in order.
    const child = spawn(join(root, "node_modules", ".bin", "pulumi"), [...args, ...colored], {
      cwd: root,
      env: { ...withoutPulumi(process.env), ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    const take = (stream: NodeJS.WriteStream) => (chunk: Buffer) => (quiet ? (said += chunk.toString()) : stream.write(chunk));
    child.stdout.on("data", take(process.stdout));
    child.stderr.on("data", take(process.stderr));
    child.on("error", (cause) => reject(new DemoError("pulumi could not be started; `npm run setup` installs it", { cause })));
    child.on("close", (code) => {
      if (quiet && code !== 0) console.error(said);
      resolve(code ?? 130);
    });
  });
}

/** A token, a backend or an organisation of the user's own must not reach the demo's stack. */
function withoutPulumi(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([key]) => !key.startsWith("PULUMI_") || key === "PULUMI_HOME"));
}
