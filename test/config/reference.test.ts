import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, it } from "vitest";

import { outputs } from "../../scripts/reference.ts";

it.each(Object.entries(outputs))("%s is what `npm run reference` writes", (file, render) => {
  expect(readFileSync(join(import.meta.dirname, "../..", file), "utf8") === render(), `${file} is stale: npm run reference`).toBe(true);
});

it("gives editors every key, with its cost", () => {
  expect(outputs["docs/stack-file.schema.json"]()).toContain("Cost of a change: containers made again. CIS 2.9.");
  expect(outputs["docs/reference.md"]()).toContain("| `icc` | true or false |  | `false` | true | 2.2 | restart |");
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
