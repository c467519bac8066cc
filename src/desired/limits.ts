/** The limits layer as directives of systemd units; the key is the directive's name, as `systemctl show` prints it. */

import type { LimitsSettings } from "../config/limits.ts";

export type Directives = Record<string, string | number>;

export interface UnitDirectives {
  /** Each container: /etc/systemd/system/docker-.scope.d/. */
  container: Directives;
  /** All containers: drydock-containers.slice. Absent when there is no slice. */
  containers?: Directives;
  dockerService: Directives;
  containerdService: Directives;
}

export function limitDirectives(limits: LimitsSettings): UnitDirectives {
  const { total, services } = limits;
  const units: UnitDirectives = {
    container: directives({ MemoryMax: limits.memoryMax, MemorySwapMax: limits.memorySwapMax, TasksMax: limits.tasksMax }),
    dockerService: serviceDirectives(services?.docker),
    containerdService: serviceDirectives(services?.containerd),
  };
  if (!total) return units;
  const containers = directives({
    CPUQuota: total.cpuQuota,
    CPUWeight: total.cpuWeight,
    IOWeight: total.ioWeight,
    MemoryMax: total.memoryMax,
    MemorySwapMax: total.memorySwapMax,
    TasksMax: total.tasksMax,
  });
  return { ...units, containers };
}

// --- Internal ---

function serviceDirectives(service: NonNullable<LimitsSettings["services"]>["docker"]): Directives {
  return directives({ LimitNOFILE: service?.nofile, OOMScoreAdjust: service?.oomScoreAdjust });
}

function directives(values: Record<string, string | number | undefined>): Directives {
  const set = Object.entries(values).filter((entry): entry is [string, string | number] => entry[1] !== undefined);
  return Object.fromEntries(set);
}
