/** CIS 1.1.1 and 1.1.2: where containers live, and who may command the daemon. */

import { dirname } from "node:path";
import { remappedTo } from "../effect/daemon.ts";
import type { Evidence, Finding } from "./verdict.ts";

/**
 * The data root on a filesystem of its own. A mount point is not enough: dockerd binds the data root onto itself where the
 * mount above it is private (moby daemon/daemon_linux.go), so the device decides.
 */
export function checkPartition({ observation }: Evidence): Finding {
  const { info, mounts } = observation;
  if (!info.known) return { verdict: "unknown", evidence: info.reason };
  if (!mounts.known) return { verdict: "unknown", evidence: mounts.reason };
  // userns-remap puts `/UID.GID` behind the data root.
  const root = remappedTo(info.value) ? dirname(info.value.DockerRootDir) : info.value.DockerRootDir;
  const mount = mounts.value.findLast(({ path }) => path === root);
  const above = deviceOf(dirname(root), mounts.value);
  if (!mount) return { inEffect: "shared", verdict: "fail", evidence: `${root} is not a mount point` };
  if (mount.device === above) return { inEffect: "shared", verdict: "fail", evidence: `${root} is a mount of the same device as ${dirname(root)}` };
  return { inEffect: `device ${mount.device}`, verdict: "pass", evidence: `${root} is its own filesystem, device ${mount.device}` };
}

/** Whoever is in the group docker is root on the host; whether they should be nobody but the owner knows. */
export function checkUsers({ observation: { dockerGroup } }: Evidence): Finding {
  if (!dockerGroup.known) return { verdict: "unknown", evidence: dockerGroup.reason };
  if (dockerGroup.value.length === 0) return { inEffect: "nobody", verdict: "pass", evidence: "getent group docker: no members" };
  const members = dockerGroup.value.join(", ");
  return { inEffect: members, verdict: "manual", evidence: `getent group docker: ${members}; each of them is as good as root` };
}

// --- Internal ---

function deviceOf(path: string, mounts: { device: string; path: string }[]): string | undefined {
  const mount = mounts.findLast((candidate) => candidate.path === path);
  if (mount) return mount.device;
  return path === "/" ? undefined : deviceOf(dirname(path), mounts);
}
