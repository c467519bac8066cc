/** What has to be done for each filesystem of the volume layer. */

import { createHash } from "node:crypto";
import type { DeclaredVolume, HostArgs, HostInputs } from "../desired/host-inputs.ts";
import { copyLabel, mountUnit, mountUnitFile, wholeLabel } from "../desired/volumes.ts";
import { mountedOn, mountInEffect } from "../effect/mounts.ts";
import type { Observation } from "../observed/observation.ts";
import type { Signature, VolumeFacts } from "../observed/volumes.ts";

export interface VolumeStep extends DeclaredVolume {
  /**
   * `move`: format if it is empty, copy, mount. `adopt`: mount what is on it. Both with Docker stopped. `repair`: what is mounted
   * already gets its options, its label and its place at boot; nothing stops.
   */
  how: "move" | "adopt" | "repair";
  mountPoint: string;
  unit: string;
  uuid: string;
  /** What marks it as whole. */
  label: string;
  format: boolean;
  /** What has to move. */
  bytes: number;
}

/** Only for devices that may be used; the others are findings (volume-findings.ts). */
export function planVolumes(wish: HostInputs, observation: Observation): VolumeStep[] {
  return Object.entries(wish.volumes ?? {}).flatMap(([mountPoint, volume]): VolumeStep[] => {
    const uuid = wish.host.filesystems?.[mountPoint];
    const facts = observation.volumes[mountPoint];
    if (uuid === undefined || !facts?.known || !facts.value.device) return [];
    const signatures = facts.value.device.signatures;
    const common = { mountPoint, ...volume, unit: mountUnit(mountPoint), uuid, label: wholeLabel(mountPoint) };
    if (mountedOn(mountPoint, observation)) {
      const right = mountInEffect(mountPoint, volume, observation) === wish.inEffect.mounts?.[mountPoint];
      return right ? [] : [{ ...common, how: "repair", format: false, bytes: 0 }];
    }
    const bytes = facts.value.data?.bytes ?? 0;
    if (signatures.length === 0) return [{ ...common, how: "move", format: true, bytes }];
    const ours = oursOn(signatures, mountPoint);
    // Its mount unit is installed only after every byte was compared, so what the label says is from before.
    const isWhole = ours?.label !== copyLabel || namedByUnit(mountPoint, uuid, observation);
    return ours ? [{ ...common, how: isWhole ? "adopt" : "move", format: false, bytes }] : [];
  });
}

/** Whether Docker has to stop for it. */
export const stopsDocker = (step: VolumeStep) => step.how !== "repair";

/** The one signature of a device that is a filesystem of Drydock's for this mount point. */
export function oursOn(signatures: Signature[], mountPoint: string): Signature | undefined {
  const [only, ...more] = signatures;
  return only && more.length === 0 && (only.label === copyLabel || only.label === wholeLabel(mountPoint)) ? only : undefined;
}

/**
 * By mount point, the UUID that the filesystem has or will get. Made of the host and the place, so that the same wish names the
 * same filesystem before and after it is made; what an adopted one has stays.
 */
export function filesystemsOf(args: HostArgs, observation: Observation): Record<string, string> {
  return Object.fromEntries(
    Object.entries(args.volumes ?? {}).flatMap(([mountPoint, { device }]) => {
      const facts = observation.volumes[mountPoint];
      return facts?.known ? [[mountPoint, presentUuid(facts.value, mountPoint, observation) ?? uuidFor(mountPoint, device, observation.machineId)]] : [];
    }),
  );
}

/** The UUID of a filesystem made for this host, this place and this device; a copy that has another one is another host's. */
export function uuidFor(mountPoint: string, device: string, machineId: string): string {
  const hex = createHash("sha256").update([machineId, mountPoint, device].join("\n")).digest("hex");
  // RFC 9562, version 8: the bits mean what their maker says.
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Whether the mount unit on the host is that of this filesystem. */
export function namedByUnit(mountPoint: string, uuid: string, { files }: Observation): boolean {
  const file = files[mountUnitFile(mountPoint)];
  return file?.known === true && file.value.text?.includes(`/dev/disk/by-uuid/${uuid}\n`) === true;
}

// --- Internal ---

function presentUuid({ device }: VolumeFacts, mountPoint: string, observation: Observation): string | undefined {
  if (!device) return undefined;
  const mounted = mountedOn(mountPoint, observation)?.number === device.number;
  return (mounted ? device.signatures[0] : oursOn(device.signatures, mountPoint))?.uuid;
}
