/** The reports that the jobs before have left, one for each stack. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "./github.mjs";

/**
 * @typedef {object} StackReport
 * @property {string} stack
 * @property {string} marker as `npm run drift -- --format md` begins
 * @property {number} code exit code of `npm run drift`; 1 without a report
 * @property {string} [markdown] absent when there is no report: its job has ended before
 */

/**
 * Every stack of DRYDOCK_STACKS, whether or not its job got so far: silence would look like "no drift".
 *
 * @param {string} folder
 * @returns {StackReport[]}
 */
export function readReports(folder) {
  /** @type {Map<string, { code: number, markdown: string }>} */
  const found = new Map();
  for (const name of list(folder).filter((file) => file.endsWith(".json"))) {
    try {
      const { stack, exitCode } = JSON.parse(readFileSync(join(folder, name), "utf8"));
      found.set(stack, { code: exitCode, markdown: readFileSync(join(folder, name.replace(/json$/, "md")), "utf8") });
    } catch (error) {
      // Cut off by a full disk, for instance: its stack has no report, which is said there.
      console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const stacks = JSON.parse(env("DRYDOCK_STACKS"));
  return stacks.map((/** @type {string} */ stack) => ({ code: 1, ...found.get(stack), stack, marker: `<!-- drydock:drift:${stack.replaceAll(/[^\w./-]|--/g, "_")} -->` }));
}

/** @param {string} folder */
function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    // No job has left anything.
    return [];
  }
}
