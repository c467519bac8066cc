/** What the parts of `npm test` add up to. */

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string[]} problems why the part failed, where that is not a test that failed
 * @property {string[]} failures each test that failed, by name, with an excerpt of its message in lines of its own
 */

/**
 * What we read of vitest's JSON report.
 * @typedef {object} Report
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {boolean} success
 * @property {{ name: string, status: string, assertionResults: Result[] }[]} testResults
 */

/**
 * @typedef {object} Result
 * @property {string} fullName
 * @property {string} status
 * @property {string[] | null} [failureMessages] with the stack
 */

/** Lines of a message that are shown from its beginning, and from its end: enough to tell what it is about when a log's end is all there is. */
const EXCERPT = { first: 3, last: 6, width: 240 };

/**
 * Counts one run of vitest. No report, a file that could not be loaded, an error outside of all tests, and a run in which
 * no test executed are failures, each counted as one.
 * @param {string} name
 * @param {Report | undefined} report
 * @param {number} code exit code of vitest
 * @param {string} problem what is known about a bad exit code
 * @returns {Part}
 */
export function countReport(name, report, code, problem) {
  if (!report) return { name, passed: 0, failed: 1, skipped: 0, problems: [`no report: ${problem}`], failures: [] };
  const problems = report.testResults
    .filter((file) => file.status === "failed" && file.assertionResults.length === 0)
    .map((file) => `could not be loaded: ${file.name}`);
  const passed = report.numPassedTests;
  if (passed + report.numFailedTests + problems.length === 0) problems.push("no test was executed");
  if (code !== 0 && report.numFailedTests + problems.length === 0) problems.push(`all tests passed, but vitest failed: ${problem}`);
  const skipped = report.numPendingTests + report.numTodoTests;
  const failures = report.testResults
    .flatMap((file) => file.assertionResults)
    .filter((result) => result.status === "failed")
    .map((result) => [result.fullName, ...(result.failureMessages ?? []).flatMap(excerpt).map((line) => `  ${line}`)].join("\n"));
  return { name, passed, failed: report.numFailedTests + problems.length, skipped, problems, failures };
}

/**
 * @param {Part[]} parts
 * @returns {{ lines: string[], exitCode: number }} the last line is the sum
 */
export function summarize(parts) {
  const width = Math.max(...parts.map((part) => part.name.length));
  const lines = parts.flatMap((part) => [
    `${part.failed > 0 ? "FAIL" : "ok  "} ${part.name.padEnd(width)}  ${sentence(part)}`,
    ...[...part.problems, ...part.failures].flatMap((text) => text.split("\n")).map((line) => `     ${line}`),
  ]);
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const part of parts) {
    sum.passed += part.passed;
    sum.failed += part.failed;
    sum.skipped += part.skipped;
  }
  const exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : 0;
  return { lines: [...lines, sentence(sum)], exitCode };
}

/** @param {string} message */
function excerpt(message) {
  const lines = message
    .split("\n")
    .filter((line) => line.trim() !== "" && !/^\s+at /.test(line))
    .map((line) => line.slice(0, EXCERPT.width));
  return lines.length <= EXCERPT.first + EXCERPT.last ? lines : [...lines.slice(0, EXCERPT.first), "…", ...lines.slice(-EXCERPT.last)];
}

/** @param {{ passed: number, failed: number, skipped: number }} counts */
function sentence({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
