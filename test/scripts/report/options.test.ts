import { describe, expect, it } from "vitest";
import { parseReportOptions } from "../../../scripts/report/options.ts";

describe("npm run report --", () => {
  const standard = { stack: "prod", format: "md", output: undefined, hosts: [], failOn: ["fail", "unknown"] };

  it.each([
    [["prod"], standard],
    [["prod", "--output", "report.html"], { ...standard, output: "report.html", format: "html" }],
    [["prod", "-o", "report.xml"], { ...standard, output: "report.xml", format: "junit" }],
    [["prod", "--output", "report.txt"], { ...standard, output: "report.txt" }],
    [["prod", "--output", "report.xml", "--format", "json"], { ...standard, output: "report.xml", format: "json" }],
    [["--host", "web1,web2", "prod", "--host", "db1"], { ...standard, hosts: ["web1", "web2", "db1"] }],
    [["prod", "--fail-on", "none"], { ...standard, failOn: [] }],
    [["prod", "--fail-on", "fail, pending,not applicable"], { ...standard, failOn: ["fail", "pending", "not applicable"] }],
    [["--help"], undefined],
  ])("%j is understood", (args, options) => {
    expect(parseReportOptions(args)).toEqual(options);
  });

  it.each([
    [[], /^which stack\?\n\nnpm run report -- prod/],
    [["prod", "dev"], /^one stack at a time, not also dev/],
    [["prod", "--format", "pdf"], /^--format pdf: allowed are html, md, json, junit, sarif$/],
    [["prod", "--format", "jsn"], /; did you mean "json"\?$/],
    [["prod", "--fail-on", "fal"], /^--fail-on fal: allowed are fail, unknown, pending, waived, manual, pass, not applicable, with commas, or none; did you mean "fail"\?$/],
    [["prod", "--hots", "web1"], /'--hots'/],
  ])("%j is refused", (args, message) => {
    expect(() => parseReportOptions(args)).toThrow(message);
  });
});
