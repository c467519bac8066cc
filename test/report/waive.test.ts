import { describe, expect, it } from "vitest";
import { aboutWaiver, judge } from "../../src/report/waive.ts";
import type { Verdict } from "../../src/cis/evaluate.ts";

const waiver = { reason: "no plugin yet", until: "2027-03-31" };

describe("a waiver", () => {
  it.each<[Verdict, string, ReturnType<typeof judge>["verdict"], string, string]>([
    ["fail", "2026-11-23", "waived", "in force", "waived until 2027-03-31: no plugin yet"],
    ["fail", "2027-03-31", "waived", "in force", "waived until 2027-03-31: no plugin yet"],
    ["fail", "2027-04-01", "fail", "expired", "the waiver expired on 2027-03-31: no plugin yet"],
    ["manual", "2026-11-23", "waived", "in force", "waived until 2027-03-31: no plugin yet"],
    ["manual", "2027-04-01", "fail", "expired", "the waiver expired on 2027-03-31: no plugin yet"],
    ["pass", "2026-11-23", "pass", "not needed", "the waiver until 2027-03-31 is not needed: no plugin yet"],
    ["pass", "2027-04-01", "pass", "not needed", "the waiver until 2027-03-31 is not needed: no plugin yet"],
    ["not applicable", "2026-11-23", "not applicable", "not needed", "the waiver until 2027-03-31 is not needed: no plugin yet"],
    ["unknown", "2026-11-23", "unknown", "in force", "the waiver until 2027-03-31 does not cover what is unknown: no plugin yet"],
    ["unknown", "2027-04-01", "unknown", "expired", "the waiver expired on 2027-03-31: no plugin yet"],
    ["pending", "2026-11-23", "pending", "in force", "the waiver until 2027-03-31 does not cover what is pending: no plugin yet"],
  ])("of what is %s makes it on %s %s", (verdict, today, after, state, words) => {
    const judged = judge(verdict, waiver, today);
    expect(judged).toEqual({ verdict: after, waiver: { ...waiver, state } });
    expect(judged.waiver && aboutWaiver(judged.waiver, judged.verdict)).toBe(words);
  });

  it("that nobody has written changes nothing", () => {
    expect(judge("fail", undefined, "2026-11-23")).toEqual({ verdict: "fail" });
  });
});
