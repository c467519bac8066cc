/** Values of a program that are known only while the engine runs: the address of a machine that is still to be made. */

import { z } from "zod";

import { isTable, type Table, without } from "./merge.ts";
import { type Path, schemaAt } from "./problems.ts";
import { unwrap } from "./setting.ts";

/** Stands for an output or a promise wherever settings are read; what it will be is nobody's business there. */
export class Later {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }

  /** How messages show it. */
  toJSON(): string {
    return "(an output)";
  }
}

/** Where in `value` something is known only later. */
export function laterPaths(value: unknown, path: Path = []): Path[] {
  if (value instanceof Later) return [path];
  if (Array.isArray(value)) return value.flatMap((inner, index) => laterPaths(inner, [...path, index]));
  return isTable(value) ? Object.entries(value).flatMap(([key, inner]) => laterPaths(inner, [...path, key])) : [];
}

/**
 * Why the value at `path` of a layer has to be known by now, or nothing: files and checks are made of all settings but those
 * that say how a host is reached, which nobody needs before it is.
 */
export function whyNotLater(schema: z.core.$ZodType, path: Path): string | undefined {
  const expected = schemaAt(schema, path);
  const single = path[0] === "connection" && path.length > 1;
  if (single && (expected === undefined || !(unwrap(expected) instanceof z.ZodObject))) return undefined;
  const all = path[0] === "connection" ? "a table; only its single values may be outputs, as connection: { host: machine.address }" : "a value that is known at once; only values of connection may be outputs";
  return `an output is not allowed; allowed: ${all}`;
}

/** The two halves of a table: what is known, and what will be, unwrapped. */
export function splitLater<T extends Table>(table: T): { known: T; later: Table } {
  const paths = laterPaths(table);
  return { known: paths.reduce<unknown>((rest, path) => without(rest, path), table) as T, later: pickLater(table) };
}

// --- Internal ---

function pickLater(table: Table): Table {
  return Object.fromEntries(
    Object.entries(table).flatMap(([key, value]): [string, unknown][] => {
      if (value instanceof Later) return [[key, value.value]];
      const inner = isTable(value) ? pickLater(value) : {};
      return Object.keys(inner).length > 0 ? [[key, inner]] : [];
    }),
  );
}
