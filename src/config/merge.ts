/** Merging layers: tables merge key by key, lists and single values replace, `null` takes away what was inherited. */

import type { Path } from "./problems.ts";

export type Table = Record<string, unknown>;

export function isTable(value: unknown): value is Table {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  // What a program hands over may be an instance of something, e.g. a resource: that is no table of settings.
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** `over` on top of `under`. A `null` stays in the result, so that it can still take away when the result is merged on. */
export function mergeLayers(under: Table, over: Table): Table {
  const merged = new Map(Object.entries(under));
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const below = merged.get(key);
    merged.set(key, isTable(below) && isTable(value) ? mergeLayers(below, value) : value);
  }
  return Object.fromEntries(merged);
}

/** The layers of a host, lowest first. A layer that changes the log driver drops the options of the one below. */
export function mergeAll(layers: readonly Table[]): Table {
  let merged: Table = {};
  for (const layer of layers) {
    const driver = isTable(layer["daemon"]) ? layer["daemon"]["log-driver"] : undefined;
    const below = isTable(merged["daemon"]) ? merged["daemon"] : {};
    if (driver !== undefined && driver !== below["log-driver"]) {
      merged = { ...merged, daemon: Object.fromEntries(Object.entries(below).filter(([key]) => key !== "log-opts")) };
    }
    merged = mergeLayers(merged, layer);
  }
  return merged;
}

/** The value without any key that is `null`. */
export function withoutNulls<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutNulls) as T;
  if (!isTable(value)) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined);
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutNulls(inner)])) as T;
}

/** The value without what stands at `path`, so that one mistake does not hide the others. */
export function without(value: unknown, path: Path): unknown {
  const [step, ...rest] = path;
  if (step === undefined || typeof step === "number" || !isTable(value)) return undefined;
  const inner = rest.length > 0 && isTable(value[step]) ? without(value[step], rest) : undefined;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, old]) => (key !== step ? [[key, old]] : inner === undefined ? [] : [[key, inner]])),
  );
}

/** Whether something, `null` included, stands at `path`. */
export function has(value: unknown, path: readonly string[]): boolean {
  let current = value;
  for (const step of path) {
    if (!isTable(current) || !Object.hasOwn(current, step) || current[step] === undefined) return false;
    current = current[step];
  }
  return true;
}
