import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../../../scripts/engine.ts";
import { faults } from "../../e2e/faults/faults.ts";
import { codeDigest, digestIn, renderTable, rowsIn } from "../../e2e/faults/table.ts";

const table = readFileSync(join(root, "docs/faults.md"), "utf8");

describe("docs/faults.md", () => {
  it("is of this very code; else run `npm run faults`", () => {
    expect(digestIn(table)).toBe(codeDigest(root));
  });

  it("has a row for each fault in each of its steps, and 60 at least", () => {
    const expected = faults.flatMap(({ name, steps }) => steps.map((step) => `| ${name} | ${step} |`));
    expect(rowsIn(table).map((row) => row.replace(/^\| \d+ (\| [^|]* \| [^|]* \|).*/, "$1"))).toEqual(expected);
    expect(expected.length).toBeGreaterThanOrEqual(60);
  });
});

describe("a table", () => {
  const row = { fault: "power cut, and boot", step: "installing" as const, evidence: "boot a|b", ended: "old" as const, seconds: 40, container: "runs again" as const };
  const text = renderTable([row, { ...row, seconds: 20 }], { date: "2026-11-23", commit: "abc1234", digest: "0123456789abcdef", machine: "2 cores" });

  it("can be read again", () => {
    expect(digestIn(text)).toBe("0123456789abcdef");
    expect(rowsIn(text)).toEqual([String.raw`| 1 | power cut, and boot | installing | boot a\|b | old | runs again | 40 |`, String.raw`| 2 | power cut, and boot | installing | boot a\|b | old | runs again | 20 |`]);
  });

  it("says how long it takes", () => {
    expect(text).toContain("2 rows, 0 mixtures");
    expect(text).toContain("longest 40 s");
  });
});
