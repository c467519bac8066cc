/** CIS 3: owner and mode of Docker's files and sockets. */

import type { FileState } from "../observed/observation.ts";
import type { FileTarget } from "./benchmark.ts";
import { daemonSetting } from "./daemon-settings.ts";
import type { Evidence, Finding } from "./verdict.ts";

export type FileRule = { owner: string } | { mode: string };

export function checkFile(of: FileTarget, rule: FileRule, evidence: Evidence): Finding {
  const paths = resolve(of, evidence);
  if (!Array.isArray(paths)) return paths;
  const findings = paths.map((path) => checkPath(path, rule, evidence));
  const found = findings.filter(({ verdict }) => verdict !== "not applicable");
  const worst = found.find(({ verdict }) => verdict === "fail") ?? found.find(({ verdict }) => verdict === "unknown");
  return worst ?? found[0] ?? findings[0] ?? { verdict: "not applicable", evidence: "there is no such file" };
}

/** `0644` or more restrictive: no bit beyond the permitted ones, whatever the number (0577 is smaller than 0644 and wider). */
export function isAsStrict(mode: string, permitted: string): boolean {
  return (Number.parseInt(mode, 8) & ~Number.parseInt(permitted, 8)) === 0;
}

/** Owner and mode of these are needed; they are looked at, never read: a key may be among them. */
export const statPaths = [
  "/etc/docker",
  "/etc/docker/daemon.json",
  "/etc/default/docker",
  "/etc/sysconfig/docker",
  "/run/docker.sock",
  "/run/containerd/containerd.sock",
  "/lib/systemd/system/docker.service",
  "/usr/lib/systemd/system/docker.service",
  "/etc/systemd/system/docker.service",
  "/lib/systemd/system/docker.socket",
  "/usr/lib/systemd/system/docker.socket",
  "/etc/systemd/system/docker.socket",
];

/** The files that TLS of the daemon names, as far as a daemon.json says so: to be looked at, never read. */
export function tlsPaths(daemon: Record<string, unknown>): string[] {
  return ["tlscacert", "tlscert", "tlskey"].map((key) => daemon[key]).filter((path) => typeof path === "string");
}

/** The files of a target that are looked at on this host. */
export function filesOf(of: FileTarget, evidence: Evidence): string[] {
  const paths = resolve(of, evidence);
  return Array.isArray(paths) ? paths : [];
}

// --- Internal ---

function resolve(of: FileTarget, evidence: Evidence): string[] | Finding {
  const { observation } = evidence;
  if ("path" in of) return [of.path];
  if ("unit" in of) {
    const unit = observation.units[of.unit];
    if (!unit) return { verdict: "unknown", evidence: `systemctl show did not name ${of.unit}` };
    return unit.FragmentPath ? [unit.FragmentPath] : { verdict: "not applicable", evidence: `there is no unit ${of.unit}` };
  }
  if ("daemonKey" in of) {
    const path = daemonSetting(of.daemonKey, evidence).onDisk;
    if (!path.known) return { verdict: "unknown", evidence: path.reason };
    return typeof path.value === "string" ? [path.value] : { verdict: "not applicable", evidence: `daemon.json names no ${of.daemonKey}` };
  }
  const certificates = observation.registryCertificates;
  if (!certificates.known) return { verdict: "unknown", evidence: certificates.reason };
  return certificates.value.length > 0 ? certificates.value : { verdict: "not applicable", evidence: "no *.crt below /etc/docker/certs.d" };
}

function checkPath(path: string, rule: FileRule, { observation, wish }: Evidence): Finding {
  const file = observation.files[path];
  if (!file) return { verdict: "not applicable", evidence: `${path} is not on this host` };
  const wished = wish?.modes[path];
  const declared = wished === undefined ? {} : { declared: part(wished, rule) };
  if (!file.known) return { ...declared, verdict: "unknown", evidence: `${path}: ${file.reason}` };
  const seen = part(`${file.value.owner}:${file.value.group} ${file.value.mode}`, rule);
  const passes = "owner" in rule ? seen === rule.owner : isAsStrict(file.value.mode, rule.mode);
  return {
    ...declared,
    // A socket is made anew at each start: what is seen is the running state, its unit says what comes next.
    ...(isSocket(file.value) ? { inEffect: seen } : { onDisk: seen }),
    verdict: passes ? "pass" : "fail",
    evidence: `stat: ${path} ${file.value.owner}:${file.value.group} ${file.value.mode}`,
  };
}

const isSocket = ({ kind }: FileState) => kind === "socket";

const part = (ownerAndMode: string, rule: FileRule) => ownerAndMode.split(" ")["owner" in rule ? 0 : 1] ?? ownerAndMode;
