/**
 * What a reader can run on the host, as root, to see for themselves, and what it prints there. Only what the same look at the host
 * has read stands here: a report asks nothing a second time.
 */

import type { Json } from "../desired/host-inputs.ts";
import { keepsImagesInContainerd, dataRoot } from "../effect/daemon.ts";
import { containerdData } from "../desired/volumes.ts";
import type { Observation } from "../observed/observation.ts";
import type { Known } from "../observed/records.ts";
import { auditIsImmutable, daemonConfigurationOn, unreadable } from "../plan/seen.ts";
import { redact } from "../redact.ts";
import { quote } from "../remote/shell.ts";
import { pathsToWatch } from "./audit-checks.ts";
import type { Check, DaemonCheckName } from "./benchmark.ts";
import { filesOf } from "./file-checks.ts";
import type { Evidence } from "./verdict.ts";

export interface Proof {
  command: string;
  /** Shortened where it is long; without what looks like a secret. */
  printed: string;
}

export function proofsOf(check: Check, evidence: Evidence): Proof[] {
  const { observation } = evidence;
  switch (check.kind) {
    case "daemon":
      return daemonKeys[check.name].flatMap((key) => [...inFile(key, observation), ...inDaemon(key, observation)]);
    case "audit":
      return pathsToWatch(check, observation).flatMap((path) => auditProofs(path, observation)).concat(immutable(observation));
    case "owner":
    case "mode":
      return filesOf(check.of, evidence).map((path) => statProof(path, observation));
    case "host":
      return check.name === "separate partition" ? mountProofs(observation) : [fact("getent group docker | cut -d: -f4", observation.dockerGroup, (members) => members.join(","))];
  }
}

/** What a command printed, as a report may carry it. */
export function printed(text: string): string {
  // Before anything is cut off: half a secret would not look like one.
  const lines = redact(text.trimEnd()).split("\n");
  const shown = lines.slice(0, lineLimit).map((line) => (line.length > widthLimit ? `${line.slice(0, widthLimit)}…` : line));
  return [...shown, ...(lines.length > lineLimit ? [`… ${lines.length - lineLimit} more lines`] : [])].join("\n");
}

// --- Internal ---

const lineLimit = 12;
const widthLimit = 300;

/** The keys of daemon.json that a control is about, in the benchmark's words. */
const daemonKeys: Record<DaemonCheckName, string[]> = {
  rootless: ["rootless"],
  icc: ["icc"],
  "log-level": ["log-level"],
  iptables: ["iptables"],
  "insecure-registries": ["insecure-registries"],
  aufs: ["storage-driver"],
  tls: ["hosts", "tlsverify"],
  "default-ulimits": ["default-ulimits"],
  "userns-remap": ["userns-remap"],
  "cgroup-parent": ["cgroup-parent"],
  "base device size": ["storage-opts"],
  "authorization-plugins": ["authorization-plugins"],
  "log-driver": ["log-driver"],
  "no-new-privileges": ["no-new-privileges"],
  "live-restore": ["live-restore"],
  "userland-proxy": ["userland-proxy"],
  "seccomp-profile": ["seccomp-profile"],
  experimental: ["experimental"],
};

const daemonJson = "/etc/docker/daemon.json";

/** Only the key in question: the rest of the file is the user's. */
function inFile(key: string, observation: Observation): Proof[] {
  if (key === "rootless") return [];
  const file = observation.files[daemonJson];
  const command = `grep '"${key}"' ${daemonJson}`;
  if (!file) return [{ command, printed: `grep: ${daemonJson}: No such file or directory` }];
  if (!file.known) return [{ command, printed: `grep: ${daemonJson}: ${file.reason}` }];
  const configuration = daemonConfigurationOn(observation);
  if (unreadable in configuration) return [{ command: `head -c 200 ${daemonJson}`, printed: printed(redact(file.value.text ?? "").slice(0, 200)) }];
  const lines = (file.value.text ?? "").split("\n");
  const at = lines.findIndex((line) => line.includes(`"${key}"`));
  if (at < 0) return [{ command, printed: "" }];
  const more = linesOf(configuration[key], lines.slice(at)) - 1;
  if (more === 0 && lines.length < 3) return [oneLiner(key, configuration[key], lines[at] ?? "")];
  return [{ command: more === 0 ? command : `grep -A ${more} '"${key}"' ${daemonJson}`, printed: printed(lines.slice(at, at + more + 1).join("\n")) }];
}

/** A file that is one long line holds all of the user's keys in it. */
function oneLiner(key: string, value: Json | undefined, line: string): Proof {
  const pattern = Array.isArray(value) ? String.raw`\[[^]]*]` : typeof value === "object" && value !== null ? "{[^}]*}" : "[^,}]*";
  const found = new RegExp(`"${key}": *${pattern.replace("[^]]", String.raw`[^\]]`)}`).exec(line)?.[0] ?? "";
  return { command: `grep -o '"${key}": *${pattern}' ${daemonJson}`, printed: printed(found) };
}

/** How many lines a value takes: until its brackets are closed. */
function linesOf(value: Json | undefined, lines: string[]): number {
  if (typeof value !== "object" || value === null) return 1;
  let depth = 0;
  for (const [i, line] of lines.entries()) {
    // Brackets inside of texts are none.
    for (const character of line.replaceAll(/"(?:[^"\\]|\\.)*"/g, "")) depth += "{[".includes(character) ? 1 : "}]".includes(character) ? -1 : 0;
    if (depth <= 0) return i + 1;
  }
  return lines.length;
}

const info = (field: string, pick: (info: Extract<Observation["info"], { known: true }>["value"]) => string) => (observation: Observation): Proof[] => [
  fact(`docker info --format '{{json ${field}}}'`, observation.info, pick),
];

const json = (value: unknown) => JSON.stringify(value);

const options = info(".SecurityOptions", ({ SecurityOptions }) => json(SecurityOptions));

/** How the running daemon or the kernel is asked for a key; where nobody can be asked, what dockerd was started with, and when, has to do. */
const asked: Record<string, (observation: Observation) => Proof[]> = {
  rootless: options,
  icc: ({ iptables, bridgeOptions }) =>
    iptables.known
      ? [fact("iptables -S | grep docker0", iptables, (rules) => rules.filter((rule) => rule.includes("docker0")).join("\n"))]
      : [fact("docker network inspect bridge --format '{{json .Options}}'", bridgeOptions, json)],
  iptables: ({ iptables }) => [fact("iptables -S | grep DOCKER", iptables, (rules) => rules.filter((rule) => rule.includes("DOCKER")).join("\n"))],
  "userns-remap": (observation) => [...options(observation), ...info(".DockerRootDir", ({ DockerRootDir }) => json(DockerRootDir))(observation)],
  "live-restore": info(".LiveRestoreEnabled", ({ LiveRestoreEnabled }) => json(LiveRestoreEnabled)),
  "no-new-privileges": options,
  "seccomp-profile": options,
  "userland-proxy": ({ dockerProxies }) => [fact("pgrep -c docker-proxy", dockerProxies, String)],
  "log-driver": info(".LoggingDriver", ({ LoggingDriver }) => json(LoggingDriver)),
  "insecure-registries": info(".RegistryConfig.InsecureRegistryCIDRs", ({ RegistryConfig }) => json(RegistryConfig.InsecureRegistryCIDRs ?? null)),
  "authorization-plugins": info(".Plugins.Authorization", ({ Plugins }) => json(Plugins.Authorization ?? null)),
  "storage-driver": info(".Driver", ({ Driver }) => json(Driver)),
  experimental: info(".ExperimentalBuild", ({ ExperimentalBuild }) => json(ExperimentalBuild)),
};

function inDaemon(key: string, observation: Observation): Proof[] {
  return [...(asked[key]?.(observation) ?? []), ...(key in asked ? [] : commandLine(observation))];
}

function commandLine({ processes, units }: Observation): Proof[] {
  const daemon = processes.docker;
  if (!daemon) return [{ command: "systemctl is-active docker.service", printed: units["docker.service"]?.ActiveState ?? "inactive" }];
  return [{ command: `tr '\\0' ' ' </proc/${daemon.pid}/cmdline`, printed: printed(daemon.command.join(" ")) }];
}

function auditProofs(path: string, { auditRules, auditRulesOnDisk }: Observation): Proof[] {
  // path=/etc/docker, dir=/etc/docker/ and -w /etc/docker name the same; /etc/docker/daemon.json is another path.
  const pattern = `[= ]${path.replace(/(.)\/$/, "$1").replaceAll(/[.[\]*^$+?(){}|\\]/g, String.raw`\$&`)}/?( |$)`;
  const about = (rules: string[]) => rules.filter((rule) => new RegExp(pattern).test(rule)).join("\n");
  const word = quote(pattern);
  return [fact(`auditctl -l | grep -E ${word}`, auditRules, about), fact(`grep -hE ${word} /etc/audit/rules.d/*.rules`, auditRulesOnDisk, about)];
}

const immutable = (observation: Observation): Proof[] => (auditIsImmutable(observation) ? [{ command: "auditctl -s | grep enabled", printed: "enabled 2" }] : []);

function statProof(path: string, { files }: Observation): Proof {
  const command = `stat -c '%U:%G %04a' ${quote(path)}`;
  const file = files[path];
  if (!file) return { command, printed: `stat: cannot statx '${path}': No such file or directory` };
  if (!file.known) return { command, printed: `stat: cannot statx '${path}': ${file.reason}` };
  return { command, printed: `${file.value.owner}:${file.value.group} ${file.value.mode}` };
}

/** Two places on one filesystem have one number. */
function mountProofs({ info, mounts }: Observation): Proof[] {
  if (!info.known) return [{ command: "docker info --format '{{json .DockerRootDir}}'", printed: info.reason }];
  const places = [dataRoot(info.value), ...(keepsImagesInContainerd(info.value) ? [containerdData] : [])];
  return places.flatMap((place) => {
    const above = place.slice(0, place.lastIndexOf("/")) || "/";
    return [above, place].map((path) =>
      fact(`findmnt --noheadings --raw --output MAJ:MIN,FSTYPE --target ${quote(path)}`, mounts, (list) => {
        const mount = list.filter((each) => path === each.path || path.startsWith(each.path === "/" ? "/" : `${each.path}/`)).reduce<(typeof list)[number] | undefined>((best, each) => (best && best.path.length > each.path.length ? best : each), undefined);
        return mount ? `${mount.number} ${mount.filesystem}` : "";
      }),
    );
  });
}

function fact<T>(command: string, value: Known<T>, say: (value: T) => string): Proof {
  return { command, printed: printed(value.known ? say(value.value) : value.reason) };
}
