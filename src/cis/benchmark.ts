/** What a benchmark is, as data: a later edition is another file beside docker-1.6.ts, not another program. */

export interface Benchmark {
  name: string;
  version: string;
  /** What a host itself decides. */
  controls: Control[];
  /** What is decided by whoever builds an image or starts a container: advice, counted nowhere. */
  containers: ContainerControl[];
}

export interface ContainerControl {
  id: string;
  /** As of a control. */
  title: string;
  check: ContainerCheckName;
}

export interface Control {
  /** As printed in the benchmark, e.g. `2.12`. */
  id: string;
  /** The benchmark's title without its "Ensure that". */
  title: string;
  /** Profile level; 1 is meant for every host, 2 costs comfort or a workload. */
  level?: 1 | 2;
  /** Words a user knows it by: the key of daemon.json, or what is looked at. */
  setting: string;
  /** Where a stack file decides it; absent where Drydock has no setting for it. */
  remedy?: string;
  check: Check;
}

/** How a control is judged; each kind has its own file. */
export type Check =
  | { kind: "daemon"; name: DaemonCheckName }
  | ({ kind: "audit" } & AuditTarget)
  | { kind: "owner"; of: FileTarget; owner: string }
  | { kind: "mode"; of: FileTarget; mode: string }
  | { kind: "host"; name: "separate partition" | "trusted users" };

export type DaemonCheckName =
  | "rootless"
  | "icc"
  | "log-level"
  | "iptables"
  | "insecure-registries"
  | "aufs"
  | "tls"
  | "default-ulimits"
  | "userns-remap"
  | "cgroup-parent"
  | "base device size"
  | "authorization-plugins"
  | "log-driver"
  | "no-new-privileges"
  | "live-restore"
  | "userland-proxy"
  | "seccomp-profile"
  | "experimental";

/** Each looks at one running container: src/cis/container-checks.ts. */
export type ContainerCheckName =
  | "root user"
  | "health check"
  | "AppArmor"
  | "added capabilities"
  | "privileged"
  | "host folders"
  | "host network"
  | "memory limit"
  | "read-only root"
  | "open ports"
  | "restarts"
  | "host processes"
  | "host ipc"
  | "host uts"
  | "seccomp"
  | "new privileges"
  | "process limit"
  | "host users"
  | "engine socket";

/** What must be watched; every path that is there needs a rule that names it. */
export interface AuditTarget {
  paths: string[];
  /** The file of this unit, wherever systemd found it. */
  unit?: string;
  /** The binary that this unit really starts, which need not be the benchmark's path (Debian: /usr/sbin/dockerd). */
  startedBy?: string;
  /** The benchmark asks for a rule whether or not the path exists. */
  evenIfAbsent?: true;
}

export type FileTarget =
  | { path: string }
  /** The file of a unit, wherever systemd found it. */
  | { unit: string }
  /** The file that this key of daemon.json names. */
  | { daemonKey: "tlscacert" | "tlscert" | "tlskey" }
  /** Every certificate of a registry, /etc/docker/certs.d/<registry>/<name>.crt. */
  | { registryCertificates: true };
