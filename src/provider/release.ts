/** A host leaves the stack: its originals come back, or it keeps its hardening. */

import { containerdData, dockerData, mountUnit, mountUnitFile } from "../desired/volumes.ts";
import type { HostInputs } from "../desired/host-inputs.ts";
import { auditRulesOf } from "../effect/audit-rules.ts";
import type { Observation, Owner } from "../observed/observation.ts";
import { stopOrder } from "../plan/docker-activation.ts";
import { emptyPlan, validateCommand, type Plan } from "../plan/plan.ts";
import { inUse } from "../plan/profiles.ts";
import { auditIsImmutable, auditRulesInFile, auditRulesInKernel, runningContainers } from "../plan/seen.ts";
import { waitsForWindow } from "../plan/window.ts";
import { forgetOwner, restoreOriginal } from "../remote/apply.ts";
import { seconds } from "../remote/limits.ts";
import { busy, DeferredError, HalfDoneError, HostError, listed } from "./errors.ts";
import { look } from "./look.ts";
import { signature } from "./signature.ts";

export interface Released {
  level: "info" | "warn";
  message: string;
}

/** @throws DeferredError when it waits for its window; HostError, HalfDoneError, UnreachableError, RemoteScriptError */
export async function release(owner: Owner, state: HostInputs): Promise<Released> {
  const { host } = owner;
  const observation = await look(state);
  const holder = observation.owner;
  if (!holder || holder.stack !== owner.stack || holder.host !== host) {
    const who = holder ? `is kept by stack ${holder.stack} as host ${holder.host}` : "is not kept by Drydock";
    return { level: "warn", message: `${host}: nothing was done, since the machine ${who}` };
  }
  if (!state.allow.includes("restore-original")) {
    await forgetOwner(state.connection);
    return {
      level: "warn",
      message: `${host}: keeps its hardening and is kept by no stack now; its originals stay in /var/lib/drydock/pristine (with allow: [restore-original] in the stack file, applied before, they would have been put back)${volumesThatStay(observation)}`,
    };
  }
  const { info, containers } = observation;
  if (!info.known || !containers.known) {
    const why = !info.known ? info.reason : !containers.known ? containers.reason : "";
    throw new HostError(`${host}: dockerd can't be asked which containers run (${why}), so they can't be stopped in order; nothing was touched; start it first: systemctl start docker`);
  }
  const users = inUse(Object.keys(state.inEffect.apparmor ?? {}), observation);
  if (users.length > 0) {
    throw new HostError(
      listed(
        `${host}: refused, nothing was touched`,
        users.map((user) => `profile ${user.name} goes with the originals, and ${user.users} has it and could not start again; make that again without --security-opt apparmor=${user.name} first`),
      ),
    );
  }
  const plan = restorePlan(state, observation);
  // The state's: who deletes asks no program what the stack file says.
  const window = waitsForWindow(state.window, plan, new Date());
  if (window !== undefined) {
    const names = runningContainers(observation).map(({ name }) => name);
    const stops = names.length > 0 ? ` and stops ${names.join(", ")}` : "";
    throw new DeferredError(
      `${host}: refused, nothing was touched: restoring the originals restarts dockerd${stops}, and that waits for ${window}; run this again then, or, to have it now, declare the host in the stack file with window: null, run pulumi up, which makes what else waits there as well, and run this again`,
    );
  }
  const { outcome, log } = await restoreOriginal(state.connection, plan, observation, owner, { signature: signature(owner) });
  if (outcome === "busy") throw busy(host, log);
  if (outcome === "unfinished") throw new HostError(listed(`${host}: an earlier operation had been cut off there and was brought to its end just now; nothing else was touched, so run this one again`, log));
  if (outcome === "cut off") throw new HalfDoneError(listed(`${host}: restoring the originals was cut off; the host goes on with it by itself within ${seconds.guard} s, or at its next boot; run this again to see that it did`, log));
  if (outcome === "refused") throw new HostError(listed(`${host}: refused, nothing was touched`, log));
  if (outcome !== "done") throw new HalfDoneError(listed(`${host}: the original state could not be restored; the originals are in /var/lib/drydock/pristine`, log));
  const stays = volumesThatStay(observation);
  const notes = log.filter((line) => resisted.test(line));
  const waits = auditIsImmutable(observation) ? "; the audit rules leave the kernel with the next boot" : "";
  return { level: "info", message: `${host}: ${log.at(-1) ?? "restored"}${notes.length > 0 ? `, but ${notes.join("; ")}` : ""}${waits}${stays}` };
}

/**
 * Drydock never unmounts and never formats what holds data; who takes a host or a volume out of the stack file is told so.
 *
 * @param declared volumes that are in the stack file still, by mount point
 */
export function volumesThatStay({ units, oldData }: Observation, declared: HostInputs["volumes"] = {}): string {
  // By a unit of ours: one that the user made, or dockerd for itself, is no news to him.
  const isOurs = (mountPoint: string) => {
    const unit = units[mountUnit(mountPoint)];
    return unit?.ActiveState === "active" && unit.FragmentPath === mountUnitFile(mountPoint);
  };
  const mounted = [dockerData, containerdData].filter((mountPoint) => !(mountPoint in declared) && isOurs(mountPoint));
  const text = mounted.length === 0 ? "" : `; ${mounted.join(" and ")} ${mounted.length === 1 ? "stays on its own filesystem" : "stay on their own filesystems"}, which Drydock never unmounts or formats`;
  const place = oldData.every(({ where }) => where === "aside") ? "in /var/lib/drydock/old-data" : "below them";
  return `${text}${oldData.length === 0 || Object.keys(declared).length > 0 ? "" : `; the data from before the move stay ${place}`}`;
}

// --- Internal ---

/** What the host could not do, and what did not keep it from all the rest. */
const resisted = /does not start again$|could not be |^profile |^not all containers/;

/** Only what the files do not bring back by themselves: what is loaded in the kernel, and who has to stop for it. */
function restorePlan(state: HostInputs, observation: Observation): Plan {
  const ours = [...new Set([...auditRulesInFile(observation), ...auditRulesOf(state.inEffect.audit ?? "")])];
  const kernel = auditRulesInKernel(observation);
  const remove = auditIsImmutable(observation) ? [] : ours.filter((rule) => kernel.has(rule));
  return { ...emptyPlan, validateWith: validateCommand(state, observation), daemonReload: true, audit: { ...emptyPlan.audit, remove }, docker: { ...emptyPlan.docker, how: "restart", stop: stopOrder(observation) } };
}
