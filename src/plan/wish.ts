/**
 * From what a stack file declares to the whole wish for one host: audit rules for the paths it has, the unit's own
 * command line where `hosts` needs it, and what must be in effect once the files are right.
 */

import { dirname } from "node:path";
import { profilesWished } from "../effect/apparmor.ts";
import { auditRulesOf, lines, watchedPath } from "../effect/audit-rules.ts";
import { asOnDisk, daemonWishedInEffect } from "../effect/daemon.ts";
import { limitsWished } from "../effect/limits.ts";
import type { HostArgs, HostFacts, HostInputs, InEffect } from "../desired/host-inputs.ts";
import { byUuid, mountUnitFile } from "../desired/volumes.ts";
import { mountWished } from "../effect/mounts.ts";
import { seccompFile } from "../config/seccomp.ts";

export const auditRulesFile = "/etc/audit/rules.d/50-drydock.rules";
export const daemonJson = "/etc/docker/daemon.json";
export const hostsDropIn = "/etc/systemd/system/docker.service.d/60-drydock-hosts.conf";

/** Completes what is declared for a host of which the facts are known. Pure. */
export function completeInputs(args: HostArgs, host: HostFacts): HostInputs {
  const files = { ...args.files };
  const created = [daemonJson, dirname(daemonJson), ...Object.keys(files)];
  const modes = { ...args.modes };
  const declaredRules = files[auditRulesFile];
  if (declaredRules !== undefined) files[auditRulesFile] = auditRulesForHost(declaredRules, host, created);
  if (Array.isArray(args.daemon.hosts)) {
    files[hostsDropIn] = hostsDropInText(host.dockerExecStart);
    modes[hostsDropIn] = "root:root 0644";
  }
  for (const [mountPoint, { device }] of Object.entries(args.volumes ?? {})) {
    const [path, uuid] = [mountUnitFile(mountPoint), host.filesystems?.[mountPoint]];
    if (uuid !== undefined) files[path] = byUuid(files[path] ?? "", device, uuid);
  }
  const rules = files[auditRulesFile];
  const apparmor = profilesWished(files);
  return {
    connection: args.connection,
    allow: args.allow,
    ...(args.window === undefined ? {} : { window: args.window }),
    reachable: "yes",
    host: { ...host, missing: host.missing.filter((path) => !created.includes(path)) },
    daemon: args.daemon,
    files,
    modes,
    ...(args.volumes === undefined ? {} : { volumes: args.volumes }),
    ...(args.rollout === undefined ? {} : { rollout: args.rollout }),
    inEffect: {
      services: { "docker.service": "active", ...(rules === undefined ? {} : { "auditd.service": "active" }) },
      configuration: asOnDisk,
      daemon: daemonWishedInEffect(args.daemon),
      ...(rules === undefined ? {} : { audit: lines(auditRulesOf(rules)) }),
      ...(apparmor === undefined ? {} : { apparmor }),
      ...(files[seccompFile] === undefined ? {} : { seccomp: asOnDisk }),
      limits: limitsWished(files),
      ...mountsWished(args, host),
    },
  };
}

/**
 * Leaves out the rules for paths that are not on this host and adds the binaries its units really start, with the
 * permissions that the file asks for /usr/bin/dockerd (Debian's dockerd is /usr/sbin/dockerd).
 *
 * What the apply itself will create counts as present, or the next update would find one more path to watch.
 *
 * /usr/bin/dockerd itself stays on every host: scanners ask for it (CIS 1.1.3 has no test whether it exists), and who
 * puts a daemon there wants it to be started.
 */
export function auditRulesForHost(text: string, host: HostFacts, created: string[] = []): string {
  const missing = new Set(host.missing.filter((path) => !created.includes(path) && path !== daemonBinary));
  const named = new Set(auditRulesOf(text).map(watchedPath));
  const out: string[] = [];
  const pathOf = (line: string) => (line.startsWith("-") ? watchedPath(line) : undefined);
  const stays = (line: string) => !missing.has(pathOf(line) ?? "");
  for (const [i, line] of text.split("\n").entries()) {
    const path = pathOf(line);
    if (stays(line) && !(line.startsWith("#") && losesItsRules(text.split("\n").slice(i + 1), stays))) out.push(line);
    if (path !== daemonBinary) continue;
    for (const binary of host.starts.filter((start) => !named.has(start))) out.push(line.replace(daemonBinary, binary));
  }
  return out.join("\n");
}

// --- Internal ---

const daemonBinary = "/usr/bin/dockerd";

/** A comment whose rules, those right behind it, are all left out says something untrue. */
function losesItsRules(after: string[], stays: (line: string) => boolean): boolean {
  const end = after.findIndex((line) => !line.startsWith("-"));
  const rules = end < 0 ? after : after.slice(0, end);
  return rules.length > 0 && !rules.some(stays);
}

function mountsWished({ volumes, allow }: HostArgs, host: HostFacts): Pick<InEffect, "mounts" | "oldData"> {
  const removal = allow.includes("remove-old-data") ? { oldData: "none" } : {};
  if (volumes === undefined) return removal;
  const mounts = Object.entries(volumes).map(([mountPoint, volume]): [string, string] => [mountPoint, mountWished(volume, host.filesystems?.[mountPoint] ?? "not known yet")]);
  return { mounts: Object.fromEntries(mounts), ...removal };
}

/** dockerd refuses to start when `hosts` stands in daemon.json and `-H` on its command line (moby#22339). */
function hostsDropInText(execStart: string): string {
  const words = execStart.replaceAll(/\s+(?:-H|--host)(?:\s+|=)\S+/g, "");
  return `# Made by Drydock: the addresses stand in ${daemonJson} (hosts), so they must not stand here as well.\n[Service]\nExecStart=\nExecStart=${words}\n`;
}
