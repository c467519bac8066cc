/** The settings of a program as the reader of stack files takes them: what the engine is still to tell is marked as such. */

import { Later } from "../config/later.ts";
import { isTable } from "../config/merge.ts";
import { Output } from "../sdk.ts";

/** Tables and lists of plain values. An instance of anything else becomes something that no setting allows. */
export function plainSettings(value: unknown): unknown {
  if (Output.isInstance(value) || value instanceof Promise) return new Later(value);
  if (Array.isArray(value)) return value.map(plainSettings);
  if (isTable(value)) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainSettings(inner)]));
  if (typeof value === "object" && value !== null) return Symbol(`an instance of ${value.constructor.name}`);
  return typeof value === "bigint" ? Symbol(`${value}n`) : value;
}
