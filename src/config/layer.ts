/** One layer of a host's settings, as defaults, a group or a host writes it; and the settings a host ends up with. */

import { z } from "zod";

import { disruptions, type Disruption } from "../desired/host-inputs.ts";
import { apparmorSchema, type AppArmorSettings } from "./apparmor.ts";
import { auditSchema, type AuditSettings } from "./audit.ts";
import { commandKeys } from "./commands.ts";
import { connectionSchema, type Connection } from "./connection.ts";
import { daemonSchema, type DaemonSettings } from "./daemon.ts";
import { limitsSchema, type LimitsSettings } from "./limits.ts";
import { hostName } from "./names.ts";
import { profileNames } from "./profiles.ts";
import { rolloutSchema } from "./rollout.ts";
import { seccompSchema, type SeccompSettings } from "./seccomp.ts";
import { listOf, oneOf, setting, text } from "./setting.ts";
import { volumeSchema, type VolumeSettings } from "./volume.ts";
import { waiversSchema, type Waivers } from "./waivers.ts";
import { windowSchema } from "./window.ts";

const groupName = text("the name of a group", hostName);

const layerKeys = {
  connection: setting(connectionSchema.meta({ allowed: "a table with host, port, user, hostKey, identityFile, connectTimeout, proxy" }), {
    description: "How to reach the host over SSH.",
    cost: "nothing",
  }),
  daemon: setting(daemonSchema, { description: "Keys of /etc/docker/daemon.json, spelled as there." }),
  audit: setting(auditSchema, { description: "The audit layer.", cost: "nothing" }),
  limits: setting(limitsSchema, { description: "The limits layer." }),
  apparmor: setting(apparmorSchema, { description: "The apparmor layer: profiles for containers." }),
  seccomp: setting(seccompSchema, {
    description: "The filter of system calls for containers that bring none of their own: builtin, or a profile in the engine's JSON form.",
    initially: "builtin",
    cost: "restart",
    cis: "2.17",
    see: "https://docs.docker.com/engine/security/seccomp/",
  }),
  volume: setting(volumeSchema, { description: "The volume layer: a filesystem of its own for Docker's data." }),
  window: windowSchema,
  allow: setting(listOf(oneOf(disruptions), disruptions.join(", ")), {
    description:
      "Disruptions you consent to: hide-containers (userns-remap, data-root, or a filesystem that holds other data), restart-containers, restore-original (when the host leaves the stack file), remove-old-data (what moved to a filesystem of its own).",
    initially: "[]",
    cost: "nothing",
  }),
  waivers: setting(waiversSchema, {
    description:
      "Controls that may fail, by their CIS id in quotes, each with `reason` and `until`, its last day. `npm run report` counts them as waived; an expired one fails. They never reach the host.",
    initially: "{}",
    cost: "nothing",
  }),
  ...commandKeys,
};

/** What `drydock:defaults` and each of `drydock:groups` may hold. */
export const layerSchema = z.strictObject(layerKeys).meta({ allowed: "a table with connection, daemon, audit, limits, apparmor, seccomp, volume, window, allow, waivers, prepare, gate" });

/** What each of `drydock:hosts` may hold. */
export const hostSchema = z
  .strictObject({
    ...layerKeys,
    groups: setting(listOf(groupName, "group names"), { description: "Groups of the host; a later one wins over an earlier one.", initially: "[]", cost: "nothing" }),
  })
  .meta({ allowed: "a table with connection, daemon, audit, limits, apparmor, seccomp, volume, window, allow, waivers, prepare, gate, groups" });

/** A stack file: the keys of `config`, without their prefix `drydock:`. */
export const stackSchema = z.strictObject({
  profile: setting(oneOf(profileNames), {
    description:
      "The layer below all others. strict hardens everything; baseline only what cannot break a workload that runs today.",
    initially: "baseline",
  }),
  defaults: setting(layerSchema, { description: "Settings of every host. A value of `null` takes away what an earlier layer set." }),
  groups: setting(z.record(z.string(), layerSchema).meta({ allowed: "a table of layers by name" }), {
    description: "Settings of the hosts that name the group. Tables merge key by key, lists and single values replace.",
  }),
  hosts: setting(z.record(z.string(), hostSchema).meta({ allowed: "a table of hosts by name" }), {
    description: "The hosts, by the name that Pulumi shows. What stands here wins over groups, defaults and profile.",
  }),
  rollout: setting(rolloutSchema, { description: "Waves of hosts: their order, how many are changed at a time, and how many may fail." }),
  templates: setting(text("the path of a folder"), {
    description: "Folder with templates of your own, relative to the project; a file of the same place replaces Drydock's.",
    initially: "Drydock's templates",
  }),
});

export type Layer = z.infer<typeof layerSchema>;

/** Everything a stack file says of one host, profile, defaults and groups included. */
export interface HostSettings {
  connection: Connection;
  daemon: DaemonSettings;
  audit: AuditSettings;
  limits: LimitsSettings;
  /** Absent: Docker's data stay where they are. */
  volume?: VolumeSettings;
  apparmor: AppArmorSettings;
  /** Absent: the profile inside the engine. */
  seccomp?: SeccompSettings;
  /** Absent: it may be disrupted at any time. */
  window?: string[];
  allow: Disruption[];
  /** By the id of the control. */
  waivers: Waivers;
  groups: string[];
  /** Absent: nothing runs before. */
  prepare?: string;
  /** Absent: nothing runs after. */
  gate?: string;
}
