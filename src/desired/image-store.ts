/** Where dockerd keeps images and containers, by its settings: each such place knows nothing of those in another one. */

import type { HostInputs, Json, JsonObject } from "./host-inputs.ts";
import { dockerData } from "./volumes.ts";

/** One that is not there is dockerd's own choice. */
export interface ImageStore {
  /** `data-root`, or Docker's default. */
  dataRoot: string;
  /** `userns-remap`, where users are to be remapped. */
  remap?: string;
  /** `storage-driver` */
  driver?: string;
  /** `features.containerd-snapshotter` */
  containerd?: boolean;
}

export function wishedStore(wish: Wish): ImageStore {
  const { "userns-remap": remap, "storage-driver": driver } = wish.daemon;
  const containerd = wishedContainerdStore(wish);
  return {
    dataRoot: wishedDataRoot(wish),
    ...(typeof remap === "string" && remap !== "" ? { remap } : {}),
    ...(typeof driver === "string" ? { driver } : {}),
    ...(containerd === undefined ? {} : { containerd }),
  };
}

export const wishedDataRoot = ({ daemon }: Wish) => (typeof daemon["data-root"] === "string" ? daemon["data-root"] : dockerData);

export const wishesRemap = (wish: Wish) => wishedStore(wish).remap !== undefined;

export function wishedContainerdStore({ daemon }: Wish): boolean | undefined {
  const wished = (daemon.features as JsonObject | undefined)?.["containerd-snapshotter"];
  return typeof wished === "boolean" ? wished : undefined;
}

/** Whether a `storage-driver` is one of containerd's: every name but those of the engine's own. */
export const isSnapshotter = (driver: Json | undefined) => typeof driver === "string" && !graphDrivers.has(driver);

// --- Internal ---

const graphDrivers = new Set(["aufs", "btrfs", "devicemapper", "fuse-overlayfs", "overlay", "overlay2", "vfs", "zfs"]);

type Wish = Pick<HostInputs, "daemon">;
