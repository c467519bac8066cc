import { appendFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { recipeHash } from "../../lab/machine-image.ts";
import { assertName } from "../../lab/machine.ts";

const KEY = Buffer.from("ssh-ed25519 AAAA");

function recipe(): string {
  const folder = mkdtempSync(join(tmpdir(), "drydock-recipe-"));
  writeFileSync(join(folder, "build.sh"), "true\n");
  writeFileSync(join(folder, "packages.txt"), "auditd\n");
  return folder;
}

it("is the same image for the same recipe, wherever it lies", () => {
  expect(recipeHash(KEY, recipe())).toBe(recipeHash(KEY, recipe()));
});

it("is another image once a file of the recipe or the key changes", () => {
  const folder = recipe();
  const before = recipeHash(KEY, folder);
  expect(recipeHash(Buffer.from("ssh-ed25519 BBBB"), folder)).not.toBe(before);
  appendFileSync(join(folder, "packages.txt"), "docker.io\n");
  expect(recipeHash(KEY, folder)).not.toBe(before);
});

it.each(["", "Lab", "1st", "a_b", "a/../b", "lab-", "x".repeat(33)])("refuses the machine name %j", (name) => {
  expect(() => assertName(name)).toThrow(`"${name}" is no name for a lab machine: allowed are up to 32 of a-z, 0-9 and -, the first a letter`);
});
