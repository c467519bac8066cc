import { expect, it } from "vitest";
import { median, mebibytes, seconds } from "../../../scripts/bench/statistics.ts";

it.each([
  [[3], 3],
  [[9, 1, 2], 2],
  [[4, 1, 3, 100], 3.5],
])("the median of %j is %d", (values, expected) => {
  expect(median(values)).toBe(expected);
});

it("has no median of nothing", () => {
  expect(() => median([])).toThrow("no values to take a median of");
});

it.each([[0.274, "0.27"], [5.26, "5.3"], [41.9, "42"]])("shows %d s as %s", (value, expected) => {
  expect(seconds(value)).toBe(expected);
});

it("shows KiB as MiB", () => {
  expect(mebibytes(118_000)).toBe("115");
});
