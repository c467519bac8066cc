/** Hosts with a disk for Docker's data, in each state that one can be in. */

import type { DeclaredVolume, HostArgs } from "../../src/desired/host-inputs.ts";
import { mountOptions, mountUnit, mountUnitFile, wholeLabel } from "../../src/desired/volumes.ts";
import type { FilesystemType } from "../../src/config/volume.ts";
import type { Mount, Observation } from "../../src/observed/observation.ts";
import { known } from "../../src/observed/records.ts";
import type { Device, Signature, VolumeFacts } from "../../src/observed/volumes.ts";
import { uuidFor } from "../../src/plan/volumes.ts";
import { defaultHost, file, mount } from "./observation.ts";
import { declared } from "./wish.ts";

export const data = "/var/lib/docker";
export const disk = "/dev/disk/by-id/virtio-data";
export const number = "254:16";

export const volume = (filesystem: FilesystemType = "ext4"): DeclaredVolume => ({ device: disk, filesystem, options: mountOptions(filesystem) });
export const declaredVolume = (filesystem: FilesystemType = "ext4", change: Partial<HostArgs> = {}): HostArgs => declared({ volumes: { [data]: volume(filesystem) }, ...change });

/** The UUID of a filesystem that was made for the default host. */
export const ownUuid = uuidFor(data, disk, defaultHost().machineId);

export const signature = (type: string, label = "", uuid = ""): Signature => ({ type, label, uuid });
export const whole = signature("ext4", wholeLabel(data), ownUuid);
export const copy = signature("ext4", "drydock-copy", ownUuid);

/** An empty disk of 20 GiB. */
export const device = (change: Partial<Device> = {}): Device => ({ path: "/dev/vdb", kind: "block special file", number, bytes: 20 * 2 ** 30, readOnly: false, children: [], signatures: [], ...change });

/** 1 GiB to move. */
export const facts = (change: Partial<VolumeFacts> = {}): VolumeFacts => ({ device: device(), place: data, data: { bytes: 2 ** 30, entries: 10_000 }, missingTools: [], ...change });

/** Nothing is mounted there yet. */
export const hostWith = (seen: Partial<VolumeFacts> = {}, change: Partial<Observation> = {}): Observation => defaultHost({ volumes: { [data]: known(facts(seen)) }, ...change });

/** As it is after a move. */
export function moved(change: Partial<Observation> = {}, { seen = {}, options = ["rw", "nodev", "relatime"], boot = "enabled", filesystem = "ext4" }: { seen?: Partial<Device>; options?: string[]; boot?: string; filesystem?: string } = {}): Observation {
  const host = hostWith({ device: device({ signatures: [whole], ...seen }), data: undefined }, { mounts: known(mounts({ ...mount(data, number, filesystem, options), device: "/dev/vdb" })), ...change });
  // What is declared by hand has no text for its unit.
  return { ...host, files: { ...host.files, [mountUnitFile(data)]: file("") }, units: { ...host.units, [mountUnit(data)]: { LoadState: "loaded", ActiveState: "active", FragmentPath: mountUnitFile(data), UnitFileState: boot } } };
}

export const mounts = (...more: Mount[]): Mount[] => [mount("/", "8:1"), ...more];
