/**
 * Each key of daemon.json that the running daemon or the kernel can be asked about, and how.
 *
 * A key without an entry (log-opts, default-ulimits, …) is not reported by any engine; for these, `configuration` says
 * whether the running daemon read the file as it is.
 */

import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Json, JsonObject } from "../desired/host-inputs.ts";
import { sortKeys } from "../desired/json.ts";
import type { DockerInfo, Observation } from "../observed/observation.ts";
import { known, unknown, type Known } from "../observed/records.ts";
import { compareVersions } from "../observed/engine-version.ts";
import { remapUser } from "../plan/subordinate-ids.ts";
import { bridgeForwards, usesNftables } from "./bridge.ts";

type Probe = (observation: Observation, wished: Json) => Known<Json>;

/** What is in effect for one key; undefined for a key nobody can be asked about. */
export function daemonKeyInEffect(key: string, wished: Json, observation: Observation): Json | undefined {
  const fact = probes[key]?.(observation, wished);
  return fact && (fact.known ? fact.value : `unknown: ${fact.reason}`);
}

/**
 * What should be in effect, given the file: the same keys as {@link daemonKeyInEffect} answers for, and the engine's defaults of
 * security keys that must be absent: a reload can take one up from a file that is put back at once.
 */
export function daemonWishedInEffect(daemon: JsonObject): JsonObject {
  return sortKeys(Object.fromEntries(Object.entries({ ...defaults, ...daemon }).filter(([key]) => key in probes)));
}

const defaults: JsonObject = { "authorization-plugins": [], debug: false, "default-runtime": "runc", experimental: false, "insecure-registries": [], "seccomp-profile": "builtin" };

/**
 * Whether the running daemon read daemon.json as it is now: either the file is older than the daemon, or the last apply
 * noted this very process and this very text.
 */
export function configurationInEffect(observation: Observation, digest: (text: string) => string): string {
  const file = observation.files["/etc/docker/daemon.json"];
  const daemon = observation.processes.docker;
  if (!daemon) return "unknown: dockerd is not running";
  if (file && !file.known) return `unknown: ${file.reason}`;
  const { applied } = observation;
  const text = file?.value.text ?? "";
  if (applied.daemon === processName(daemon)) return applied.configuration === digest(text) ? asOnDisk : "daemon.json was changed after dockerd read it";
  if (!file) return asOnDisk;
  return file.value.changedAt < daemon.startedAt ? asOnDisk : "daemon.json was changed after dockerd started";
}

export const asOnDisk = "as on disk";

/** Tells one dockerd from the next, also across a reuse of its pid. */
export const processName = (process: { pid: number; startTicks: number }) => `${process.pid}:${process.startTicks}`;

/** The `UID.GID` that userns-remap puts behind the data root, if it is on. */
export function remappedTo(info: DockerInfo): string | undefined {
  if (!info.SecurityOptions.some((option) => /^name=userns\b/.test(option))) return undefined;
  return /\/(\d+\.\d+)$/.exec(info.DockerRootDir)?.[1] ?? "unknown";
}

/** Whether images are in /var/lib/containerd instead of below the data root: fresh installs from 29 on (moby daemon/image_store_choice.go). */
export const keepsImagesInContainerd = (info: DockerInfo) => info.DriverStatus.some(([name, value]) => name === "driver-type" && value?.startsWith("io.containerd.snapshotter") === true);

/** Where all of the daemon's data are: userns-remap puts `/UID.GID` behind it. */
export const dataRoot = (info: DockerInfo) => (remappedTo(info) ? dirname(info.DockerRootDir) : info.DockerRootDir);

/** The option of `docker info`'s SecurityOptions, e.g. `name=seccomp,profile=default`. */
export function securityOption(info: DockerInfo, name: string): string | undefined {
  return info.SecurityOptions.find((option) => option.split(",")[0] === `name=${name}`);
}

/** The daemon's profile; moby says `default` for its own before 23, `builtin` since. Without the option there is no filter. */
export function seccompProfile(info: DockerInfo): string {
  const profile = /profile=(.+)$/.exec(securityOption(info, "seccomp") ?? "")?.[1];
  return profile === undefined ? "unconfined" : profile === "default" ? "builtin" : profile;
}

// --- Internal ---

const fromInfo =
  (pick: (info: DockerInfo, wished: Json, observation: Observation) => Json): Probe =>
  ({ info, ...observation }, wished) =>
    info.known ? known(pick(info.value, wished, { info, ...observation })) : unknown(info.reason);

const sorted = (items: string[] | null | undefined) => [...(items ?? [])].sort();

const probes: Record<string, Probe> = {
  icc: (observation) => {
    const forwards: Known<boolean> = usesNftables(observation) ? unknown("not asked: dockerd works by nftables") : bridgeForwards(observation);
    if (forwards.known || !observation.bridgeOptions.known) return forwards;
    // No iptables on this host (nftables backend): the daemon's word is the best there is.
    return known(observation.bridgeOptions.value["com.docker.network.bridge.enable_icc"] !== "false");
  },
  "userns-remap": fromInfo((info, wished, observation) => {
    const remapped = remappedTo(info);
    if (!remapped) return "";
    const user = remapUser(wished) ?? "";
    const range = new RegExp(`^${user.replaceAll(/[^\w-]/g, "\\$&")}:(\\d+):\\d+$`, "m").exec(observation.subordinateUids)?.[1];
    return range === remapped.split(".")[0] ? wished : remapped;
  }),
  "live-restore": fromInfo((info) => info.LiveRestoreEnabled),
  // Reported from engine 24 on (moby#45320); on older ones only `configuration` answers for it.
  "no-new-privileges": fromInfo((info, wished) => (compareVersions(info.ServerVersion, "24.0") < 0 ? wished : securityOption(info, "no-new-privileges") !== undefined)),
  "userland-proxy": fromInfo((_info, wished, { dockerProxies, processes }) => {
    const flag = processes.docker?.command.find((word) => /^--userland-proxy(?:=|$)/.test(word));
    if (flag) return !flag.endsWith("=false");
    if (!dockerProxies.known) return `unknown: ${dockerProxies.reason}`;
    // Without a published port there is no proxy process to see; `configuration` answers for that case.
    return dockerProxies.value > 0 ? true : wished;
  }),
  // A dockerd that makes no rules leaves those of an earlier one until the next boot: `configuration` answers for it.
  iptables: ({ iptables, info }, wished) =>
    usesNftables({ info }) || wished === false ? known(wished) : iptables.known ? known(iptables.value.some((rule) => rule === "-N DOCKER") && iptables.value.some((rule) => /^-A FORWARD .*-j DOCKER/.test(rule))) : iptables,
  "log-driver": fromInfo((info) => info.LoggingDriver),
  "insecure-registries": fromInfo((info, wished) => {
    const trusted = [
      // The loopback networks are always there and can't be taken out.
      ...sorted(info.RegistryConfig.InsecureRegistryCIDRs).filter((cidr) => cidr !== "127.0.0.0/8" && cidr !== "::1/128"),
      ...sorted(Object.entries(info.RegistryConfig.IndexConfigs ?? {}).flatMap(([name, { Secure }]) => (Secure ? [] : [name]))),
    ];
    // dockerd keeps no order: the one that was written is as good.
    return Array.isArray(wished) && isDeepStrictEqual(new Set(trusted), new Set(wished)) ? wished : trusted;
  }),
  "default-cgroupns-mode": fromInfo((info) => (securityOption(info, "cgroupns") ? "private" : "host")),
  "default-runtime": fromInfo((info) => info.DefaultRuntime),
  "authorization-plugins": fromInfo((info) => [...(info.Plugins.Authorization ?? [])]),
  experimental: fromInfo((info) => info.ExperimentalBuild),
  debug: fromInfo((info) => info.Debug),
  "seccomp-profile": fromInfo((info) => seccompProfile(info)),
  "storage-driver": fromInfo((info) => info.Driver),
};
