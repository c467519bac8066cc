/** What a stack file may say under `volume`: Docker's data on a filesystem of its own. */

import { z } from "zod";

import { oneOf, setting, text, type Settled } from "./setting.ts";

export const filesystems = ["ext4", "xfs"] as const;
export type FilesystemType = (typeof filesystems)[number];

// The names that udev and LVM keep from boot to boot; /dev/sdb is another disk when one is added.
const device = text(
  "a path that stays the same from boot to boot: /dev/disk/by-id/…, /dev/disk/by-path/…, /dev/disk/by-partuuid/…, /dev/mapper/… or /dev/<volume group>/<volume>",
  /^\/dev\/(?!.*\.\.?(?:\/|$))(?:disk\/by-(?:id|path|partuuid|partlabel)\/[\w.:@+=-]+|mapper\/[\w.+-]+|(?!disk\/|mapper\/|shm\/|pts\/|block\/|char\/)[\w.+-]+\/[\w.+-]+)$/,
);
const filesystem = setting(oneOf(filesystems), {
  description: "The filesystem that an empty device gets. A device that carries one of Drydock's is taken as it is.",
  initially: "ext4",
  cost: "containers stop",
});

const containerd = z
  .strictObject({
    device: setting(device, { description: "Disk, partition or logical volume for /var/lib/containerd. Formatted only when it carries no signature at all.", cost: "containers stop" }),
    filesystem,
  })
  .meta({ allowed: "a table with device, filesystem" });

export const volumeSchema = z
  .strictObject({
    device: setting(device, {
      description:
        "Disk, partition or logical volume for /var/lib/docker. Formatted only when it carries no signature at all; what is in /var/lib/docker moves to it.",
      cost: "containers stop",
      cis: "1.1.1",
      see: "systemd.mount(5)",
    }),
    filesystem,
    containerSize: setting(text("a size such as 500M or 10G", /^[1-9]\d*[MGT]$/), {
      description: "How much each container may write besides its volumes; holds for containers made from then on. Needs filesystem: xfs (project quota), which is mounted without nodev then.",
      initially: "as much as the filesystem holds",
      cost: "restart",
      see: "https://docs.docker.com/reference/cli/dockerd/#overlay2-options",
    }),
    containerd: setting(containerd, { description: "The same for /var/lib/containerd, where engines from 29 on keep images.", cost: "containers stop" }),
  })
  .meta({ allowed: "a table with device, filesystem, containerSize, containerd" });

export type VolumeSettings = Settled<z.infer<typeof volumeSchema>>;
