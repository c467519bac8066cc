/** The engine's command line, as a rollback asks it: before the user's eyes, or for what it prints. */

import { RollbackError } from "../../src/rollback/error.ts";
import { EngineError, runEngine as runPulumi } from "../engine.ts";

export { root } from "../engine.ts";

export interface EngineRun {
  exitCode: number;
  /** Empty when it was shown. */
  stdout: string;
  stderr: string;
}

export interface EngineOptions {
  env?: Record<string, string>;
  /** Before the user's eyes. */
  show?: boolean;
}

/** @throws RollbackError when it can't be started */
export async function runEngine(words: string[], { env = {}, show = false }: EngineOptions = {}): Promise<EngineRun> {
  const shown = { onLine: (line: string) => void process.stdout.write(`${line}\n`), onError: (chunk: string) => void process.stderr.write(chunk) };
  try {
    const { exitCode, lines, stderr } = await runPulumi({
      words: [...words, "--non-interactive", "--color", show && process.stdout.isTTY ? "always" : "never"],
      env,
      ...(show ? shown : {}),
    });
    return { exitCode, stdout: lines.map((line) => `${line}\n`).join(""), stderr };
  } catch (error) {
    throw error instanceof EngineError ? new RollbackError(error.message, { cause: error.cause }) : error;
  }
}

/** What it prints. @throws RollbackError with what it says when it fails */
export async function askEngine(words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runEngine(words);
  if (exitCode !== 0) throw new RollbackError(`pulumi ${words.join(" ")} ended with exit code ${exitCode}: ${(stderr || stdout).trim()}`);
  return stdout;
}
