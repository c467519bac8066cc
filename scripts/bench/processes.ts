/** A command with all that it starts: how long it takes, and how much memory the engine and the providers need at most. */

import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export interface Measured {
  seconds: number;
  exitCode: number;
  output: string;
  memory: Memory;
}

/** KiB at most: of each kind of process all together, at the same time. */
export interface Memory {
  engine: number;
  program: number;
  providers: number;
  /** How many provider processes there were at the same time. */
  providerCount: number;
}

export interface RunOptions {
  cwd: string;
  env: Record<string, string | undefined>;
  /** Look at the processes' memory, which takes a little time of its own. @default false */
  memory?: boolean;
}

export function measure(command: string[], { cwd, env, memory = false }: RunOptions): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const [program = "", ...words] = command;
    const start = performance.now();
    const child = spawn(program, words, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const most: Memory = { engine: 0, program: 0, providers: 0, providerCount: 0 };
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    child.stderr.on("data", (data: Buffer) => (output += data.toString()));
    const timer = memory && setInterval(() => keepMost(most, memoryOf(child.pid ?? 0)), 150);
    child.on("error", reject);
    // Not `close`: a shared connection of ssh may hold our pipes.
    child.on("exit", (code) => {
      const took = (performance.now() - start) / 1000;
      if (timer) clearInterval(timer);
      setImmediate(() => resolve({ seconds: took, exitCode: code ?? -1, output, memory: most }));
    });
  });
}

/** What a process is to us, by its words; undefined for those that are not asked for. */
export function kindOf(commandLine: string): "engine" | "program" | "providers" | undefined {
  const words = commandLine.split("\0");
  if (words.some((word) => /\/pulumi-resource-[\w-]+$/.test(word))) return "providers";
  // The engine is a program of its own; what the npm package `pulumi` starts it with is Node.
  if (/\/bin\/pulumi$/.test(words[0] ?? "")) return "engine";
  if (words.some((word) => word.includes("@pulumi/pulumi/cmd/run"))) return "program";
  return undefined;
}

// --- Internal ---

function memoryOf(root: number): Memory {
  const now: Memory = { engine: 0, program: 0, providers: 0, providerCount: 0 };
  for (const pid of descendants(root)) {
    try {
      const kind = kindOf(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
      if (!kind) continue;
      now[kind] += Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
      if (kind === "providers") now.providerCount += 1;
    } catch {
      // Ended meanwhile.
    }
  }
  return now;
}

function keepMost(most: Memory, now: Memory): void {
  for (const key of Object.keys(most) as (keyof Memory)[]) most[key] = Math.max(most[key], now[key]);
}

function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // Ended meanwhile.
    }
  }
  const found: number[] = [];
  const waiting = [root];
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    found.push(pid);
    waiting.push(...(children.get(pid) ?? []));
  }
  return found;
}
