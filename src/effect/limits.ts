/** The limits that unit files and drop-ins ask for, and what the kernel and systemd enforce. */

import type { Observation, Process } from "../observed/observation.ts";
import { parseUnitText } from "../observed/systemd.ts";
import { containersLimitInEffect } from "./container-limits.ts";
import { amount, cgroupFile, cgroupNumber, containersSlice, isSameAmount } from "./limit-values.ts";

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
  if (unit === "docker-.scope") return containersLimitInEffect(key, wished, observation);
  if (unit === containersSlice) return ofSlice(key, wished, observation);
  const process = observation.processes[unit.replace(/\.service$/, "")];
  return process && ofProcess(key, wished, process, observation);
}

// --- Internal ---

const observable = new Set(["TasksMax", "MemoryMax", "MemorySwapMax", "LimitNOFILE", "OOMScoreAdjust"]);

function ofSlice(key: string, wished: string, observation: Observation): string | undefined {
  const actual = observation.cgroups[containersSlice]?.[cgroupFile[key] ?? ""];
  if (actual === undefined) return undefined;
  const number = amount(key, wished, observation);
  return number !== undefined && isSameAmount(key, wished, number, cgroupNumber(actual)) ? wished : actual;
}

function ofProcess(key: string, wished: string, process: Process, { openFilesMax }: Observation): string | undefined {
  if (key === "OOMScoreAdjust") return process.oomScoreAdjust;
  if (key !== "LimitNOFILE") return undefined;
  // The kernel takes no more than fs.nr_open, and that is what systemd makes of infinity.
  const meant = openFilesMax.known ? wished.replaceAll("infinity", String(openFilesMax.value)) : wished;
  // A program made with Go raises its own soft limit to the hard one, newer ones to one less, and gives the old one to what it starts
  // (Go 1.19 on; one less: containerd 1.7 of Debian 13).
  const hard = meant.slice(meant.indexOf(":") + 1);
  const raised = [hard, `${Number(hard) - 1}:${hard}`];
  return [meant, ...raised].includes(process.openFiles) ? wished : process.openFiles;
}
