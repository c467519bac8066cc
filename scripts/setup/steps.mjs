/** What all steps of the set-up share: how they are shown, how they fail, how they run a command. */

import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const PROJECT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Something is missing that we can't get by ourselves. */
export class SetupError extends Error {
  /**
   * @param {string} message what is missing
   * @param {string} fix the command that gets it
   */
  constructor(message, fix) {
    super(message);
    this.fix = fix;
  }
}

/**
 * Runs the steps in order and shows each with its duration; stops at the first that fails.
 * @param {{ name: string, run: () => Promise<string> }[]} steps each returns what it found or did
 * @param {(line: string) => void} print
 * @returns {Promise<number>} exit code
 */
export async function runSteps(steps, print = console.log) {
  const all = Date.now();
  for (const { name, run } of steps) {
    const start = Date.now();
    try {
      const found = await run();
      print(`ok   ${name}: ${found} (${seconds(start)})`);
    } catch (error) {
      print(`FAIL ${name}: ${error instanceof Error ? error.message : String(error)} (${seconds(start)})`);
      if (!(error instanceof SetupError)) throw error;
      print(`     To fix it: ${error.fix}`);
      return 1;
    }
  }
  print(`Set up in ${seconds(all)}.`);
  return 0;
}

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {Record<string, string>} [env] added to our own
 * @property {boolean} [show] let its output through, instead of keeping it
 * @property {number} [limit] seconds; it is ended then
 */

/**
 * Runs a command; never throws: a program that is not there has exit code 127.
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? PROJECT,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", options.show ? "inherit" : "pipe", options.show ? "inherit" : "pipe"],
      // A group of its own, so that the limit ends what it started too.
      detached: options.limit !== undefined,
    });
    let output = "";
    child.stdout?.on("data", (data) => (output += String(data)));
    child.stderr?.on("data", (data) => (output += String(data)));
    const timer = options.limit && setTimeout(() => {
      output += `\nended after ${options.limit} s`;
      if (child.pid) process.kill(-child.pid, "SIGKILL");
    }, options.limit * 1000);
    child.on("error", (error) => resolve({ code: 127, output: error.message }));
    child.on("close", (code) => {
      if (timer) clearTimeout(timer);
      resolve({ code: code ?? 1, output });
    });
  });
}

/**
 * The end of a command's output, for a message.
 * @param {string} output
 */
export function lastLines(output, count = 6) {
  return output.trim().split("\n").slice(-count).join("\n     ");
}

/** @param {number} start */
function seconds(start) {
  return `${((Date.now() - start) / 1000).toFixed(1)} s`;
}
