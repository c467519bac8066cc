import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, it } from "vitest";
import { z } from "zod";

import { outputs } from "../../scripts/reference.ts";
import { hostSchema, stackSchema } from "../../src/config/layer.ts";
import { unwrap } from "../../src/config/setting.ts";

it.each(Object.entries(outputs))("%s is what `npm run reference` writes", (file, render) => {
  expect(readFileSync(join(import.meta.dirname, "../..", file), "utf8") === render(), `${file} is stale: npm run reference`).toBe(true);
});

it("gives editors every key, with its cost", () => {
  expect(outputs["docs/stack-file.schema.json"]()).toContain("Cost of a change: containers made again. CIS 2.9.");
  expect(outputs["docs/reference.md"]()).toContain("| `icc` | true or false |  | `false` | true | 2.2 | restart |");
});

it("has a row, with a meaning, for every key of a stack file, or a heading for a table of them", () => {
  const page = outputs["docs/reference.md"]();
  const isTold = (key: string) => new RegExp(`^## ${key}\\b`, "m").test(page) || new RegExp(`^\\| \`${key}\` \\|.* \\| [^|]+ \\|$`, "m").test(page);
  const keysOf = (schema: z.core.$ZodType, at = ""): string[] => {
    const inner = unwrap(schema);
    if (!(inner instanceof z.ZodObject)) return [];
    // A jump host has the keys of a connection.
    return Object.entries(inner.shape as Record<string, z.core.$ZodType>).flatMap(([key, below]) => [`${at}${key}`, ...(key === "proxy" ? [] : keysOf(below, `${at}${key}.`))]);
  };
  const keys = [...keysOf(stackSchema.omit({ defaults: true })), ...keysOf(hostSchema)];
  expect(keys).toEqual(expect.arrayContaining(["profile", "rollout.waves", "window", "groups", "daemon.icc", "limits.total.tasksMax", "connection.proxy"]));
  // Below the heading of its table.
  const withoutTable = (key: string) => key.replace(/^(connection|audit|limits|volume|apparmor|seccomp|daemon|rollout)\./, "");
  expect(keys.filter((key) => !isTold(withoutTable(key)))).toEqual([]);
});

it("tells editors that a short form may stand instead of a table", () => {
  const { $defs } = JSON.parse(outputs["docs/stack-file.schema.json"]()) as { $defs: Record<string, { properties?: Record<string, { anyOf?: object[] }> }> };
  const layers = Object.values($defs).flatMap(({ properties }) => (properties?.audit && properties.daemon ? [properties] : []));
  expect(layers).toHaveLength(2);
  for (const layer of layers) {
    expect(layer.audit?.anyOf).toEqual([{ type: "boolean" }, { $ref: expect.stringMatching(/^#/) as string }]);
    expect(layer.seccomp?.anyOf).toEqual([{ const: "builtin" }, { $ref: expect.stringMatching(/^#/) as string }]);
  }
});
