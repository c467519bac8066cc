/**
 * The audit rules a host may get: one for each path that CIS 1.1.3–1.1.18 names, and for the places where distributions
 * really put these files. The provider drops those whose path is not on the host: a rule for a file in a folder that is
 * missing stops the load of all that follow (auditctl exits 255).
 *
 * Syscall form, since `-w` is "deprecated due to poor system performance" (auditctl(8)). Why both ABIs and which
 * permissions: docs/decisions/0010-audit-rules.md.
 */

import type { AuditSettings } from "../config/audit.ts";

export interface AuditRules {
  /** CIS id and what is watched. */
  title: string;
  lines: string[];
}

export function renderAuditRules(settings: AuditSettings): AuditRules[] {
  const arches = settings.abi32 ? ["b64", "b32"] : ["b64"];
  return watched.map(({ cis, what, paths, kind }) => ({
    title: `CIS ${cis} ${what}`,
    lines: paths.flatMap((path) =>
      arches.map((arch) => {
        const field = kind === undefined ? "path" : "dir";
        const perm = kind === "busy folder" ? settings.dataPerm : settings.perm;
        return `-a always,exit -F arch=${arch} -F ${field}=${path} -F perm=${perm} -F key=docker`;
      }),
    ),
  }));
}

/** What `renderAuditRules` and every override of its template may write, comments apart. */
export const auditRule = /^-a always,exit -F arch=b(?:64|32) -F (?:path|dir)=\/[\w./+:@-]+ -F perm=(?=[rwxa]{1,4} )(?!\S*(\S)\S*\1)[rwxa]+ -F key=docker$/;

// --- Internal ---

interface Watched {
  cis: string;
  what: string;
  paths: string[];
  kind?: "folder" | "busy folder";
}

const unitFolders = ["/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system"];

const watched: Watched[] = [
  // Debian installs /usr/sbin/dockerd, Docker's own packages /usr/bin/dockerd.
  { cis: "1.1.3", what: "the Docker daemon", paths: ["/usr/bin/dockerd", "/usr/sbin/dockerd"] },
  { cis: "1.1.4", what: "run-time state of containers", paths: ["/run/containerd"], kind: "busy folder" },
  { cis: "1.1.5", what: "images, containers and volumes", paths: ["/var/lib/docker"], kind: "busy folder" },
  { cis: "1.1.6", what: "Docker's settings", paths: ["/etc/docker"], kind: "folder" },
  { cis: "1.1.7", what: "docker.service", paths: unitFolders.map((folder) => `${folder}/docker.service`) },
  { cis: "1.1.8", what: "containerd's socket", paths: ["/run/containerd/containerd.sock"] },
  // CIS names the unit in one list and the socket in another (docker-bench-security#554): watch both.
  { cis: "1.1.9", what: "docker.socket and docker.sock", paths: [...unitFolders.map((folder) => `${folder}/docker.socket`), "/run/docker.sock"] },
  { cis: "1.1.10", what: "flags of the daemon on Debian", paths: ["/etc/default/docker"] },
  { cis: "1.1.11", what: "daemon.json", paths: ["/etc/docker/daemon.json"] },
  { cis: "1.1.12", what: "containerd's settings", paths: ["/etc/containerd/config.toml"] },
  { cis: "1.1.13", what: "flags of the daemon on Red Hat", paths: ["/etc/sysconfig/docker"] },
  { cis: "1.1.14", what: "containerd", paths: ["/usr/bin/containerd"] },
  { cis: "1.1.15", what: "containerd-shim", paths: ["/usr/bin/containerd-shim"] },
  { cis: "1.1.16", what: "containerd-shim-runc-v1", paths: ["/usr/bin/containerd-shim-runc-v1"] },
  { cis: "1.1.17", what: "containerd-shim-runc-v2", paths: ["/usr/bin/containerd-shim-runc-v2"] },
  // Debian installs /usr/sbin/runc.
  { cis: "1.1.18", what: "runc", paths: ["/usr/bin/runc", "/usr/sbin/runc"] },
];
