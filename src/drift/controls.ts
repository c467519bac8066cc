/** Which control of the benchmark a place belongs to. */

import type { Control } from "../cis/benchmark.ts";
import { currentBenchmark as benchmark } from "../cis/current.ts";

/** `daemon.icc` and `inEffect.daemon.icc` are 2.2; a file that many controls are about has none. */
export function controlOf(place: string): Control | undefined {
  const key = /^(?:inEffect\.)?daemon\.(.+)$/.exec(place)?.[1];
  if (key !== undefined) return benchmark.controls.find(({ check, setting }) => check.kind === "daemon" && setting === key);
  const path = /^modes\.(.+)$/.exec(place)?.[1];
  return path === undefined ? undefined : benchmark.controls.find(({ check }) => check.kind === "mode" && "path" in check.of && check.of.path === path);
}
