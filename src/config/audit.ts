/** What a stack file may say under `audit`: who is watched touching Docker's files. CIS 1.1.3 to 1.1.18. */

import { z } from "zod";

import { flag, setting, text, type Settled } from "./setting.ts";

const permissions = text("some of the letters r, w, x, a", /^(?=[rwxa]{1,4}$)(?!.*(.).*\1)/);

export const auditSchema = z
  .strictObject({
    enabled: setting(flag, { description: "The whole layer; `audit: false` says the same.", initially: "true", cost: "nothing" }),
    perm: setting(permissions, {
      description: "What is recorded of binaries, units, settings and sockets: r read, w write, x execute, a change of attributes.",
      initially: "rwxa",
      cost: "nothing",
      cis: "1.1.3",
      see: "auditctl(8)",
    }),
    dataPerm: setting(permissions, {
      description:
        "The same for /var/lib/docker and /run/containerd, where containers live. Reads and executions there flood the log " +
        "on a busy host, so only writes and changes of attributes are recorded.",
      initially: "wa",
      cost: "nothing",
      cis: "1.1.5",
      see: "auditctl(8)",
    }),
    abi32: setting(flag, {
      description: "A second rule each for 32-bit system calls: without it a 32-bit program is not seen.",
      initially: "true",
      cost: "nothing",
      see: "audit.rules(7)",
    }),
  })
  .meta({ allowed: "true, false, or a table with enabled, perm, dataPerm, abi32" });

export type AuditSettings = Required<{ [Key in keyof Written]: Exclude<Written[Key], undefined> }>;
type Written = Settled<z.infer<typeof auditSchema>>;
