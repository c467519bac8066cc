/**
 * The job that is measured: what the peers' figures were taken with, and what Drydock does in place of each part. A line a
 * file; whoever adds a layer that has the real thing changes its line here, and the page follows.
 */

import { readFleet } from "../../src/config/fleet.ts";
import { renderHost } from "../../src/desired/render-host.ts";
import type { HostArgs } from "../../src/desired/host-inputs.ts";
import { lightHostServices } from "../../lab/hosts/records.ts";
import type { LightHost } from "../../lab/hosts/light-hosts.ts";

export interface JobPart {
  /** What the peers' job has. */
  peers: string;
  /** Files that stand for it here. */
  files: string[];
  /** Where it is not the same: why. */
  note?: string;
}

export const job: JobPart[] = [
  { peers: "daemon.json", files: ["/etc/docker/daemon.json"] },
  { peers: "one audit rules file", files: ["/etc/audit/rules.d/50-drydock.rules"] },
  { peers: "two AppArmor profiles", files: ["/etc/apparmor.d/drydock-container", "/etc/apparmor.d/drydock-web"] },
  {
    peers: "limits.d",
    files: ["/etc/systemd/system/containerd.service.d/50-drydock.conf", "/etc/systemd/system/docker-.scope.d/10-drydock.conf", "/etc/systemd/system/drydock-containers.slice"],
    note: "neither services nor containers take limits from limits.d: drop-ins and the slice do, and default-ulimits in daemon.json",
  },
  { peers: "a docker drop-in", files: ["/etc/systemd/system/docker.service.d/50-drydock.conf"] },
  { peers: "sysctl.d", files: ["/etc/modules-load.d/drydock.conf", "/etc/tmpfiles.d/drydock.conf"], note: "no layer of Drydock writes sysctl.d: two other settings for the next boot instead" },
];

/** Calls that must have been made by the first apply: the peers' five handlers, and what loads their profiles. */
export const handlers = ["systemctl daemon-reload", "systemctl start docker.service", "auditctl -R", "augenrules", "modprobe br_netfilter", "apparmor_parser -r"];

/** The profile that is declared, for a web server; the other one is Drydock's own. */
const web = {
  files: { "/srv/www/**": "r", "/var/cache/nginx/**": "rw", "/var/log/nginx/*": "w", "/run/nginx.pid": "rw" },
  deny: { "/srv/www/private/**": "r" },
  capabilities: ["net_bind_service", "setuid", "setgid"],
  networks: ["inet stream", "inet6 stream"],
};

export const jobFiles = job.flatMap(({ files }) => files);

/** The `drydock:*` values of the stack file; users and ids, which userns-remap would add, are in no peer's job. */
export function jobConfig(hosts: LightHost[]): Record<string, unknown> {
  return {
    profile: "strict",
    defaults: { daemon: { "userns-remap": null }, apparmor: { profiles: { web } }, limits: { services: lightHostServices }, allow: ["restore-original"] },
    hosts: Object.fromEntries(hosts.map(({ name, connection }) => [name, { connection }])),
  };
}

/** What is rendered for the first of them. */
export function jobArgs(hosts: LightHost[]): HostArgs {
  const fleet = readFleet(jobConfig(hosts));
  const [first] = fleet.hosts.values();
  if (!first) throw new Error("a job without hosts");
  return renderHost(first);
}

export type Step = "first" | "no-op" | "check";

/** What each file has, by its path. */
export function jobTexts(args: HostArgs): Record<string, string> {
  return { ...args.files, "/etc/docker/daemon.json": `${JSON.stringify(args.daemon, undefined, 2)}\n` };
}

/** What a changed file calls for, in this order. */
export function jobHandlers(texts: Record<string, string>): string[] {
  const profiles = Object.keys(texts).filter((path) => path.startsWith("/etc/apparmor.d/"));
  return ["systemctl daemon-reload", "modprobe br_netfilter", "augenrules --load", ...profiles.map((path) => `apparmor_parser -r ${path}`), "systemctl restart docker.service"];
}

/** The same files and handlers as one plain script, for the bare ssh beside which the figures stand. */
export function bareScript(args: HostArgs, step: Step): string {
  const texts = jobTexts(args);
  const lines = Object.entries(texts).flatMap(([path, text]) => [
    `[ -d ${folderOf(path)} ] || mkdir -p ${folderOf(path)}`,
    `cat >/run/new <<'END_OF_FILE'\n${text}END_OF_FILE`,
    step === "check" ? `cmp -s /run/new ${path} || echo ${path}` : `cmp -s /run/new ${path} || { cp /run/new ${path}; chmod 644 ${path}; changed=yes; }`,
  ]);
  return ["set -eu", "changed=no", ...lines, `if [ $changed = yes ]; then ${jobHandlers(texts).join("; ")}; fi`, ""].join("\n");
}

const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/"));

