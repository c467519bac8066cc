/** The limits that each container has, by docker-.scope.d, its own wish, and the kernel. */

import type { Container, Observation } from "../observed/observation.ts";
import { amount, cgroupFile, cgroupNumber, containersSlice, isSameAmount } from "./limit-values.ts";

/**
 * `10-`, since drop-ins of all folders are read in the order of their names: what a container asks for itself is written by
 * runc to `50-MemoryMax.conf` and the like and must come after ours, or the next daemon-reload lifts a lower limit to ours
 * (seen with systemd 252 and engine 20.10).
 */
export const scopeDropIn = "/etc/systemd/system/docker-.scope.d/10-drydock.conf";

/** What `limitInEffect` says for all running containers: the wished value, or the number of one that has more. */
export function containersLimitInEffect(key: string, wished: string, observation: Observation): string | undefined {
  const seen = runningScopes(observation).flatMap((container) => judge(key, wished, container, observation)?.inEffect ?? []);
  return seen.length === 0 ? undefined : (seen.find((value) => value !== wished) ?? wished);
}

/** Containers that have more than they asked for and than is wished, and what their cgroup should say instead. */
export function liftedLimits(wished: Record<string, string>, observation: Observation): { scope: string; file: string; value: string }[] {
  return runningScopes(observation).flatMap((container) =>
    scopeEntries(wished).flatMap(([key, value]) => {
      const file = cgroupFile[key];
      const limit = judge(key, value, container, observation);
      if (!file || limit?.target === undefined) return [];
      return [{ scope: scopeOf(container), file, value: limit.target === Number.POSITIVE_INFINITY ? "max" : String(Math.floor(limit.target)) }];
    }),
  );
}

/** What a container asked for itself above the wished limits, e.g. `TasksMax 4096`: it keeps that until it is made again. */
export function ownHigherLimits(wished: Record<string, string>, container: Container, observation: Observation): string[] {
  return scopeEntries(wished).flatMap(([key, value]) => {
    const own = ownLimit(key, container);
    const ours = amount(key, value, observation);
    return own !== undefined && ours !== undefined && own > ours ? [`${key} ${Number.isFinite(own) ? own : "infinity"}`] : [];
  });
}

/** Containers, each and all together, that use more than a new limit gives them at once: processes can't be made any more, memory is taken by a kill. */
export function overNewLimits(wished: Record<string, string>, observation: Observation): string[] {
  const over = (who: string, cgroup: string, key: string, value: string, limit = amount(key, value, observation)): string[] => {
    const used = Number(observation.cgroups[cgroup]?.[(cgroupFile[key] ?? "").replace(".max", ".current")] ?? Number.NaN);
    const unit = key === "TasksMax" ? " processes" : " bytes";
    return limit !== undefined && used > limit ? [`${who} uses ${used}${unit}, and ${key}=${value} leaves it ${Math.floor(limit)}`] : [];
  };
  return [
    ...runningScopes(observation).flatMap((container) => scopeEntries(wished).flatMap(([key, value]) => over(container.name, scopeOf(container), key, value, ownLimit(key, container)))),
    ...entriesOf(wished, containersSlice).flatMap(([key, value]) => over(`${containersSlice}, with all containers in it,`, containersSlice, key, value)),
  ];
}

// --- Internal ---

const scopeEntries = (wished: Record<string, string>) => entriesOf(wished, "docker-.scope");

const entriesOf = (wished: Record<string, string>, unit: string) =>
  Object.entries(wished).flatMap(([name, value]): [string, string][] => (name.startsWith(`${unit} `) ? [[name.split(" ")[1] ?? "", value]] : []));

const scopeOf = ({ id }: Container) => `docker-${id}.scope`;

/** A scope without a container is somebody else's. */
const runningScopes = ({ containers, cgroups }: Observation): Container[] =>
  containers.known ? containers.value.filter((container) => container.running && scopeOf(container) in cgroups) : [];

/**
 * One limit of one container. It may have asked for less, which is as good, or for more, which it keeps (output `pending`);
 * what it has beyond that, somebody has lifted: then `target` is what it should have.
 */
function judge(key: string, wished: string, container: Container, observation: Observation): { inEffect: string; target?: number } | undefined {
  const actual = observation.cgroups[scopeOf(container)]?.[cgroupFile[key] ?? ""];
  const ours = amount(key, wished, observation);
  if (actual === undefined || ours === undefined) return undefined;
  const target = ownLimit(key, container) ?? ours;
  const number = cgroupNumber(actual);
  if (number <= target || isSameAmount(key, wished, target, number)) return { inEffect: wished };
  return { inEffect: actual, target };
}

/** Of its own, by docker run's --pids-limit, --memory and --memory-swap; 0 and below mean none. */
function ownLimit(key: string, { pidsLimit, memory, memorySwap }: Container): number | undefined {
  // Who asks for memory alone gets as much swap again from Docker.
  const swap = memorySwap === -1 ? Number.POSITIVE_INFINITY : memorySwap - memory;
  const own = { TasksMax: pidsLimit, MemoryMax: memory, MemorySwapMax: swap }[key] ?? 0;
  return own > 0 ? own : undefined;
}
