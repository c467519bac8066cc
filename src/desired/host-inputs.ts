/**
 * What the engine stores and compares for one host: the inputs of `drydock:index:Host`.
 *
 * People read these keys in `pulumi preview --diff`, so they are plain names and plain text: no hashes, no base64, no
 * JSON in strings. `renderHost` makes the wished value, `observedInputs` the value found on the host.
 */

import type { Connection } from "../config/connection.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface HostInputs {
  /** How to reach the host over SSH. Paths stay as written (`~`), no key material. */
  connection: Connection;
  /** Disruptions the stack file consents to. */
  allow: Disruption[];
  /** `yes`, or `no: <reason>`. Only ever wished as `yes`; a host that could not be read shows as drift. */
  reachable: string;
  /**
   * The keys of /etc/docker/daemon.json that Drydock answers for: those it sets, and security keys that must be absent.
   * Other keys in the file are the user's; they stay and are named in the output `foreignDaemonKeys`.
   */
  daemon: Record<string, Json>;
  /** Text of every other file Drydock owns, by absolute path. */
  files: Record<string, string>;
  /** `owner:group mode` by absolute path, e.g. `root:root 0644`; `absent` where there is nothing. */
  modes: Record<string, string>;
  /** What the kernel, systemd and the running daemon report, as opposed to what the files say. */
  inEffect: {
    /** By the key of daemon.json that asks for it. */
    daemon: Record<string, Json>;
    /** One rule a line, as `auditctl -l` prints it, in our order. Absent when the audit layer is off. */
    audit?: string;
    /** By `<unit> <property>`, e.g. `docker.service LimitNOFILE`. */
    limits: Record<string, string>;
  };
}

export const disruptions = ["hide-containers", "restart-containers", "restore-original"] as const;
export type Disruption = (typeof disruptions)[number];
