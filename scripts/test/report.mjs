/** What the parts of `npm test` add up to. */

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string[]} problems why the part failed, where that is not a test that failed
 */

/**
 * What we read of vitest's JSON report.
 * @typedef {object} Report
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {boolean} success
 * @property {{ name: string, status: string, assertionResults: unknown[] }[]} testResults
 */

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
  if (!report) return { name, passed: 0, failed: 1, skipped: 0, problems: [`no report: ${problem}`] };
  const problems = report.testResults
    .filter((file) => file.status === "failed" && file.assertionResults.length === 0)
    .map((file) => `could not be loaded: ${file.name}`);
  const passed = report.numPassedTests;
  if (passed + report.numFailedTests + problems.length === 0) problems.push("no test was executed");
  if (code !== 0 && report.numFailedTests + problems.length === 0) problems.push(`all tests passed, but vitest failed: ${problem}`);
  const skipped = report.numPendingTests + report.numTodoTests;
  return { name, passed, failed: report.numFailedTests + problems.length, skipped, problems };
}

/**
 * @param {Part[]} parts
 * @returns {{ lines: string[], exitCode: number }} the last line is the sum
 */
export function summarize(parts) {
  const width = Math.max(...parts.map((part) => part.name.length));
  const lines = parts.flatMap((part) => [
    `${part.failed > 0 ? "FAIL" : "ok  "} ${part.name.padEnd(width)}  ${sentence(part)}`,
    ...part.problems.map((problem) => `     ${problem}`),
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

/** @param {{ passed: number, failed: number, skipped: number }} counts */
function sentence({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
