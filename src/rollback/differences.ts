/** What differs between two recorded states of a host: the parts, for a table, and the whole, for people to read. */

import { isDeepStrictEqual } from "node:util";
import type { Checkpoint, RecordedHost } from "./checkpoint.ts";

/** What a rollback puts back: how the host is reached and what it consents to is of today. */
export const parts = ["daemon", "files", "modes", "volumes"] as const;
export type Part = (typeof parts)[number];

export interface StateDifference {
  added: string[];
  removed: string[];
  /** By host. */
  changed: Map<string, Part[]>;
}

/** What `after` has another way than `before`. */
export function stateDifference(before: Checkpoint, after: Checkpoint): StateDifference {
  const both = [...after.values()].flatMap((host): [string, Part[]][] => {
    const old = before.get(host.name);
    const changed = old === undefined ? [] : changedParts(old, host);
    return changed.length === 0 ? [] : [[host.name, changed]];
  });
  return {
    added: [...after.keys()].filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    changed: new Map(both),
  };
}

export const changedParts = (before: RecordedHost, after: RecordedHost): Part[] => parts.filter((part) => !isDeepStrictEqual(before.inputs[part], after.inputs[part]));
