import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { homeWithoutLogs } from "../../../scripts/bench/engine-log.ts";
import { temporaryFolder } from "../../support/shell.ts";

it("has the engine of the user's home, no folder for logs, and goes without taking the engine along", () => {
  const own = temporaryFolder();
  mkdirSync(join(own, "versions"));
  writeFileSync(join(own, "versions", "engine"), "3");
  const home = homeWithoutLogs(own);
  expect(readFileSync(join(home.path, "versions", "engine"), "utf8")).toBe("3");
  expect(() => mkdirSync(join(home.path, "logs"), { recursive: true })).toThrow("EEXIST");
  home.remove();
  expect(existsSync(home.path)).toBe(false);
  expect(readFileSync(join(own, "versions", "engine"), "utf8")).toBe("3");
});
