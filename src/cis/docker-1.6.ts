/**
 * CIS Docker Benchmark 1.6.0: sections 1.1, 2 and 3, what a host itself decides; of sections 4 and 5 what can be seen of a
 * running container without running anything in it.
 *
 * @see https://www.cisecurity.org/benchmark/docker
 */

import type { AuditTarget, Benchmark, Control, FileTarget, DaemonCheckName } from "./benchmark.ts";

export const docker16: Benchmark = {
  name: "CIS Docker Benchmark",
  version: "1.6.0",
  controls: [
    { id: "1.1.1", level: 1, title: "a separate partition for containers has been created", setting: "separate partition", check: { kind: "host", name: "separate partition" } },
    { id: "1.1.2", level: 1, title: "only trusted users are allowed to control Docker daemon", setting: "members of the group docker", check: { kind: "host", name: "trusted users" } },
    audited("1.1.3", 1, "the Docker daemon", { paths: ["/usr/bin/dockerd"], startedBy: "docker.service", evenIfAbsent: true }),
    audited("1.1.4", 1, "Docker files and directories - /run/containerd", { paths: ["/run/containerd"], evenIfAbsent: true }),
    audited("1.1.5", 1, "Docker files and directories - /var/lib/docker", { paths: ["/var/lib/docker"] }),
    audited("1.1.6", 1, "Docker files and directories - /etc/docker", { paths: ["/etc/docker"] }),
    audited("1.1.7", 2, "Docker files and directories - docker.service", { paths: [], unit: "docker.service" }),
    audited("1.1.8", 2, "Docker files and directories - containerd.sock", { paths: ["/run/containerd/containerd.sock"] }),
    // The text says docker.sock, docker-bench looks for the unit docker.socket (docker-bench-security#554): both.
    audited("1.1.9", 2, "Docker files and directories - docker.socket", { paths: ["/run/docker.sock"], unit: "docker.socket" }),
    audited("1.1.10", 2, "Docker files and directories - /etc/default/docker", { paths: ["/etc/default/docker"] }),
    audited("1.1.11", 2, "Docker files and directories - /etc/docker/daemon.json", { paths: ["/etc/docker/daemon.json"] }),
    audited("1.1.12", 2, "Docker files and directories - /etc/containerd/config.toml", { paths: ["/etc/containerd/config.toml"] }),
    audited("1.1.13", 2, "Docker files and directories - /etc/sysconfig/docker", { paths: ["/etc/sysconfig/docker"] }),
    audited("1.1.14", 2, "Docker files and directories - /usr/bin/containerd", { paths: ["/usr/bin/containerd"], startedBy: "containerd.service" }),
    audited("1.1.15", 2, "Docker files and directories - /usr/bin/containerd-shim", { paths: ["/usr/bin/containerd-shim"] }),
    audited("1.1.16", 2, "Docker files and directories - /usr/bin/containerd-shim-runc-v1", { paths: ["/usr/bin/containerd-shim-runc-v1"] }),
    audited("1.1.17", 2, "Docker files and directories - /usr/bin/containerd-shim-runc-v2", { paths: ["/usr/bin/containerd-shim-runc-v2"] }),
    audited("1.1.18", 2, "Docker files and directories - /usr/bin/runc", { paths: ["/usr/bin/runc"] }),

    { id: "2.1", level: 1, title: "the Docker daemon runs as a non-root user, if possible", setting: "user of dockerd", check: { kind: "daemon", name: "rootless" } },
    daemon("2.2", 1, "network traffic is restricted between containers on the default bridge", "icc"),
    daemon("2.3", 1, "the logging level is set to 'info'", "log-level"),
    daemon("2.4", 1, "Docker is allowed to make changes to iptables", "iptables"),
    daemon("2.5", 1, "insecure registries are not used", "insecure-registries"),
    daemon("2.6", 1, "aufs storage driver is not used", "aufs", "storage-driver"),
    daemon("2.7", 1, "TLS authentication for Docker daemon is configured", "tls", "tlsverify"),
    daemon("2.8", 1, "the default ulimit is configured appropriately", "default-ulimits"),
    daemon("2.9", 2, "user namespace support is enabled", "userns-remap"),
    daemon("2.10", 2, "the default cgroup usage has been confirmed", "cgroup-parent"),
    daemon("2.11", 2, "base device size is not changed until needed", "base device size", "storage-opts"),
    daemon("2.12", 2, "authorization for Docker client commands is enabled", "authorization-plugins"),
    daemon("2.13", 2, "centralized and remote logging is configured", "log-driver"),
    daemon("2.14", 1, "containers are restricted from acquiring new privileges", "no-new-privileges"),
    daemon("2.15", 1, "live restore is enabled", "live-restore"),
    daemon("2.16", 1, "Userland Proxy is disabled", "userland-proxy"),
    daemon("2.17", 2, "a daemon-wide custom seccomp profile is applied if appropriate", "seccomp-profile"),
    daemon("2.18", 1, "experimental features are not used in production", "experimental"),

    ...ownerAndMode(["3.1", "root:root"], ["3.2", "0644"], "docker.service", { unit: "docker.service" }),
    ...ownerAndMode(["3.3", "root:root"], ["3.4", "0644"], "docker.socket", { unit: "docker.socket" }),
    ...ownerAndMode(["3.5", "root:root"], ["3.6", "0755"], "/etc/docker", { path: "/etc/docker" }),
    ...ownerAndMode(["3.7", "root:root"], ["3.8", "0444"], "registry certificates", { registryCertificates: true }),
    ...ownerAndMode(["3.9", "root:root"], ["3.10", "0444"], "TLS CA certificate", { daemonKey: "tlscacert" }),
    ...ownerAndMode(["3.11", "root:root"], ["3.12", "0444"], "Docker server certificate", { daemonKey: "tlscert" }),
    ...ownerAndMode(["3.13", "root:root"], ["3.14", "0400"], "Docker server certificate key", { daemonKey: "tlskey" }),
    ...ownerAndMode(["3.15", "root:docker"], ["3.16", "0660"], "Docker socket", { path: "/run/docker.sock" }),
    ...ownerAndMode(["3.17", "root:root"], ["3.18", "0644"], "/etc/docker/daemon.json", { path: "/etc/docker/daemon.json" }),
    ...ownerAndMode(["3.19", "root:root"], ["3.20", "0644"], "/etc/default/docker", { path: "/etc/default/docker" }),
    // Here the benchmark itself has the mode before the owner.
    ...ownerAndMode(["3.22", "root:root"], ["3.21", "0644"], "/etc/sysconfig/docker", { path: "/etc/sysconfig/docker" }).reverse(),
    ...ownerAndMode(["3.23", "root:root"], ["3.24", "0660"], "Containerd socket", { path: "/run/containerd/containerd.sock" }),
  ],
  containers: [
    { id: "4.1", title: "a user for the container has been created", check: "root user" },
    { id: "4.6", title: "HEALTHCHECK instructions have been added to container images", check: "health check" },
    { id: "5.2", title: "an AppArmor profile is enabled", check: "AppArmor" },
    { id: "5.4", title: "Linux kernel capabilities are restricted within containers", check: "added capabilities" },
    { id: "5.5", title: "privileged containers are not used", check: "privileged" },
    { id: "5.6", title: "sensitive host system directories are not mounted on containers", check: "host folders" },
    { id: "5.10", title: "the host's network namespace is not shared", check: "host network" },
    { id: "5.11", title: "the memory usage for containers is limited", check: "memory limit" },
    { id: "5.13", title: "the container's root filesystem is mounted as read only", check: "read-only root" },
    { id: "5.14", title: "incoming container traffic is bound to a specific host interface", check: "open ports" },
    { id: "5.15", title: "the 'on-failure' container restart policy is set to '5'", check: "restarts" },
    { id: "5.16", title: "the host's process namespace is not shared", check: "host processes" },
    { id: "5.17", title: "the host's IPC namespace is not shared", check: "host ipc" },
    { id: "5.21", title: "the host's UTS namespace is not shared", check: "host uts" },
    { id: "5.22", title: "the default seccomp profile is not disabled", check: "seccomp" },
    { id: "5.26", title: "the container is restricted from acquiring additional privileges", check: "new privileges" },
    { id: "5.27", title: "container health is checked at runtime", check: "health check" },
    { id: "5.29", title: "the PIDs cgroup limit is used", check: "process limit" },
    { id: "5.31", title: "the host's user namespaces are not shared", check: "host users" },
    { id: "5.32", title: "the Docker socket is not mounted inside any containers", check: "engine socket" },
  ],
};

// --- Internal ---

function audited(id: string, level: 1 | 2, what: string, target: AuditTarget): Control {
  const watched = what.replace("Docker files and directories - ", "").replace("the Docker daemon", "dockerd");
  return { id, level, title: `auditing is configured for ${what}`, setting: `audit of ${watched}`, remedy: "audit", check: { kind: "audit", ...target } };
}

function daemon(id: string, level: 1 | 2, title: string, name: DaemonCheckName, key: string = name): Control {
  return { id, level, title, setting: key, remedy: `daemon.${key}`, check: { kind: "daemon", name } };
}

function ownerAndMode([ownerId, owner]: [string, string], [modeId, mode]: [string, string], what: string, of: FileTarget): [Control, Control] {
  return [
    { id: ownerId, level: 1, title: `${what} file ownership is set to ${owner}`, setting: `owner of ${what}`, check: { kind: "owner", of, owner } },
    { id: modeId, level: 1, title: `${what} file permissions are set to ${mode} or more restrictively`, setting: `mode of ${what}`, check: { kind: "mode", of, mode } },
  ];
}
