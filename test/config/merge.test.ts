import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { has, mergeAll, mergeLayers, type Table, without, withoutNulls } from "../../src/config/merge.ts";

// As in a stack file, a name says whether a table, a list or a single value stands there.
const tables = fc.constantFrom("daemon", "limits", "__proto__", "constructor");
const values = fc.constantFrom("icc", "mtu", "toString");
const key: fc.Arbitrary<string> = fc.oneof(tables, values);
const leaf = fc.oneof(fc.integer(), fc.string(), fc.array(fc.integer(), { maxLength: 2 }));
const table = (entries: readonly [string, unknown][]): Table => Object.fromEntries<unknown>(entries);
const leaves: fc.Arbitrary<Table> = fc.dictionary(values, leaf, { maxKeys: 3 });
const nest = (inner: fc.Arbitrary<Table>): fc.Arbitrary<Table> =>
  fc.tuple(leaves, fc.dictionary(tables, inner, { maxKeys: 3 })).map(([own, below]) => table([...Object.entries(own), ...Object.entries(below)]));
const tree = nest(nest(leaves));

describe("mergeLayers", () => {
  it("does not care which two are merged first, as long as none takes away", () => {
    fc.assert(fc.property(tree, tree, tree, (a, b, c) => {
      expect(mergeLayers(mergeLayers(a, b), c)).toEqual(mergeLayers(a, mergeLayers(b, c)));
    }));
  });

  it("changes nothing when a layer comes twice, or is empty", () => {
    fc.assert(fc.property(tree, (a) => {
      expect(mergeLayers(a, a)).toEqual(a);
      expect(mergeLayers(a, {})).toEqual(a);
      expect(mergeLayers({}, a)).toEqual(a);
    }));
  });

  it("lets the upper layer win everywhere it speaks", () => {
    fc.assert(fc.property(tree, tree, (a, b) => {
      expect(mergeLayers(mergeLayers(a, b), b)).toEqual(mergeLayers(a, b));
    }));
  });

  it("takes away with null, and gives back what a later layer sets", () => {
    fc.assert(fc.property(tree, key, (a, gone) => {
      const nulled = table([[gone, null]]);
      expect(Object.hasOwn(withoutNulls(mergeAll([a, nulled])), gone)).toBe(false);
      expect(withoutNulls(mergeAll([a, nulled, table([[gone, 1]])]))[gone]).toBe(1);
    }));
  });

  it("leaves its arguments and every prototype alone", () => {
    fc.assert(fc.property(tree, tree, (a, b) => {
      const before = JSON.stringify([a, b]);
      mergeLayers(a, b);
      expect(JSON.stringify([a, b])).toBe(before);
      expect(({} as Table)["icc"]).toBeUndefined();
    }));
  });

  it("replaces lists", () => {
    expect(mergeLayers({ dns: ["192.0.2.1"] }, { dns: [] })).toEqual({ dns: [] });
  });
});

describe("paths", () => {
  it("are left out and found", () => {
    const value = { a: { b: 1, c: null }, d: [1] };
    expect(without(value, ["a", "b"])).toEqual({ a: { c: null }, d: [1] });
    expect(without(value, ["a"])).toEqual({ d: [1] });
    expect(has(value, ["a", "c"])).toBe(true);
    expect(has(value, ["a", "x"])).toBe(false);
    expect(has(value, ["a", "b", "x"])).toBe(false);
    expect(has({}, ["constructor"])).toBe(false);
  });
});
