import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quote, writeFile } from "../../src/remote/shell.ts";
import { runSh, temporaryFolder } from "../support/shell.ts";

const anyText = fc.string({ unit: "binary", maxLength: 30 });
const shellText = fc.string({ unit: fc.constantFrom("'", '"', "\\", "$", "`", "\n", " ", "!", "*", "~", "-", "#", "a", "é"), maxLength: 12 });
const word = fc.oneof(anyText, shellText).map((text) => text.replaceAll("\0", ""));

describe("quote", () => {
  it("gives any word back through a real sh", () => {
    // Many words a shell, since starting one costs more than all of its work.
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 100 }), (words) => {
        const printed = runSh(words.map((text) => `printf '%s\\0' ${quote(text)}\n`).join(""));
        expect(printed.toString("utf8").split("\0").slice(0, -1)).toEqual(words);
      }),
      { numRuns: 25 },
    );
  });

  it.each([
    ["", "''"],
    ["/etc/docker/daemon.json", "/etc/docker/daemon.json"],
    ["two words", "'two words'"],
    ["it's", "'it'\\''s'"],
    ["~", "'~'"],
    ["*", "'*'"],
  ])("writes %j as %s", (text, quoted) => {
    expect(quote(text)).toBe(quoted);
  });

  it("refuses what no argument can carry", () => {
    expect(() => quote("a\0b")).toThrow("a shell word cannot hold a NUL character");
  });
});

describe("writeFile", () => {
  it("gives any content back through a real sh", () => {
    const folder = temporaryFolder();
    const content = fc.oneof(fc.string({ unit: "binary", maxLength: 400 }), fc.constantFrom("", "EOF\n", "\nEOF\n", "$(id)\n`id`\n", "no newline at the end")).filter((text) => !text.includes("\0"));
    fc.assert(
      fc.property(fc.array(content, { minLength: 1, maxLength: 20 }), (contents) => {
        runSh(`cd ${quote(folder)}\n${contents.map((text, i) => writeFile(String(i), text)).join("\n")}`);
        expect(contents.map((_, i) => readFileSync(join(folder, String(i)), "utf8"))).toEqual(contents);
      }),
      { numRuns: 8 },
    );
  });
});
