import { expect, it } from "vitest";
import { countReport, summarize, type Part, type Report } from "../../scripts/test/report.mjs";

function report(counts: Partial<Report>): Report {
  return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, success: true, testResults: [], ...counts };
}

const LINT: Part = { name: "lint", passed: 1, failed: 0, skipped: 0, problems: [], failures: [] };

it("ends with the sum of all parts", () => {
  const unit = countReport("unit", report({ numPassedTests: 40, numPendingTests: 1, numTodoTests: 1 }), 0, "");
  const { lines, exitCode } = summarize([LINT, unit]);
  expect(lines).toEqual(["ok   lint  1 passed, 0 failed, 0 skipped", "ok   unit  40 passed, 0 failed, 2 skipped", "41 passed, 0 failed, 2 skipped"]);
  expect(exitCode).toBe(0);
});

it("fails with a failed test", () => {
  const unit = countReport("unit", report({ numPassedTests: 4, numFailedTests: 1 }), 1, "exit code 1");
  expect(unit).toMatchObject({ passed: 4, failed: 1, problems: [] });
  expect(summarize([unit])).toMatchObject({ exitCode: 1 });
});

it("names the tests that failed, with the beginning and the end of what they said", () => {
  const message = ["Error: begin", ...Array.from({ length: 40 }, (_, i) => `line ${i}`), "end", "    at judge (trial.ts:92:34)"].join("\n");
  const results = [
    { fullName: "a host is whole", status: "passed", failureMessages: [] },
    { fullName: "a host is hardened", status: "failed", failureMessages: [message] },
  ];
  const part = countReport("e2e", report({ numPassedTests: 1, numFailedTests: 1, testResults: [{ name: "a.test.ts", status: "failed", assertionResults: results }] }), 1, "exit code 1");
  const lines = ["a host is hardened", "  Error: begin", "  line 0", "  line 1", "  …", "  line 35", "  line 36", "  line 37", "  line 38", "  line 39", "  end"];
  expect(summarize([part]).lines).toEqual(["FAIL e2e  1 passed, 1 failed, 0 skipped", ...lines.map((line) => `     ${line}`), "1 passed, 1 failed, 0 skipped"]);
});

it.each<[string, Report | undefined, number, string]>([
  ["vitest wrote no report", undefined, 137, "no report: ended after 5 s"],
  ["no test was executed", report({ numPendingTests: 3 }), 0, "no test was executed"],
  ["a file could not be loaded", report({ numPassedTests: 2, testResults: [{ name: "a.test.ts", status: "failed", assertionResults: [] }] }), 1, "could not be loaded: a.test.ts"],
  ["something failed outside of all tests", report({ numPassedTests: 2 }), 1, "all tests passed, but vitest failed: ended after 5 s"],
])("counts one failure when %s", (_, written, code, problem) => {
  const part = countReport("unit", written, code, "ended after 5 s");
  expect(part).toMatchObject({ failed: 1, problems: [problem] });
  expect(summarize([LINT, part])).toMatchObject({ exitCode: 1 });
});
