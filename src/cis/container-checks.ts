/**
 * CIS 4 and 5, as far as a look at a running container tells: advice for whoever starts it. It is never a verdict on the host,
 * which can do nothing about it.
 */

import { containerProfiles } from "../effect/apparmor.ts";
import { remappedTo } from "../effect/daemon.ts";
import { cgroupNumber } from "../effect/limit-values.ts";
import type { Container, Observation } from "../observed/observation.ts";
import { known, unknown, type Known } from "../observed/records.ts";
import { quote } from "../remote/shell.ts";
import type { Benchmark, ContainerCheckName } from "./benchmark.ts";
import { printed, type Proof } from "./proof.ts";

export interface Advice {
  id: string;
  title: string;
  /** What was found, e.g. `runs as root`; or why it is not known. */
  finding: string;
  known: boolean;
  proof: Proof[];
}

export interface ContainerAdvice {
  container: string;
  advice: Advice[];
}

/** Of each container that runs, in the order of their names, what is to be said about it. */
export function adviseContainers(observation: Observation, { containers: controls }: Pick<Benchmark, "containers">): Known<ContainerAdvice[]> {
  if (!observation.containers.known) return observation.containers;
  const running = observation.containers.value.filter((container) => container.running).sort((a, b) => (a.name < b.name ? -1 : 1));
  return known(
    running.map((container) => ({
      container: container.name,
      advice: controls.flatMap(({ id, title, check }): Advice[] => {
        const found = checks[check](container, observation);
        if (!found.known) return [{ id, title, finding: `unknown: ${found.reason}`, known: false, proof: [] }];
        return found.value === undefined ? [] : [{ id, title, finding: found.value, known: true, proof: [proofs[check](container, observation)] }];
      }),
    })),
  );
}

// --- Internal ---

/** What there is to say; undefined when all is well. */
type ContainerCheck = (container: Container, observation: Observation) => Known<string | undefined>;

/** An older recording does not have what is asked for here. */
function whenSeen<T>(value: T | undefined, say: (value: T) => string | undefined | false): Known<string | undefined> {
  return value === undefined ? unknown("this look at the host did not ask for it") : known(say(value) || undefined);
}

const sharesHost = (key: "pidMode" | "ipcMode" | "utsMode", what: string): ContainerCheck => (container) => whenSeen(container[key], (mode) => mode === "host" && `shares the host's ${what}`);

/** What gives away the host when it is mounted: the benchmark's list, and what holds accounts or the engine's own state. */
const sensitive = ["/", "/boot", "/dev", "/etc", "/home", "/lib", "/proc", "/root", "/run", "/sys", "/usr", "/var", "/var/lib", "/var/lib/containerd", "/var/lib/docker", "/var/run"];

const sockets = /^(?:\/var)?\/run(?:\/docker\.sock|\/containerd\/containerd\.sock|\/containerd)?$/;

const checks: Record<ContainerCheckName, ContainerCheck> = {
  "root user": ({ user, usernsMode }, { info }) =>
    whenSeen(user, (name) => {
      if (!/^(?:|0|root)(?::.*)?$/.test(name)) return undefined;
      const remapped = info.known && usernsMode !== "host" ? remappedTo(info.value) : undefined;
      return remapped === undefined ? "runs as root" : `runs as root, which outside is user ${remapped.split(".")[0] ?? ""}`;
    }),
  "health check": ({ health }) => whenSeen(health, (status) => (status === "" || status === "none") && "has no health check"),
  AppArmor: (container, observation) => {
    const label = containerProfiles(observation)[container.name] ?? "unknown: it was not seen";
    return label.startsWith("unknown: ") ? unknown(label.slice("unknown: ".length)) : known(label === "unconfined" ? "no AppArmor profile confines it" : undefined);
  },
  "added capabilities": ({ capAdd }) => whenSeen(capAdd, (names) => names.length > 0 && `has more capabilities than usual: ${names.join(", ")}`),
  privileged: ({ privileged }) => known(privileged ? "is privileged: as good as root on the host" : undefined),
  "host folders": ({ mounts }) =>
    whenSeen(mounts, (list) => {
      const shared = list.filter(({ Type, Source }) => Type === "bind" && sensitive.includes(Source.replace(/(.)\/+$/, "$1")));
      return shared.length > 0 && `mounts of the host: ${shared.map(({ Source, RW }) => `${Source} (${RW ? "to write" : "to read"})`).join(", ")}`;
    }),
  "host network": ({ networkMode }) => known(networkMode === "host" ? "shares the host's network" : undefined),
  "memory limit": (container, observation) => limited(container, observation, "memory.max", container.memory, "has no memory limit"),
  "read-only root": ({ readOnly }) => whenSeen(readOnly, (isReadOnly) => !isReadOnly && "can write to its root filesystem"),
  "open ports": ({ ports }) => {
    const open = Object.entries(ports).flatMap(([port, bindings]) => (Array.isArray(bindings) && bindings.some(isEverywhere) ? [port] : []));
    return known(open.length > 0 ? `is open on every address of the host: ${open.join(", ")}` : undefined);
  },
  restarts: ({ restartPolicy, retries }) => {
    if (restartPolicy === "always" || restartPolicy === "unless-stopped") return known(`is started again without an end: ${restartPolicy}`);
    if (restartPolicy !== "on-failure") return known(undefined);
    return whenSeen(retries, (count) => (count === 0 || count > 5) && `is started again ${count === 0 ? "without an end" : `up to ${count} times`}: on-failure`);
  },
  "host processes": sharesHost("pidMode", "processes"),
  "host ipc": sharesHost("ipcMode", "IPC namespace"),
  "host uts": sharesHost("utsMode", "name (UTS namespace)"),
  seccomp: ({ securityOpt }) => known(securityOpt.some((option) => /^seccomp[=:]unconfined$/.test(option)) ? "has no seccomp filter" : undefined),
  "new privileges": ({ pid }, { noNewPrivileges }) =>
    noNewPrivileges.known ? known(noNewPrivileges.value.includes(pid) ? undefined : "may gain privileges, e.g. by setuid programs") : noNewPrivileges,
  "process limit": (container, observation) => limited(container, observation, "pids.max", container.pidsLimit, "has no limit of processes"),
  "host users": ({ usernsMode }) => known(usernsMode === "host" ? "is left out of userns-remap" : undefined),
  "engine socket": ({ mounts }) =>
    whenSeen(mounts, (list) => {
      const found = list.find(({ Source }) => sockets.test(Source));
      return found && `mounts ${found.Source}: whoever is in it commands the engine`;
    }),
};

/** The kernel's word counts, since the daemon's defaults and drop-ins set limits that no container asks for; its own wish where cgroups tell nothing. */
function limited({ id }: Container, { cgroups }: Observation, file: string, own: number, finding: string): Known<string | undefined> {
  const enforced = cgroups[`docker-${id}.scope`]?.[file];
  const hasLimit = enforced === undefined ? own > 0 : Number.isFinite(cgroupNumber(enforced));
  return known(hasLimit ? undefined : finding);
}

const isEverywhere = (binding: unknown) => typeof binding === "object" && binding !== null && "HostIp" in binding && ["", "0.0.0.0", "::"].includes(String(binding.HostIp));

type ContainerProof = (container: Container, observation: Observation) => Proof;

const inspect =
  (field: string, pick: (container: Container) => unknown): ContainerProof =>
  (container) => ({ command: `docker inspect --format '{{json ${field}}}' ${quote(container.name)}`, printed: printed(JSON.stringify(pick(container))) });

const scope =
  (file: string): ContainerProof =>
  ({ id }, { cgroups }) => ({ command: `find /sys/fs/cgroup -path '*/docker-${id}.scope/${file}' -exec cat {} +`, printed: printed(cgroups[`docker-${id}.scope`]?.[file] ?? "") });

const proofs: Record<ContainerCheckName, ContainerProof> = {
  "root user": inspect(".Config.User", ({ user }) => user),
  "health check": inspect(".State.Health", ({ health }) => (health === "" ? null : { Status: health })),
  AppArmor: ({ pid }, { apparmor }) => ({ command: `cat /proc/${pid}/attr/current`, printed: printed(apparmor.known ? (apparmor.value.labels[pid] ?? "") : apparmor.reason) }),
  "added capabilities": inspect(".HostConfig.CapAdd", ({ capAdd }) => capAdd),
  privileged: inspect(".HostConfig.Privileged", ({ privileged }) => privileged),
  "host folders": inspect(".Mounts", ({ mounts }) => mounts),
  "host network": inspect(".HostConfig.NetworkMode", ({ networkMode }) => networkMode),
  "memory limit": scope("memory.max"),
  "read-only root": inspect(".HostConfig.ReadonlyRootfs", ({ readOnly }) => readOnly),
  "open ports": inspect(".NetworkSettings.Ports", ({ ports }) => ports),
  restarts: inspect(".HostConfig.RestartPolicy", ({ restartPolicy, retries }) => ({ Name: restartPolicy, MaximumRetryCount: retries })),
  "host processes": inspect(".HostConfig.PidMode", ({ pidMode }) => pidMode),
  "host ipc": inspect(".HostConfig.IpcMode", ({ ipcMode }) => ipcMode),
  "host uts": inspect(".HostConfig.UTSMode", ({ utsMode }) => utsMode),
  seccomp: inspect(".HostConfig.SecurityOpt", ({ securityOpt }) => securityOpt),
  "new privileges": ({ pid }) => ({ command: `grep NoNewPrivs /proc/${pid}/status`, printed: "NoNewPrivs:\t0" }),
  "process limit": scope("pids.max"),
  "host users": inspect(".HostConfig.UsernsMode", ({ usernsMode }) => usernsMode),
  "engine socket": inspect(".Mounts", ({ mounts }) => mounts),
};
