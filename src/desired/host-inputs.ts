/**
 * What the engine stores and compares for one host: the inputs of `drydock:index:Host`.
 *
 * People read these keys in `pulumi preview --diff`, so they are plain names and plain text: no hashes, no base64, no
 * JSON in strings. `renderHost` makes the declared part from a stack file, the provider's `check` completes it with what
 * must then be in effect on that very host, and its `read` returns the same shape filled with what it found there.
 */

import type { Connection } from "../config/connection.ts";
import type { FilesystemType } from "../config/volume.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = Record<string, Json>;

/** What the stack file declares: pure, known without asking the host. */
export interface HostArgs {
  /** How to reach the host over SSH. Paths stay as written (`~`), no key material. */
  connection: Connection;
  /** Disruptions the stack file consents to. */
  allow: Disruption[];
  /** When running containers may be disrupted, e.g. `Sun 02:00-04:00 UTC`. Absent: at any time. */
  window?: string[];
  /**
   * The keys of /etc/docker/daemon.json that Drydock answers for: those it sets, and security keys that must be absent.
   * Other keys in the file are the user's; they stay and are named in the output `foreignDaemonKeys`.
   */
  daemon: JsonObject;
  /** Text of every other file Drydock owns, by absolute path. */
  files: Record<string, string>;
  /** `owner:group mode` by absolute path, e.g. `root:root 0644`; what was found may also be `absent`. */
  modes: Record<string, string>;
  /** Filesystems of their own for Docker's data, by mount point. Absent when there is none. */
  volumes?: Record<string, DeclaredVolume>;
  /** When it is this host's turn; no part of what the host should be. Absent without `drydock:rollout`. */
  rollout?: HostRollout;
}

export interface HostRollout {
  /** From 1 on. */
  wave: number;
  /** Hosts that are changed at a time. Absent: as many as the engine works on. */
  maxParallel?: number;
  /** Hosts of the wave that may fail; after one more the others are refused. */
  maxFailures: number;
  /** Waves come after this one, and wait for it. Absent in the last. */
  followed?: true;
}

export interface DeclaredVolume {
  device: string;
  filesystem: FilesystemType;
  /** As in fstab(5), e.g. `nodev,pquota`. */
  options: string;
}

export interface HostInputs extends HostArgs {
  /** `yes`, or `no: <reason>`. Only ever wished as `yes`; a host that could not be read shows as drift. */
  reachable: string;
  /** What this host is: read from it, never wished, so that rendering for it needs no second look. */
  host: HostFacts;
  /** What the kernel, systemd and the running daemon report, as opposed to what the files say. */
  inEffect: InEffect;
}

export interface HostFacts {
  /** Binaries that docker.service and containerd.service really start, e.g. `/usr/sbin/dockerd`. */
  starts: string[];
  /** `ExecStart` of docker.service without Drydock's own drop-in. */
  dockerExecStart: string;
  /** Those of the paths that the declared audit rules name which are not there: their rules are left out. */
  missing: string[];
  /** By mount point: the UUID of the filesystem that its device has, or will get. Absent without volumes. */
  filesystems?: Record<string, string>;
}

export interface InEffect {
  /** `active`, or the state systemd names, by unit. */
  services: Record<string, string>;
  /** Whether the running daemon read daemon.json as it is now: `as on disk`, or why not. */
  configuration: string;
  /** By the key of daemon.json that asks for it. */
  daemon: JsonObject;
  /** One rule a line, as `auditctl -l` prints it. Absent when the audit layer is off. */
  audit?: string;
  /** Mode of each AppArmor profile by its name: `enforce`, or what is there instead. Absent when there is none. */
  apparmor?: Record<string, string>;
  /** Whether the running daemon has read the seccomp profile as it is now: `as on disk`, or why not. Absent without one of ours. */
  seccomp?: string;
  /** By `<unit> <property>`, e.g. `docker.service LimitNOFILE`. */
  limits: Record<string, string>;
  /** By mount point, e.g. `ext4, UUID=…, nodev, at boot`. Absent without volumes. */
  mounts?: Record<string, string>;
  /** What a move has left, and how large it is; wished as `none` by who consents to its removal, else absent. */
  oldData?: string;
}

export const disruptions = ["hide-containers", "restart-containers", "restore-original", "remove-old-data"] as const;
export type Disruption = (typeof disruptions)[number];
