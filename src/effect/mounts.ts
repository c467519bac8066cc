/** The filesystems of the volume layer: what should be mounted, and what is. */

import type { DeclaredVolume } from "../desired/host-inputs.ts";
import { copyLabel, mountUnit } from "../desired/volumes.ts";
import type { Mount, Observation } from "../observed/observation.ts";

/** What should be in effect, in the words of {@link mountInEffect}. */
export function mountWished({ filesystem, options }: DeclaredVolume, uuid: string): string {
  return [filesystem, `UUID=${uuid}`, ...options.split(","), "at boot"].join(", ");
}

/** What is mounted, e.g. `ext4, UUID=…, nodev, at boot`; `not mounted`; `unknown: …`. */
export function mountInEffect(mountPoint: string, { options }: DeclaredVolume, observation: Observation): string {
  if (!observation.mounts.known) return `unknown: ${observation.mounts.reason}`;
  const facts = observation.volumes[mountPoint];
  if (!facts?.known) return `unknown: ${facts?.reason ?? "it was not looked at"}`;
  const mount = mountedOn(mountPoint, observation);
  if (!mount) return "not mounted";
  const { device } = facts.value;
  if (device?.number !== mount.number) return `${mount.filesystem} of another device, ${mount.device}`;
  const ours = device.signatures.find(({ type }) => type === mount.filesystem);
  const held = options.split(",").filter((option) => (option === "dev" ? !mount.options.includes("nodev") : mount.options.includes(inKernel[option] ?? option)));
  const enabled = observation.units[mountUnit(mountPoint)]?.UnitFileState === "enabled";
  const below = observation.oldData.some(({ name, where }) => where === "below" && mountPoint.endsWith(`/${name.replace(/-\d+$/, "")}`));
  return [
    mount.filesystem,
    `UUID=${ours?.uuid ?? "unknown"}`,
    ...held,
    ...(enabled ? ["at boot"] : []),
    ...(ours?.label === copyLabel ? ["marked as an incomplete copy"] : []),
    ...(below ? ["the old data still below it"] : []),
  ].join(", ");
}

/** The mount at a folder, if it is a filesystem of its own: dockerd may bind the folder onto itself. */
export function mountedOn(mountPoint: string, { mounts }: Observation): Mount | undefined {
  if (!mounts.known) return undefined;
  const at = (path: string) => mounts.value.findLast((mount) => mount.path === path);
  const mount = at(mountPoint);
  let above = mountPoint;
  do above = above.slice(0, above.lastIndexOf("/")) || "/";
  while (!at(above) && above !== "/");
  return mount && mount.number !== at(above)?.number ? mount : undefined;
}

/** The filesystem that a path without symbolic links is on, where that is known. */
export function filesystemUnder(path: string, { mounts }: Observation): Mount | undefined {
  if (!mounts.known) return undefined;
  const above = mounts.value.filter((mount) => `${path}/`.startsWith(mount.path === "/" ? "/" : `${mount.path}/`));
  // Of two at one place the later one is seen.
  return above.reduce<Mount | undefined>((deepest, mount) => (deepest && deepest.path.length > mount.path.length ? deepest : mount), undefined);
}

/** Whether xfs counts by project there, which a size for each container needs. */
export const countsByProject = (options: string[]): boolean => options.some((option) => option === "pquota" || option === inKernel.pquota);

// --- Internal ---

/** xfs(5): the kernel names what it does. */
const inKernel: Record<string, string> = { pquota: "prjquota" };
