/** What must not go on: everything that is wrong for this wish on this host, found before anything is touched. */

import { daemonKeySince, daemonKeyUntil } from "../config/daemon.ts";
import type { HostInputs } from "../desired/host-inputs.ts";
import type { FileState, Observation, Owner } from "../observed/observation.ts";
import { compareVersions } from "../observed/engine-version.ts";
import { commandLineFindings } from "./command-line.ts";
import { consentFindings } from "./consents.ts";
import { diskDoubts, diskFindings } from "./disk-findings.ts";
import { needDoubts, needFindings } from "./need-findings.ts";
import { ownKeyFindings } from "./own-keys.ts";
import { isEmpty, type Plan } from "./plan.ts";
import { profileFindings } from "./profiles.ts";
import { daemonConfigurationOn, unreadable } from "./seen.ts";
import { sshdDoubts, sshdFindings } from "./sshd-findings.ts";
import { overlaps, remapUser } from "./subordinate-ids.ts";
import { auditRulesFile } from "./wish.ts";
import { counted } from "./describe.ts";
import { volumeFindings } from "./volume-findings.ts";

/** @returns one sentence a finding, each with what to do; empty when the apply may go on. */
export function findings(wish: HostInputs, observation: Observation, plan: Plan, owner: Owner): string[] {
  const unusable = unusableHost(observation);
  // Nothing else can be judged on a host we can't serve.
  if (unusable.length > 0) return unusable;
  return [
    ...ownedByAnother(observation, owner),
    // Also where there is nothing else to do: a device that can't be used makes no plan.
    ...volumeFindings(wish, observation),
    ...(isEmpty(plan) ? [] : [...engineFindings(wish, observation), ...configurationFindings(wish, observation), ...auditFindings(wish, observation), ...profileFindings(wish, observation, plan), ...needFindings(wish, observation, plan), ...diskFindings(wish, observation, plan), ...clockFindings(observation), ...sshdFindings(observation), ...consentFindings(wish, observation, plan)]),
  ];
}

/** What could not be told, although the wish depends on it: it refuses nothing and must not pass for fine. */
export function doubts(wish: HostInputs, observation: Observation, plan: Plan): string[] {
  return isEmpty(plan) || unusableHost(observation).length > 0 ? [] : [...engineDoubts(wish, observation), ...needDoubts(wish, observation), ...diskDoubts(observation, plan), ...sshdDoubts(observation)];
}

/** A host Drydock is not made for. */
export function unusableHost(observation: Observation): string[] {
  const { kernel, init, dockerPath, units, info } = observation;
  if (!kernel.startsWith("Linux ")) return [`this is ${kernel || "no Linux"}; Drydock serves Linux hosts with systemd; take this host out of the stack file`];
  if (init !== "systemd") return [`process 1 is ${init}, not systemd; Drydock serves hosts that systemd runs; if this is a container, connect to the machine around it, else take this host out of the stack file`];
  if (dockerPath.includes("/snap")) return ["Docker is a snap here: it can't read /etc/docker/daemon.json, and no-new-privileges breaks it; install the engine's packages instead"];
  if (info.known && info.value.SecurityOptions.some((option) => option.startsWith("name=rootless"))) return ["this is rootless Docker, which has its own configuration; Drydock hardens the system-wide engine; install that one, or take this host out of the stack file"];
  if (units["docker.service"]?.LoadState !== "loaded" || dockerPath === "") return ["there is no docker.service here; install Docker 20.10 or newer first"];
  if (info.known && compareVersions(info.value.ServerVersion, "20.10") < 0) return [`Docker ${info.value.ServerVersion} is too old; update Docker to 20.10 or newer first`];
  return [];
}

// --- Internal ---

function ownedByAnother({ owner: holder }: Observation, owner: Owner): string[] {
  if (!holder || (holder.stack === owner.stack && holder.host === owner.host)) return [];
  return [
    `this machine is kept by stack ${holder.stack} as host ${holder.host}; one machine can't have two names (to rename it, remove ${holder.host} in one update, which leaves its hardening, and add ${owner.host} in the next)`,
  ];
}

function engineFindings(wish: HostInputs, { info }: Observation): string[] {
  if (!info.known) return [];
  const version = info.value.ServerVersion;
  const tooNew = Object.keys(wish.daemon).filter((key) => compareVersions(version, daemonKeySince[key] ?? "0") < 0);
  const tooOld = Object.keys(wish.daemon).filter((key) => daemonKeyUntil[key] !== undefined && compareVersions(version, daemonKeyUntil[key]) >= 0);
  const swarm = info.value.Swarm.LocalNodeState !== "inactive" && wish.daemon["live-restore"] === true;
  return [
    ...tooNew.map((key) => `daemon.${key} needs Docker ${daemonKeySince[key] ?? ""}, here is ${version}, which would refuse to start; remove the key or update Docker`),
    ...tooOld.map((key) => `daemon.${key} is unknown to Docker from ${daemonKeyUntil[key] ?? ""} on, here is ${version}, which would refuse to start; remove the key`),
    ...(swarm ? [`this is a swarm node (docker info: Swarm.LocalNodeState ${info.value.Swarm.LocalNodeState}), and dockerd refuses to start with live-restore there; set daemon.live-restore: false for it`] : []),
  ];
}

/** While dockerd is stopped; one that runs and does not answer is refused. */
function engineDoubts({ daemon, inEffect }: HostInputs, { info }: Observation): string[] {
  if (info.known) return [];
  const versioned = Object.keys(daemon).filter((key) => key in daemonKeySince || key in daemonKeyUntil);
  return [
    ...(versioned.length > 0 ? [`whether this engine knows ${versioned.map((key) => `daemon.${key}`).join(", ")}`] : []),
    ...(daemon["live-restore"] === true ? ["whether this is a swarm node, where dockerd does not start with live-restore"] : []),
    ...(containerLimits(inEffect).length > 0 ? ["whether limits for each container have an effect, which its cgroup driver decides"] : []),
  ].map((doubt) => `${doubt} (${info.reason})`);
}

function configurationFindings(wish: HostInputs, observation: Observation): string[] {
  const onDisk = daemonConfigurationOn(observation);
  const user = remapUser(wish.daemon["userns-remap"]);
  return [
    ...(unreadable in onDisk ? [`/etc/docker/daemon.json can't be read as JSON (${JSON.stringify(onDisk[unreadable])}); repair it or move it away`] : []),
    ...commandLineFindings(wish, observation),
    ...ownKeyFindings(wish, observation),
    ...listenerFindings(wish, observation),
    ...linkFindings(observation),
    ...cgroupFindings(wish, observation),
    ...(user ? [...overlaps(observation.subordinateUids, user).map((pair) => `/etc/subuid: ${pair} overlap`), ...overlaps(observation.subordinateGids, user).map((pair) => `/etc/subgid: ${pair} overlap`)].map((text) => `${text}; containers would share ids with another user, so give them ranges of their own`) : []),
    ...keyFileFindings(wish, observation),
  ];
}

/** A link would be followed by what changes the owner, and whoever can change its target could change what is in it. */
function linkFindings({ files }: Observation): string[] {
  const folder = files["/etc/docker"];
  return folder?.known && folder.value.kind === "symbolic link" ? ["/etc/docker is a symbolic link, which Drydock does not follow; make it a folder"] : [];
}

/** `fd://` is what systemd hands over: without its socket dockerd ends. */
function listenerFindings({ daemon }: HostInputs, { units }: Observation): string[] {
  const { hosts } = daemon;
  const state = units["docker.socket"]?.LoadState;
  if (!Array.isArray(hosts) || !hosts.some((address) => typeof address === "string" && address.startsWith("fd://")) || state === undefined || state === "loaded") return [];
  return [`daemon.hosts has fd://, which systemd hands to dockerd, and docker.socket is ${state}, so dockerd would not start; ${state === "masked" ? "run: systemctl unmask docker.socket, or " : ""}take unix:///run/docker.sock instead`];
}

/** Limits for each container stand on systemd's scopes, which only its cgroup driver makes. */
function cgroupFindings({ inEffect }: HostInputs, { info }: Observation): string[] {
  if (!info.known || info.value.CgroupDriver === "systemd") return [];
  if (containerLimits(inEffect).length === 0) return [];
  return [`the cgroup driver here is ${info.value.CgroupDriver}, with which limits for each container have no effect; set daemon.exec-opts: ["native.cgroupdriver=systemd"], or limits.tasksMax and limits.memoryMax to null`];
}

const containerLimits = ({ limits }: HostInputs["inEffect"]) => Object.keys(limits).filter((name) => name.startsWith("docker-.scope "));

/** TLS files by their path on the host: there, root's, and no wider than CIS 3.9 to 3.14 allow. */
function keyFileFindings({ daemon }: HostInputs, observation: Observation): string[] {
  const logOpts = (daemon["log-opts"] ?? {}) as Record<string, string>;
  const named: [setting: string, path: unknown, widest: number][] = [
    ["daemon.tlscacert", daemon.tlscacert, 0o444],
    ["daemon.tlscert", daemon.tlscert, 0o444],
    ["daemon.tlskey", daemon.tlskey, 0o400],
    ["daemon.log-opts.syslog-tls-ca-cert", logOpts["syslog-tls-ca-cert"], 0o444],
    ["daemon.log-opts.syslog-tls-cert", logOpts["syslog-tls-cert"], 0o444],
    ["daemon.log-opts.syslog-tls-key", logOpts["syslog-tls-key"], 0o400],
  ];
  return named.flatMap(([setting, path, widest]) => {
    if (typeof path !== "string") return [];
    const file = observation.files[path];
    if (!file) return [`${setting} names ${path}, which is not there; put it there, or take the setting out`];
    if (!file.known) return [`${setting} names ${path}, which can't be read: ${file.reason}; mend that, or name another one`];
    return trouble(file.value, widest).map((what) => `${setting}: ${path} ${what}; run: chown root:root ${path} && chmod ${widest.toString(8)} ${path}`);
  });
}

function trouble({ owner, group, mode }: FileState, widest: number): string[] {
  const wide = (Number.parseInt(mode, 8) & ~widest) !== 0;
  return [...(owner === "root" && group === "root" ? [] : [`belongs to ${owner}:${group}`]), ...(wide ? [`has mode ${mode}, and at most ${widest.toString(8)} is safe`] : [])];
}

function auditFindings(wish: HostInputs, observation: Observation): string[] {
  if (wish.inEffect.audit === undefined) return [];
  if (observation.units["auditd.service"]?.LoadState === "masked") return ["auditd is masked, so nothing can be audited; run: systemctl unmask auditd, or set audit: false"];
  if (observation.units["auditd.service"]?.LoadState !== "loaded") {
    return ["auditd is not installed, so nothing can be audited; install it (apt-get install auditd, dnf install audit) or set audit: false"];
  }
  if (!observation.auditStatus.known) return [`the kernel can't be asked about auditing (auditctl -s: ${observation.auditStatus.reason}), so no rule could be proven; mend that until auditctl -s answers root there, or set audit: false`];
  // Where an update of ours has compiled them before, what only the compiled file has is ours: somebody took our file away.
  const firstTime = !observation.files[auditRulesFile] && observation.applied.generation === undefined;
  const atRisk = observation.auditRulesOnlyCompiled;
  if (firstTime && atRisk.length > 0) {
    return [`/etc/audit/audit.rules has rules that no file of /etc/audit/rules.d has, and compiling those would lose them (${atRisk.join("; ")}); move them to a file of rules.d`];
  }
  return [];
}

/** What a certificate, a ticket of Kerberos or a reader of two logs can bear (RFC 4120: five minutes). */
const clockTolerance = 300;

/** Generations and audit records get the wrong time, certificates are not valid yet or no more. */
function clockFindings({ clockAhead, now }: Observation): string[] {
  if (clockAhead === undefined || Math.abs(clockAhead) <= clockTolerance) return [];
  const minutes = counted(Math.round(Math.abs(clockAhead) / 60), "minute");
  return [`the clock here is ${minutes} ${clockAhead > 0 ? "ahead of" : "behind"} the one of the machine that runs this (it says ${new Date(now * 1000).toISOString().slice(0, 19)}Z); set the one that is wrong, e.g. with: timedatectl set-ntp true`];
}
