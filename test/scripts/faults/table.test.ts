import { describe, expect, it } from "vitest";
import { digestIn, renderTable, rowsIn } from "../../e2e/faults/table.ts";

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
