/** The values of systemd's limits and of the kernel's cgroup files, as numbers. */

import type { Observation } from "../observed/observation.ts";

/** That all containers are in, where their sum is limited. */
export const containersSlice = "drydock-containers.slice";

/** cgroups(7): the file that enforces a property of systemd.resource-control(5). */
export const cgroupFile: Readonly<Record<string, string>> = { TasksMax: "pids.max", MemoryMax: "memory.max", MemorySwapMax: "memory.swap.max" };

/** What a written value means on this host; undefined when that can't be said. Tasks, or bytes. */
export function amount(key: string, value: string, { tasks, memory }: Observation): number | undefined {
  if (value === "infinity") return Number.POSITIVE_INFINITY;
  const [, digits = "", suffix = ""] = /^(\d+(?:\.\d+)?)([KMGT%]?)$/.exec(value) ?? [];
  if (digits === "") return undefined;
  // Bytes and tasks: K M G T by 1024, or a share of what the machine has.
  const whole = key === "TasksMax" ? tasks : memory;
  if (suffix === "%") return whole.known ? (whole.value * Number(digits)) / 100 : undefined;
  return Number(digits) * 1024 ** " KMGT".indexOf(suffix || " ");
}

export const cgroupNumber = (text: string) => (text === "max" ? Number.POSITIVE_INFINITY : Number(text));

/**
 * Whether the kernel's number is the one that was written. systemd computes a share of the memory in whole pages, we from
 * /proc/meminfo: they differ by less than a thousandth. The kernel rounds bytes down to a page, of at most 64 KiB.
 */
export function isSameAmount(key: string, written: string, wished: number, actual: number): boolean {
  if (wished === actual) return true;
  const tolerance = written.endsWith("%") ? wished / 1000 : key === "TasksMax" || written === "infinity" ? 0 : 65536;
  return Math.abs(actual - wished) <= tolerance;
}
