/** What is right on disk and can't be in effect yet, each with what it waits for. Pending is not compliant and not failed. */

import type { HostInputs } from "../desired/host-inputs.ts";
import { auditRulesOf } from "../effect/audit-rules.ts";
import { opensLater } from "../effect/bridge.ts";
import { ownHigherLimits } from "../effect/container-limits.ts";
import { keepsOldFilter } from "../effect/seccomp.ts";
import type { Container, Observation } from "../observed/observation.ts";
import { auditIsImmutable, auditRulesInKernel, oldDataOn, runningContainers } from "./seen.ts";

/** @returns sentences such as `container web keeps log-driver json-file until it is made again`. */
export function pendingOn(wish: HostInputs, observation: Observation): string[] {
  return [...pendingOldData(wish, observation), ...pendingAudit(wish, observation), ...bridgeWaits(wish, observation), ...runningContainers(observation).flatMap((container) => pendingContainer(container, wish, observation))];
}

/** Locked by `auditctl -e 2`. */
export const auditWaits = "audit rules wait for a reboot: the kernel takes no changes (auditctl -s: enabled 2)";

/** docker0 that stays closed although it is wished open. */
export function bridgeWaits({ daemon }: HostInputs, observation: Observation): string[] {
  const opener = opensLater(daemon, observation);
  return opener === undefined ? [] : [`containers on docker0 can't reach each other yet (icc): that waits for ${opener}`];
}

// --- Internal ---

/** Kept until somebody says that nobody needs it any more. */
function pendingOldData(wish: HostInputs, observation: Observation): string[] {
  if (observation.oldData.length === 0 || wish.inEffect.oldData !== undefined) return [];
  const place = observation.oldData.every(({ where }) => where === "aside") ? "in /var/lib/drydock/old-data" : "below the new filesystem";
  return [`the data from before the move (${oldDataOn(observation)}) are kept ${place}; to have them removed, add to this host: allow: [remove-old-data]`];
}

function pendingAudit(wish: HostInputs, observation: Observation): string[] {
  if (wish.inEffect.audit === undefined || !auditIsImmutable(observation)) return [];
  const kernel = auditRulesInKernel(observation);
  const missing = auditRulesOf(wish.inEffect.audit).filter((rule) => !kernel.has(rule));
  return missing.length === 0 ? [] : [`${missing.length} ${auditWaits}`];
}

// What dockerd copies into a container when it is created (log driver, no-new-privileges, cgroup namespace) or when it is
// started (limits) does not change in one that runs.
function pendingContainer(container: Container, wish: HostInputs, observation: Observation): string[] {
  const { daemon } = wish;
  const untilMadeAgain = [
    ...(typeof daemon["log-driver"] === "string" && container.logDriver !== daemon["log-driver"] ? [`log-driver ${container.logDriver}`] : []),
    ...(daemon["no-new-privileges"] === true && !container.privileged && observation.noNewPrivileges.known && !observation.noNewPrivileges.value.includes(container.pid) ? ["the right to gain privileges"] : []),
    ...(daemon["default-cgroupns-mode"] === "private" && container.cgroupnsMode !== "private" && !container.privileged ? [`cgroup namespace ${container.cgroupnsMode || "host"}`] : []),
    ...ownHigherLimits(wish.inEffect.limits, container, observation).map((limit) => `its own ${limit}`),
  ];
  const oldFilter = wish.inEffect.seccomp !== undefined && keepsOldFilter(container, observation);
  return [
    ...(untilMadeAgain.length > 0 ? [`container ${container.name} keeps ${untilMadeAgain.join(", ")} until it is made again`] : []),
    ...(oldFilter ? [`container ${container.name} keeps its older seccomp filter until it is started again`] : []),
  ];
}
