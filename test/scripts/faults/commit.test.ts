import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { committed } from "../../../scripts/faults/commit.ts";

let folder: string;
const git = (...words: string[]) => execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...words], { cwd: folder, encoding: "utf8" }).trim();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-commit-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function repository(): void {
  git("init", "-q");
  for (const name of ["src", "docs"]) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "file"), "");
  }
  git("add", ".");
  git("commit", "-q", "-m", "begin");
}

it("is the commit of a folder whose covered code is in it, whatever else was changed", async () => {
  repository();
  writeFileSync(join(folder, "docs/file"), "changed");
  expect(await committed(folder, ["src"])).toBe(git("rev-parse", "--short=10", "HEAD"));
});

it.each(["file", "new"])("is none where src/%s is not committed", async (name) => {
  repository();
  writeFileSync(join(folder, "src", name), "changed");
  await expect(committed(folder, ["src"])).rejects.toThrow(
    `the table names the commit that was tried, and these are not committed; commit them first, or try rows with \`--only\`, which writes no table:\n${name === "file" ? " M" : "??"} src/${name}`,
  );
});

it("is none where there is no repository", async () => {
  await expect(committed(folder, ["src"])).rejects.toThrow("there is no git repository");
});
