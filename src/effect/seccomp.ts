/** Whether the running daemon has read the seccomp profile that is on disk: it does so only when it starts. */

import { seccompFile } from "../config/seccomp.ts";
import type { Container, Observation } from "../observed/observation.ts";
import { asOnDisk, processName } from "./daemon.ts";

type Digest = (text: string) => string;

/** The sum of the text that the running daemon has read, if that can be told. */
export function seccompRead({ applied, files, processes }: Observation, digest: Digest): string | undefined {
  const daemon = processes.docker;
  const file = files[seccompFile];
  if (!daemon) return undefined;
  if (applied.daemon === processName(daemon) && applied.seccomp !== undefined) return applied.seccomp;
  return file?.known && file.value.text !== undefined && file.value.changedAt < daemon.startedAt ? digest(file.value.text) : undefined;
}

/** What `inEffect.seccomp` shows for a profile of ours. */
export function seccompInEffect(observation: Observation, digest: Digest): string {
  const file = observation.files[seccompFile];
  if (!observation.processes.docker) return "unknown: dockerd is not running";
  if (!file) return "not there";
  if (!file.known) return `unknown: ${file.reason}`;
  return seccompRead(observation, digest) === digest(file.value.text ?? "") ? asOnDisk : "the profile was changed after dockerd read it";
}

/**
 * Whether a running container was started before the profile came: runc gives it the daemon's filter at each start, and
 * nothing changes it while it runs.
 */
export function keepsOldFilter(container: Container, { applied }: Observation): boolean {
  const since = Number(applied["seccomp-since"] ?? Number.NaN);
  const ownFilter = container.privileged || container.securityOpt.some((option) => /^seccomp[=:]/.test(option));
  return !ownFilter && Date.parse(container.startedAt) / 1000 < since;
}
