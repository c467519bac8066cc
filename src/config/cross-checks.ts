/**
 * What no single setting can get wrong, only several together. Most of these keep dockerd from starting, and
 * `dockerd --validate` sees none of them (daemon/daemon_unix.go, verifyDaemonSettings).
 */

import { checkCommands } from "./commands.ts";
import type { DaemonSettings } from "./daemon.ts";
import type { HostSettings } from "./layer.ts";
import { checkLogOptions } from "./log-options.ts";
import { showValue } from "./problems.ts";
import { checkSeccomp, seccompFile } from "./seccomp.ts";

/** A mistake of a merged host. It is shown at that of the involved settings which was written last. */
export interface Finding {
  involves: string[][];
  text: string;
}

export const containersSlice = "drydock-containers.slice";

export function crossCheck(settings: HostSettings): Finding[] {
  return [...crossCheckDaemon(settings.daemon), ...checkLimits(settings), ...checkVolume(settings), ...checkSecrets(settings.daemon), ...checkProfile(settings), ...checkCommands(settings)];
}

/** What keys of daemon.json get wrong together, whoever wrote them. */
export function crossCheckDaemon(daemon: DaemonSettings): Finding[] {
  return [...checkFirewall(daemon), ...checkAddresses(daemon), ...checkListeners(daemon), ...checkNamespaces(daemon), ...checkLogging(daemon)];
}

// --- Internal ---

const keys = (...names: string[]): string[][] => names.map((name) => ["daemon", name]);

function checkFirewall(daemon: DaemonSettings): Finding[] {
  const findings: Finding[] = [];
  if (daemon.icc === false && daemon.iptables === false) {
    findings.push({ involves: keys("iptables", "icc"), text: "icc: false needs iptables: true, the daemon would not start" });
  }
  if (daemon.icc === false && daemon.ipv6 === true && daemon.ip6tables === false) {
    findings.push({ involves: keys("ip6tables", "icc", "ipv6"), text: "icc: false with ipv6: true needs ip6tables: true, the daemon would not start" });
  }
  return findings;
}

function checkAddresses(daemon: DaemonSettings): Finding[] {
  const findings: Finding[] = [];
  for (const key of ["bip", "bip6"] as const) {
    if (daemon[key] !== undefined && daemon.bridge !== undefined) {
      findings.push({ involves: keys(key, "bridge"), text: `${key} and bridge exclude each other` });
    }
  }
  if (daemon["host-gateway-ip"] !== undefined && daemon["host-gateway-ips"] !== undefined) {
    findings.push({ involves: keys("host-gateway-ip", "host-gateway-ips"), text: "host-gateway-ip and host-gateway-ips exclude each other" });
  }
  const pools = daemon["default-address-pools"] ?? [];
  if (pools.some((pool) => pool.base === undefined || pool.size === undefined)) {
    findings.push({ involves: keys("default-address-pools"), text: "each pool needs base and size" });
  }
  return findings;
}

function checkListeners(daemon: DaemonSettings): Finding[] {
  const findings: Finding[] = [];
  const local = /^(fd:\/\/|unix:\/\/(\/var)?\/run\/docker\.sock$)/;
  if (daemon.hosts !== undefined && !daemon.hosts.some((listener) => local.test(listener))) {
    findings.push({ involves: keys("hosts"), text: `${showValue(daemon.hosts)} leaves out the local socket, without which nobody on the host reaches the daemon; add fd:// or unix:///run/docker.sock` });
  }
  const tcp = (daemon.hosts ?? []).find((listener) => listener.startsWith("tcp://"));
  const files = (["tlscacert", "tlscert", "tlskey"] as const).filter((key) => daemon[key] === undefined);
  const missing = [...(daemon.tlsverify === true ? [] : ["tlsverify: true"]), ...files];
  if (tcp !== undefined && missing.length > 0) {
    findings.push({
      involves: keys("hosts", "tlsverify", "tlscacert", "tlscert", "tlskey"),
      text: `${showValue(tcp)} needs ${missing.join(", ")}: without them whoever reaches the port is root on the host`,
    });
  } else if (daemon.tlsverify === true && files.length > 0) {
    findings.push({ involves: keys("tlsverify", "tlscacert", "tlscert", "tlskey"), text: `tlsverify needs ${files.join(", ")}` });
  }
  return findings;
}

function checkNamespaces(daemon: DaemonSettings): Finding[] {
  const findings: Finding[] = [];
  const remap = daemon["userns-remap"];
  if (remap !== undefined && remap.split(":").some((name) => name === "root" || /^0+$/.test(name))) {
    findings.push({ involves: keys("userns-remap"), text: `${showValue(remap)} is root on the host, which remaps nothing; name another user` });
  }
  if (remap !== undefined && daemon.features?.["containerd-snapshotter"] === true) {
    findings.push({
      involves: [["daemon", "userns-remap"], ["daemon", "features", "containerd-snapshotter"]],
      text: "userns-remap and features.containerd-snapshotter: true exclude each other, the daemon would not start",
    });
  }
  for (const [name, limit] of Object.entries(daemon["default-ulimits"] ?? {})) {
    const involves = [["daemon", "default-ulimits", name]];
    if (!ulimitNames.includes(name)) findings.push({ involves, text: `no limit of this name; known: ${ulimitNames.join(", ")}` });
    if (limit.Name !== undefined && limit.Name !== name) findings.push({ involves, text: `Name is ${showValue(limit.Name)}, but must be the key, "${name}"` });
    if (limit.Soft === undefined || limit.Hard === undefined) findings.push({ involves, text: "needs Soft and Hard" });
    else if (limit.Hard !== -1 && (limit.Soft > limit.Hard || limit.Soft === -1)) findings.push({ involves, text: `Soft (${limit.Soft}) is above Hard (${limit.Hard})` });
  }
  if (daemon["storage-driver"] === "aufs") findings.push({ involves: keys("storage-driver"), text: '"aufs" is refused: unmaintained, CIS 2.6' });
  const cgroupfs = daemon["exec-opts"]?.some((option) => option.endsWith("=cgroupfs"));
  if (cgroupfs === true && daemon["cgroup-parent"] !== undefined) {
    findings.push({ involves: keys("exec-opts", "cgroup-parent"), text: "slices need native.cgroupdriver=systemd" });
  }
  if (daemon["containerd-namespace"] !== undefined && daemon["containerd-namespace"] === daemon["containerd-plugins-namespace"]) {
    findings.push({ involves: keys("containerd-namespace", "containerd-plugins-namespace"), text: "containers and plugins need namespaces of their own" });
  }
  return findings;
}

const ulimitNames = [
  "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
];

function checkLimits({ daemon, limits }: HostSettings): Finding[] {
  const findings: Finding[] = [];
  if (limits.total !== undefined && daemon["cgroup-parent"] !== containersSlice) {
    findings.push({
      involves: [["daemon", "cgroup-parent"], ["limits", "total"]],
      text: `containers would not be in ${containersSlice}, so limits.total would not hold; remove one of the two`,
    });
  }
  if (limits.memoryMax === undefined && limits.memorySwapMax !== undefined) {
    findings.push({ involves: [["limits", "memorySwapMax"], ["limits", "memoryMax"]], text: "memorySwapMax without memoryMax limits nothing that matters; set memoryMax too" });
  }
  return findings;
}

function checkVolume({ daemon, volume }: HostSettings): Finding[] {
  if (volume === undefined) return [];
  const at = (...names: string[]) => [["volume", ...names]];
  const { device, filesystem, containerSize, containerd } = volume;
  const findings: Finding[] = [];
  if (device === undefined && (containerd === undefined || filesystem !== undefined || containerSize !== undefined)) findings.push({ involves: at(filesystem === undefined ? "containerSize" : "filesystem"), text: "volume.device is missing: name the disk for /var/lib/docker, e.g. /dev/disk/by-id/virtio-data" });
  if (containerd !== undefined && containerd.device === undefined) findings.push({ involves: at("containerd"), text: "volume.containerd.device is missing: name the disk for /var/lib/containerd" });
  if (device !== undefined && device === containerd?.device) findings.push({ involves: [["volume", "device"], ["volume", "containerd", "device"]], text: `${showValue(device)} is named twice; /var/lib/docker and /var/lib/containerd need a device each` });
  if (containerSize !== undefined && filesystem !== "xfs") {
    findings.push({ involves: [["volume", "containerSize"], ["volume", "filesystem"]], text: "containerSize needs filesystem: xfs, whose project quota counts what a container writes" });
  }
  if (containerSize !== undefined && daemon["storage-opts"]?.filter((option) => option.startsWith("overlay2.size=")).length !== 1) {
    findings.push({ involves: [["volume", "containerSize"], ["daemon", "storage-opts"]], text: "containerSize and overlay2.size in storage-opts say the same; remove one of the two" });
  }
  const root = daemon["data-root"];
  if (device !== undefined && root !== undefined && root !== "/var/lib/docker") {
    findings.push({ involves: [["daemon", "data-root"], ["volume", "device"]], text: `data-root is ${showValue(root)}, so a filesystem at /var/lib/docker would hold nothing; remove one of the two` });
  }
  return findings;
}

function checkLogging(daemon: DaemonSettings): Finding[] {
  const driver = daemon["log-driver"];
  const options = daemon["log-opts"];
  // The host may have some of its own, which stay. None are not looked at by dockerd, too (moby daemon/logs.go, defaultLogConfig).
  if (!options || Object.keys(options).length === 0) return [];
  return checkLogOptions(driver ?? "json-file", options as Record<string, string>).map((finding) => ({
    involves: [...(finding.options.length > 0 ? finding.options.map((option) => ["daemon", "log-opts", option]) : keys("log-opts")), ...(finding.ofDriver ? keys("log-driver") : [])],
    text: finding.text,
  }));
}

/** The seccomp profile, whoever wrote it: a table of the stack file, or a file on the host. */
function checkProfile({ daemon, seccomp }: HostSettings): Finding[] {
  if (seccomp === undefined) return [];
  const named = daemon["seccomp-profile"];
  return [
    // Only a template of the user's own can leave it out.
    ...(named === undefined ? [{ involves: [["seccomp"]], text: `seccomp-profile has to be ${seccompFile}, or the layer seccomp does nothing` }] : []),
    ...(named !== undefined && named !== seccompFile ? [{ involves: [["daemon", "seccomp-profile"], ["seccomp"]], text: `${showValue(named)} and the layer seccomp exclude each other; remove one of the two` }] : []),
    ...checkSeccomp(seccomp).map(({ key, text }) => ({ involves: [key, "syscalls", "defaultAction"].map((part) => ["seccomp", part]), text })),
  ];
}

/** `//user:password@` or `//token@` in any value, such as a mirror: it would stand in Pulumi's state and in daemon.json. */
function checkSecrets(daemon: DaemonSettings): Finding[] {
  return Object.entries(daemon)
    .filter(([, value]) => /:\/\/[^\s"]*@/.test(JSON.stringify(value)))
    .map(([key]) => ({
      involves: keys(key),
      text: "a password in a URL, in clear; Drydock carries no secrets",
    }));
}
