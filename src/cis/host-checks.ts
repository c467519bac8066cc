/** CIS 1.1.1 and 1.1.2: where containers live, and who may command the daemon. */

import { containerdData } from "../desired/volumes.ts";
import { dataRoot, keepsImagesInContainerd } from "../effect/daemon.ts";
import { mountedOn } from "../effect/mounts.ts";
import type { Evidence, Finding } from "./verdict.ts";

/**
 * The data root on a filesystem of its own, and where the engine keeps images elsewhere (29 on), that as well. A mount point is not
 * enough: dockerd binds the data root onto itself where the mount above it is private (moby daemon/daemon_linux.go).
 */
export function checkPartition({ observation }: Evidence): Finding {
  const { info, mounts } = observation;
  if (!info.known) return { verdict: "unknown", evidence: info.reason };
  if (!mounts.known) return { verdict: "unknown", evidence: mounts.reason };
  const root = dataRoot(info.value);
  const places = [{ path: root, name: root }, ...(keepsImagesInContainerd(info.value) ? [{ path: containerdData, name: `${containerdData}, where this engine keeps images,` }] : [])];
  const found = places.map(({ path, name }) => ({ name, path, mount: mountedOn(path, observation) }));
  const shared = found.find(({ mount }) => !mount);
  if (shared) return { inEffect: "shared", verdict: "fail", evidence: `${shared.name} is no filesystem of its own` };
  const devices = found.map(({ path, mount }) => ({ path, device: mount?.device ?? "" }));
  return { inEffect: `device ${devices.map(({ device }) => device).join(", ")}`, verdict: "pass", evidence: devices.map(({ path, device }) => `${path} is its own filesystem, device ${device}`).join("; ") };
}

/** Whoever is in the group docker is root on the host; whether they should be nobody but the owner knows. */
export function checkUsers({ observation: { dockerGroup } }: Evidence): Finding {
  if (!dockerGroup.known) return { verdict: "unknown", evidence: dockerGroup.reason };
  if (dockerGroup.value.length === 0) return { inEffect: "nobody", verdict: "pass", evidence: "getent group docker: no members" };
  const members = dockerGroup.value.join(", ");
  return { inEffect: members, verdict: "manual", evidence: `getent group docker: ${members}; each of them is as good as root` };
}
