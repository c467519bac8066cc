/** CIS 2: the settings of the daemon, each judged on the files and on the daemon that runs. */

import type { Json } from "../desired/host-inputs.ts";
import { seccompFile } from "../config/seccomp.ts";
import { asOnDisk, seccompProfile, securityOption } from "../effect/daemon.ts";
import { seccompInEffect } from "../effect/seccomp.ts";
import { known, unknown, type Known } from "../observed/records.ts";
import type { DaemonCheckName } from "./benchmark.ts";
import { digest } from "../plan/seen.ts";
import { daemonSetting, type DaemonSetting } from "./daemon-settings.ts";
import { checkTls } from "./tls-check.ts";
import { decide, whenKnown, type Evidence, type Finding } from "./verdict.ts";

export function checkDaemon(name: DaemonCheckName, evidence: Evidence): Finding {
  return checks[name](evidence);
}

/** A value as people write it: `not set`, `false`, `nofile=1024:65536`. */
export function inWords(value: Json | undefined): string {
  if (value === undefined || value === null) return "not set";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(inWords).join(", ");
  if (typeof value !== "object") return value === "" ? "off" : String(value);
  return Object.entries(value).map(([key, inner]) => `${key}=${limitInWords(inner)}`).join(", ");
}

// --- Internal ---

type DaemonCheck = (evidence: Evidence) => Finding;

/** A control that one value decides; dockerd's own default is what an absent key means. */
function byValue(key: string, byDefault: Json | undefined, satisfied: (value: Json | undefined) => boolean): DaemonCheck {
  return (evidence) => judge(key, daemonSetting(key, evidence), byDefault, satisfied);
}

function judge(key: string, setting: DaemonSetting, byDefault: Json | undefined, satisfied: (value: Json | undefined) => boolean): Finding {
  const orDefault = (fact: Known<Json | undefined>) => (fact.known ? known(fact.value ?? byDefault) : fact);
  const onDisk = orDefault(setting.onDisk);
  const inEffect = orDefault(setting.inEffect);
  const verdict = decide({ disk: whenKnown(onDisk, satisfied), effect: whenKnown(inEffect, satisfied), waitsFor: setting.waitsFor });
  return {
    ...(setting.declared === undefined ? {} : { declared: inWords(setting.declared) }),
    onDisk: describe(onDisk),
    inEffect: describe(inEffect),
    verdict,
    evidence: verdict === "pending" ? `waits for ${setting.waitsFor ?? ""}` : `${key}: the files say ${describe(onDisk)}, the running daemon has ${describe(inEffect)}`,
  };
}

const describe = (fact: Known<Json | undefined>) => (fact.known ? inWords(fact.value) : `unknown: ${fact.reason}`);

const isEmpty = (value: Json | undefined) => value === undefined || value === null || (typeof value === "object" && Object.keys(value).length === 0);

/** Containers keep the driver they were made with (moby daemon/create.go). */
const keepsLocalLog = new Set(["json-file", "local", "none"]);

const checks: Record<DaemonCheckName, DaemonCheck> = {
  rootless: ({ observation: { info } }) => {
    if (!info.known) return { verdict: "unknown", evidence: info.reason };
    const rootless = securityOption(info.value, "rootless") !== undefined;
    if (rootless) return { inEffect: "not root", verdict: "pass", evidence: "docker info: name=rootless" };
    return { inEffect: "root", verdict: "manual", evidence: "dockerd runs as root; rootless is another way to install it" };
  },
  icc: (evidence) => {
    const setting = daemonSetting("icc", evidence);
    // dockerd rebuilds docker0 only while no container runs (moby daemon/daemon_unix.go).
    const { bridgeOptions, containers } = evidence.observation;
    const keepsOldBridge = bridgeOptions.known && bridgeOptions.value["com.docker.network.bridge.enable_icc"] !== "false";
    const running = containers.known ? containers.value.filter((container) => container.running).map(({ name }) => name) : [];
    const waitsFor = setting.waitsFor ?? (keepsOldBridge && running.length > 0 ? `a restart of docker.service while no container runs (${running.join(", ")})` : undefined);
    return judge("icc", { ...setting, waitsFor }, true, (value) => value === false);
  },
  "log-level": (evidence) => {
    const setting = daemonSetting("log-level", evidence);
    const { info } = evidence.observation;
    // `debug` wins over log-level (dockerd(8)).
    return judge("log-level", info.known && info.value.Debug ? { ...setting, inEffect: known("debug") } : setting, "info", (value) => value === "info");
  },
  iptables: byValue("iptables", true, (value) => value !== false),
  "insecure-registries": byValue("insecure-registries", [], isEmpty),
  aufs: byValue("storage-driver", undefined, (value) => value !== "aufs"),
  tls: checkTls,
  "default-ulimits": (evidence) => {
    const setting = daemonSetting("default-ulimits", evidence);
    const finding = judge("default-ulimits", setting, undefined, (value) => !isEmpty(value));
    if (!setting.onDisk.known || !isEmpty(setting.onDisk.value)) return finding;
    return { ...finding, verdict: "manual", evidence: "no default-ulimits: containers get the limits of containerd.service; the benchmark leaves it to you" };
  },
  "userns-remap": byValue("userns-remap", "", (value) => typeof value === "string" && value !== "" && !/^root(:|$)/.test(value)),
  "cgroup-parent": (evidence) => {
    const setting = daemonSetting("cgroup-parent", evidence);
    // Another parent is what the control warns of, unless somebody confirmed it: the stack file does.
    return judge("cgroup-parent", setting, undefined, (value) => isEmpty(value) || value === "" || value === setting.declared);
  },
  "base device size": byValue("storage-opts", [], (value) => !(Array.isArray(value) ? value : []).some((option) => typeof option === "string" && option.startsWith("dm.basesize"))),
  "authorization-plugins": byValue("authorization-plugins", [], (value) => !isEmpty(value)),
  "log-driver": (evidence) => {
    const finding = byValue("log-driver", "json-file", (value) => typeof value === "string" && !keepsLocalLog.has(value))(evidence);
    const { containers } = evidence.observation;
    const old = containers.known ? containers.value.filter(({ running, logDriver }) => running && keepsLocalLog.has(logDriver)).map(({ name }) => name) : [];
    if (finding.verdict !== "pass" || old.length === 0) return finding;
    return { ...finding, verdict: "pending", evidence: `waits for containers to be made again: ${old.join(", ")} still log to a local file` };
  },
  "no-new-privileges": byValue("no-new-privileges", false, (value) => value === true),
  "live-restore": (evidence) => {
    const { info } = evidence.observation;
    if (info.known && info.value.Swarm.LocalNodeState === "active") return { verdict: "not applicable", evidence: "a Swarm node can't have live-restore" };
    return byValue("live-restore", false, (value) => value === true)(evidence);
  },
  "userland-proxy": (evidence) => {
    const setting = daemonSetting("userland-proxy", evidence);
    const { containers, dockerProxies } = evidence.observation;
    const publishes = containers.known && containers.value.some(({ running, ports }) => running && Object.values(ports).some((bindings) => Array.isArray(bindings) && bindings.length > 0));
    const provenOff = publishes && dockerProxies.known && dockerProxies.value === 0;
    return judge("userland-proxy", provenOff ? { ...setting, inEffect: known(false) } : setting, true, (value) => value === false);
  },
  "seccomp-profile": (evidence) => {
    const { info } = evidence.observation;
    const setting = { ...daemonSetting("seccomp-profile", evidence), inEffect: info.known ? known(seccompProfile(info.value)) : unknown(info.reason) };
    const finding = judge("seccomp-profile", setting, "builtin", (value) => value !== "unconfined");
    const read = setting.declared === seccompFile ? seccompInEffect(evidence.observation, digest) : asOnDisk;
    // The right path, and another text behind it.
    if (finding.verdict === "pass" && read !== asOnDisk) return { ...finding, verdict: read.startsWith("unknown: ") ? "unknown" : "fail", evidence: `${seccompFile}: ${read}` };
    const custom = setting.inEffect.known && !["builtin", "unconfined"].includes(setting.inEffect.value) && setting.inEffect.value !== setting.declared;
    return custom && finding.verdict === "pass" ? { ...finding, verdict: "manual", evidence: `${finding.inEffect ?? ""} is a profile that no stack file names` } : finding;
  },
  experimental: byValue("experimental", false, (value) => value !== true),
};

// {"Name":"nofile","Soft":1024,"Hard":65536}
function limitInWords(limit: Json): string {
  if (typeof limit !== "object" || limit === null || Array.isArray(limit)) return inWords(limit);
  return `${inWords(limit.Soft)}:${inWords(limit.Hard)}`;
}
