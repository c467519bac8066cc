/** JSON with sorted keys, one a line: the same settings give the same text, and text tools find each key. */

import { isTable } from "../config/merge.ts";

export function sortedJson(value: unknown): string {
  return JSON.stringify(sortKeys(value), undefined, 2);
}

export function sortKeys<T>(value: T): T {
  if (Array.isArray(value)) return value.map(sortKeys) as T;
  if (!isTable(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)])) as T;
}
