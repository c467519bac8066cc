/** The real `pulumi`, run for a script of ours: its words, its surroundings, what it prints line by line, how it ended. */

import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

export interface EngineOptions {
  /** After `pulumi`, e.g. `["preview", "--stack", "prod"]`. */
  words: string[];
  /** Besides this process's own. A value of undefined takes one away. */
  env?: Record<string, string | undefined>;
  /** The folder with Pulumi.yaml. @default the project's */
  cwd?: string;
  /** @default the `pulumi` on the PATH, or the project's own */
  program?: string;
  /** Takes each line of stdout as it comes; then they are not kept. */
  onLine?: (line: string) => void;
  /** Takes stderr as it comes, e.g. to show it. */
  onError?: (chunk: string) => void;
}

export interface EngineRun {
  exitCode: number;
  /** Of stdout; empty when `onLine` took them. */
  lines: string[];
  stderr: string;
}

/** The engine is not there, or can't be started. */
export class EngineError extends Error {
  override name = "EngineError";
}

/** Ends in order on Ctrl-C: the engine gets it as well, and waits for the hosts that are being worked on. */
export async function runEngine({ words, env = {}, cwd = root, program = "pulumi", onLine, onError }: EngineOptions): Promise<EngineRun> {
  const child = spawn(program, words, { cwd, env: engineEnvironment({ ...process.env, ...env }), stdio: ["ignore", "pipe", "pipe"] });
  const ignore = () => undefined;
  process.on("SIGINT", ignore);
  try {
    const lines: string[] = [];
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
      onError?.(chunk);
    });
    const ended = new Promise<number>((resolve, reject) => {
      child.on("error", (cause) => reject(new EngineError("pulumi could not be started; `npm run setup` installs it", { cause })));
      child.on("close", (code) => resolve(code ?? 130));
    });
    // A line that no loop waits for yet is kept by readline, an error of the process is not.
    const read = (async () => {
      for await (const line of createInterface({ input: child.stdout, crlfDelay: Infinity })) if (onLine) onLine(line); else lines.push(line);
    })();
    const [exitCode] = await Promise.all([ended, read]);
    return { exitCode, lines, stderr };
  } finally {
    process.off("SIGINT", ignore);
  }
}

/** What every run of ours has, unless the user says otherwise. */
export function engineEnvironment(env: Record<string, string | undefined>): Record<string, string | undefined> {
  return {
    PULUMI_SKIP_UPDATE_CHECK: "1",
    // A host that fails keeps no other from going on.
    PULUMI_CONTINUE_ON_ERROR: "true",
    // The engine's own is four a CPU; most of a host's time is waiting for the network (docs/performance.md).
    PULUMI_PARALLEL: "32",
    ...env,
    PATH: [env["PATH"], join(root, "node_modules", ".bin")].join(delimiter),
  };
}

/** The project's folder. */
export const root = join(import.meta.dirname, "..");
