/** Versions of the Docker engine, as `docker info` prints them. */

import type { Observation } from "./observation.ts";

/** Compares `20.10.24+dfsg1` with `23.0` and the like, by their numbers. */
export function compareVersions(a: string, b: string): number {
  const numbers = (version: string) => version.split(/[^\d.]/)[0]?.split(".").map(Number) ?? [];
  const [x, y] = [numbers(a), numbers(b)];
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const difference = (x[i] ?? 0) - (y[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** False, too, when the engine could not be asked. */
export function atLeast({ info }: Observation, version: string): boolean {
  return info.known && compareVersions(info.value.ServerVersion, version) >= 0;
}
