import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { figurePath, renderFigure } from "../../scripts/figure.ts";

it("draws the picture in the docs; `node scripts/figure.ts` makes it anew", () => {
  expect(readFileSync(figurePath, "utf8")).toBe(renderFigure());
});

it("draws every folder of src that data walks through", () => {
  const picture = renderFigure();
  for (const folder of ["config", "desired", "provider", "plan", "remote", "observed", "effect", "cis"]) {
    expect(picture).toContain(`src/${folder}`);
  }
});
