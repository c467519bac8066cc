/** The engine's command line, run in the project's folder. */

import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { RollbackError } from "../../src/rollback/error.ts";

export const root = join(import.meta.dirname, "..", "..");

export interface EngineRun {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface EngineOptions {
  env?: Record<string, string>;
  /** Before the user's eyes. */
  show?: boolean;
}

/** @throws RollbackError when it can't be started */
export function runEngine(words: string[], { env = {}, show = false }: EngineOptions = {}): Promise<EngineRun> {
  return new Promise((resolve, reject) => {
    // Through pipes, so that `close` waits for the engine: the npm package's wrapper dies of Ctrl-C, the engine ends in order.
    const child = spawn("pulumi", [...words, "--non-interactive", "--color", show && process.stdout.isTTY ? "always" : "never"], {
      cwd: root,
      env: { PULUMI_PARALLEL: "32", ...process.env, PATH: [process.env.PATH, join(root, "node_modules", ".bin")].join(delimiter), PULUMI_SKIP_UPDATE_CHECK: "true", PULUMI_CONTINUE_ON_ERROR: "true", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => (show ? process[name].write(text) : (said[name] += text)));
    }
    // Ctrl-C reaches the engine too, which takes its time to end in order.
    const wait = () => undefined;
    process.on("SIGINT", wait);
    child.on("error", (cause) => reject(new RollbackError("pulumi could not be started; `npm run setup` installs it", { cause })));
    child.on("close", (code) => {
      process.off("SIGINT", wait);
      resolve({ exitCode: code ?? 130, ...said });
    });
  });
}

/** What it prints. @throws RollbackError with what it says when it fails */
export async function askEngine(words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runEngine(words);
  if (exitCode !== 0) throw new RollbackError(`pulumi ${words.join(" ")} ended with exit code ${exitCode}: ${(stderr || stdout).trim()}`);
  return stdout;
}
