/** The volume layer as mount units: which filesystem is mounted where, and how. */

import type { FilesystemType, VolumeSettings } from "../config/volume.ts";
import type { DeclaredVolume } from "./host-inputs.ts";

/** What a template of a mount unit gets. */
export interface MountDirectives {
  device: string;
  filesystem: FilesystemType;
  options: string;
  /** The unit that checks the filesystem before it is mounted; empty where there is nothing to check (fsck.xfs(8)). */
  fsck: string;
}

export const dockerData = "/var/lib/docker";
export const containerdData = "/var/lib/containerd";

/** Their name is the mount point's (systemd.mount(5)). */
export const mountUnit = (mountPoint: string) => `${escapePath(mountPoint)}.mount`;
export const mountUnitFile = (mountPoint: string) => `/etc/systemd/system/${mountUnit(mountPoint)}`;

/**
 * Files that neither a failed update nor `destroy` takes away: without them Docker would start on the empty folder below its
 * filesystem.
 */
export const volumeFiles = [
  "/etc/systemd/system/containerd.service.d/40-drydock-volume.conf",
  "/etc/systemd/system/docker.service.d/40-drydock-volume.conf",
  mountUnitFile(containerdData),
  mountUnitFile(dockerData),
] as const;

/**
 * nodev: no device file of an image or a volume opens a device of the host. Not together with a size per container: dockerd sets
 * it through a device file of its own there (moby quota/projectquota.go, backingFsBlockDev). nosuid and noexec would break
 * containers. xfs counts what each container writes only when it is mounted so from the start.
 */
export function mountOptions(filesystem: FilesystemType, { containerSize }: { containerSize?: string | undefined } = {}): string {
  return [containerSize === undefined ? "nodev" : "dev", ...(filesystem === "xfs" ? ["pquota"] : [])].join(",");
}

/**
 * Labels that tell how far a filesystem of Drydock's is: a copy is worth less than what it is made from, a whole one more than
 * what lies in the folder on a host that was installed again. xfs takes 12 characters.
 */
export const copyLabel = "drydock-copy";
export const wholeLabel = (mountPoint: string) => (mountPoint === dockerData ? "drydock-data" : "drydock-ctrd");

/** By mount point. */
export function declaredVolumes(volume: VolumeSettings | undefined): Record<string, DeclaredVolume> {
  const declared: [string, Omit<VolumeSettings, "containerd"> | undefined][] = [
    [containerdData, volume?.containerd],
    [dockerData, volume],
  ];
  return Object.fromEntries(
    declared.flatMap(([mountPoint, one]): [string, DeclaredVolume][] => {
      if (one?.device === undefined) return [];
      const filesystem = one.filesystem ?? "ext4";
      return [[mountPoint, { device: one.device, filesystem, options: mountOptions(filesystem, one) }]];
    }),
  );
}

/** For the templates, by the last part of the mount point. */
export function mountDirectives(volumes: Record<string, DeclaredVolume>): Record<string, MountDirectives> {
  return Object.fromEntries(
    Object.entries(volumes).map(([mountPoint, { device, filesystem, options }]) => [
      mountPoint.slice(mountPoint.lastIndexOf("/") + 1),
      { device, filesystem, options, fsck: filesystem === "ext4" ? `systemd-fsck@${escapePath(device)}.service` : "" },
    ]),
  );
}

/** The text of a mount unit as it is rendered for a device, for the filesystem on it. */
export function byUuid(text: string, device: string, uuid: string): string {
  const path = `/dev/disk/by-uuid/${uuid}`;
  return text.replaceAll(device, path).replaceAll(escapePath(device), escapePath(path));
}

/** The other way round: the text that {@link byUuid} was given. */
export function withDevice(text: string, device: string, uuid: string): string {
  const path = `/dev/disk/by-uuid/${uuid}`;
  return text.replaceAll(path, device).replaceAll(escapePath(path), escapePath(device));
}

/** systemd-escape(1), --path. */
export function escapePath(path: string): string {
  const escaped = path.replace(/^\/+|\/+$/g, "").replaceAll(/[^\w:./]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return escaped.replace(/^\./, "\\x2e").replaceAll("/", "-");
}
