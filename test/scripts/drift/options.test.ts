import { describe, expect, it } from "vitest";
import { parseOptions, usage } from "../../../scripts/drift/options.ts";
import { exitCodes } from "../../../src/drift/report.ts";

describe("npm run drift --", () => {
  it("takes a stack, and prints text", () => {
    expect(parseOptions(["prod"])).toEqual({ stack: "prod", format: "text", pendingFails: false, outputs: [] });
  });

  it("takes a format, files in others, and whether pending fails", () => {
    expect(parseOptions(["org/drydock/prod", "--format", "md", "--output", "a.html", "--output", "b.sarif.json", "--pending-fails"])).toEqual({
      stack: "org/drydock/prod",
      format: "md",
      pendingFails: true,
      outputs: [{ file: "a.html", format: "html" }, { file: "b.sarif.json", format: "sarif" }],
    });
  });

  it.each([
    [[], "no stack is named\n"],
    [["a", "b", "c"], "one stack at a time, and not also b, c\n"],
    [["-x"], "Unknown option '-x'"],
    [["prod;id"], '"prod;id" is no name of a stack\n'],
    [["prod", "--format", "pdf"], "--format pdf: allowed are text, md, json, junit, sarif, html\n"],
    [["prod", "--format", "constructor"], "--format constructor: allowed are text, md, json, junit, sarif, html\n"],
    [["prod", "--output", "a.pdf"], "--output a.pdf: its name has to end in .txt, .md, .json, .xml, .sarif, .sarif.json, .html\n"],
    [["a b", "--format", "x", "--output", "y"], '"a b" is no name of a stack\n--format x: allowed are text, md, json, junit, sarif, html\n--output y: its name'],
  ])("refuses %j, all mistakes at once", (args, message) => {
    expect(() => parseOptions(args)).toThrow(expect.objectContaining({ name: "DriftError", message: expect.stringContaining(message) as string }) as Error);
  });

  it("explains itself, with every exit code", () => {
    expect(parseOptions(["--help"])).toBeUndefined();
    for (const [code, meaning] of Object.entries(exitCodes)) expect(usage).toContain(`  ${code}  ${meaning}`);
  });
});
