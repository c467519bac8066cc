import { afterEach, expect, it, vi } from "vitest";
import { resolve } from "node:path";
import { fromHere } from "../../scripts/from-here.ts";

afterEach(() => void vi.unstubAllEnvs());

it.each([
  ["report.html", "/home/me/reports", "/home/me/reports/report.html"],
  ["../report.html", "/home/me/reports", "/home/me/report.html"],
  ["/tmp/report.html", "/home/me/reports", "/tmp/report.html"],
  ["report.html", undefined, resolve("report.html")],
])("takes %s, typed in %s, for %s", (file, typedIn, expected) => {
  vi.stubEnv("INIT_CWD", typedIn);
  expect(fromHere(file)).toBe(expected);
});
