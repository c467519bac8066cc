/** The limits that unit drop-ins ask for, and what the kernel and systemd enforce. */

import type { Observation, Process } from "../observed/observation.ts";
import { parseUnitText } from "../observed/systemd.ts";

export const scopeDropIn = "/etc/systemd/system/docker-.scope.d/50-drydock.conf";
export const containersSlice = "drydock-containers.slice";

/** `<unit> <property>` → value, from the unit files and drop-ins among the files. `docker-.scope` stands for every container. */
export function limitsWished(files: Record<string, string>): Record<string, string> {
  const limits: Record<string, string> = {};
  for (const [path, text] of Object.entries(files)) {
    const unit = /^\/etc\/systemd\/system\/([^/]+?)(?:\.d\/[^/]+\.conf)?$/.exec(path)?.[1];
    if (!unit) continue;
    for (const [key, value] of parseUnitText(text)[0]?.entries ?? []) {
      if (observable.has(key)) limits[`${unit} ${key}`] = value;
    }
  }
  return limits;
}

/**
 * What is enforced for one wished limit: the wished value itself where the kernel's number means the same, else that number.
 *
 * @returns undefined when there is nothing to ask now: a service that is stopped, no container, a slice without one.
 */
export function limitInEffect(name: string, wished: string, observation: Observation): string | undefined {
  const [unit = "", key = ""] = name.split(" ");
  if (unit === "docker-.scope") {
    const seen = runningScopes(observation).map((cgroup) => inWords(key, wished, observation.cgroups[cgroup]?.[cgroupFile[key] ?? ""], observation)).filter((value) => value !== undefined);
    // A container may have asked for less; then the number is below ours, and that is as good.
    return seen.length === 0 ? undefined : (seen.find((value) => value !== wished) ?? wished);
  }
  if (unit === containersSlice) return inWords(key, wished, observation.cgroups[unit]?.[cgroupFile[key] ?? ""], observation, true);
  const process = observation.processes[unit.replace(/\.service$/, "")];
  return process && ofProcess(key, process);
}

/** The cgroups of containers that run; a scope without a container is somebody else's. */
export function runningScopes({ cgroups, containers }: Observation): string[] {
  if (!containers.known) return [];
  return containers.value.filter(({ running }) => running).map(({ id }) => `docker-${id}.scope`).filter((cgroup) => cgroup in cgroups);
}

// --- Internal ---

const observable = new Set(["TasksMax", "MemoryMax", "MemorySwapMax", "LimitNOFILE", "OOMScoreAdjust"]);

const cgroupFile: Record<string, string> = { TasksMax: "pids.max", MemoryMax: "memory.max", MemorySwapMax: "memory.swap.max" };

function ofProcess(key: string, process: Process): string | undefined {
  if (key === "LimitNOFILE") return process.openFiles;
  if (key === "OOMScoreAdjust") return process.oomScoreAdjust;
  return undefined;
}

function inWords(key: string, wished: string, actual: string | undefined, observation: Observation, exact = false): string | undefined {
  if (actual === undefined) return undefined;
  const wishedNumber = key === "TasksMax" ? parseTasks(wished, observation) : parseBytes(wished, observation);
  if (wishedNumber === undefined) return actual;
  const actualNumber = actual === "max" ? Number.POSITIVE_INFINITY : Number(actual);
  if (wishedNumber === actualNumber) return wished;
  if (!exact && actualNumber < wishedNumber) return wished;
  // systemd computes a share of the memory in whole pages, we from /proc/meminfo: they differ by less than a thousandth. The
  // kernel rounds bytes down to a page, of at most 64 KiB.
  const tolerance = wished.endsWith("%") ? wishedNumber / 1000 : key === "TasksMax" || wished === "infinity" ? 0 : 65536;
  return Math.abs(actualNumber - wishedNumber) <= tolerance ? wished : actual;
}

function parseTasks(value: string, { tasks }: Observation): number | undefined {
  if (value === "infinity") return Number.POSITIVE_INFINITY;
  if (/^\d+%$/.test(value)) return tasks.known ? (tasks.value * Number(value.slice(0, -1))) / 100 : undefined;
  return /^\d+$/.test(value) ? Number(value) : undefined;
}

/** systemd.resource-control(5): bytes, K M G T by 1024, a share of the physical memory, or `infinity`. */
function parseBytes(value: string, { memory }: Observation): number | undefined {
  if (value === "infinity") return Number.POSITIVE_INFINITY;
  const [, digits = "", suffix = ""] = /^(\d+(?:\.\d+)?)([KMGT%]?)$/.exec(value) ?? [];
  if (digits === "") return undefined;
  if (suffix === "%") return memory.known ? (memory.value * Number(digits)) / 100 : undefined;
  return Number(digits) * 1024 ** " KMGT".indexOf(suffix || " ");
}
