/**
 * `npm test`: set-up, lint, shellcheck, types, unit tests, tests on lab machines. All run, whatever failed before; the last
 * line is `N passed, N failed, N skipped`, in which lint, shellcheck and types count as one each.
 *
 * Plain JavaScript with nothing but Node's own modules: on a new machine it starts before anything is installed.
 */

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { PROJECT, run } from "./setup/steps.mjs";
import { countReport, summarize } from "./test/report.mjs";

const REPORTS = join(PROJECT, "test-results");
const BIN = join(PROJECT, "node_modules", ".bin");
// The whole takes about an hour on two cores without KVM, most of it emulated machines. The limit ends a lab machine that hangs. On a slow
// one the last trials of their kind are not begun any more, and counted as skipped (test/support/time-left.ts).
const LIMITS = { check: 5 * 60, unit: 15 * 60, e2e: secondsFromEnv("DRYDOCK_TEST_E2E_LIMIT", 82 * 60) };
const LATEST_START = LIMITS.e2e * 0.7;

rmSync(REPORTS, { recursive: true, force: true });
mkdirSync(REPORTS, { recursive: true });

/** @type {import("./test/report.mjs").Part[]} */
const parts = [
  await check("set-up", process.execPath, ["scripts/setup.mjs"]),
  await check("lint", "eslint", [".", "--max-warnings", "0"], LIMITS.check),
  await check("shellcheck", "bash", ["scripts/test/shellcheck.sh"], LIMITS.check),
  await check("types", "tsc", ["--noEmit"], LIMITS.check),
  await tests("unit", LIMITS.unit),
  await tests("e2e", LIMITS.e2e),
];
const { lines, exitCode } = summarize(parts);
console.log(`\n${lines.join("\n")}`);
process.exitCode = exitCode;

/**
 * @param {string} name
 * @param {string} command
 * @param {string[]} args
 * @param {number} [limit] seconds
 */
async function check(name, command, args, limit) {
  const { code, problem } = await shown(name, command, args, limit);
  const ok = code === 0;
  // Set-up is no check of the project: it counts only when it fails.
  return { name, passed: ok && name !== "set-up" ? 1 : 0, failed: ok ? 0 : 1, skipped: 0, problems: ok ? [] : [problem], failures: [] };
}

/**
 * @param {string} project of vitest.config.ts
 * @param {number} limit seconds
 */
async function tests(project, limit) {
  const file = join(REPORTS, `${project}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const { code, problem } = await shown(project, "vitest", ["run", "--project", project, ...reporters], limit);
  return countReport(project, readReport(file), code, problem);
}

/**
 * @param {string} name
 * @param {string} command
 * @param {string[]} args
 * @param {number} [limit] seconds
 */
async function shown(name, command, args, limit) {
  console.log(`\n== ${name}`);
  const env = { PATH: `${BIN}${delimiter}${process.env["PATH"] ?? ""}`, DRYDOCK_TEST_UNTIL: String(Date.now() + LATEST_START * 1000) };
  const { code, output } = await run(command, args, { env, show: true, ...(limit && { limit }) });
  return { code, problem: output.trim() || `exit code ${code}` };
}

/** @param {string} file */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // Not written: vitest did not get that far, which countReport takes for a failure.
    return undefined;
  }
}

/**
 * @param {string} name
 * @param {number} fallback
 */
function secondsFromEnv(name, fallback) {
  const text = process.env[name] ?? "";
  return /^[1-9]\d*$/.test(text) ? Number(text) : fallback;
}
