/** A plan that does nothing; each test adds what it is about. */

import type { Plan } from "../../src/plan/plan.ts";

export const noDocker: Plan["docker"] = { how: "nothing", liveRestoreFirst: false, stop: [], switchesStore: false, dropBetweenContainers: false, liftDrop: false, because: [] };

export function emptyPlan(change: Partial<Plan> = {}): Plan {
  return {
    writes: [],
    removes: [],
    modes: [],
    subordinateIds: undefined,
    daemonReload: false,
    modules: [],
    audit: { enable: false, add: [], remove: [], compile: false },
    start: [],
    docker: noDocker,
    daemonKeys: [],
    validateWith: undefined,
    processLimits: [],
    sliceLimits: [],
    ...change,
  };
}
