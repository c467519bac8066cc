/** Observations for tests: a default Debian 12 host, and the same host hardened; each test changes what it is about. */

import type { Container, DockerInfo, FileState, Mount, Observation } from "../../src/observed/observation.ts";
import type { AppArmor } from "../../src/observed/apparmor.ts";
import type { SshdLogin } from "../../src/observed/sshd.ts";
import { known, type Known } from "../../src/observed/records.ts";

export function file(text?: string, state: Partial<FileState> = {}): Known<FileState> {
  return known({ owner: "root", group: "root", mode: "0644", kind: "regular file", changedAt: 1000, ...(text === undefined ? {} : { text }), ...state });
}

export function container(name: string, change: Partial<Container> = {}): Container {
  return {
    id: name.padEnd(64, "0"),
    name,
    running: true,
    pid: 900,
    startedAt: "2026-11-01T00:00:00Z",
    logDriver: "syslog",
    securityOpt: [],
    usernsMode: "",
    cgroupnsMode: "private",
    privileged: false,
    networkMode: "default",
    ports: {},
    restartPolicy: "no",
    pidsLimit: 0,
    memory: 0,
    memorySwap: 0,
    autoRemove: false,
    ...change,
  };
}

/** An sshd with the settings it comes with. */
export function sshdLogin(settings: Record<string, string[]> = {}, change: Partial<SshdLogin> = {}): SshdLogin {
  const usual = { permitrootlogin: ["without-password"], pubkeyauthentication: ["yes"], hostbasedauthentication: ["no"], gssapiauthentication: ["no"], permitemptypasswords: ["no"], usedns: ["no"], authenticationmethods: ["any"] };
  return { reads: true, user: "ops", isRoot: false, address: "192.0.2.7", local: { address: "192.0.2.1", port: "22" }, forced: false, groups: [], settings: { ...usual, ...settings }, ...change };
}

export function info(change: Partial<DockerInfo> = {}): Known<DockerInfo> {
  return known({
    ServerVersion: "20.10.24+dfsg1",
    SecurityOptions: ["name=apparmor", "name=seccomp,profile=default", "name=cgroupns"],
    LiveRestoreEnabled: false,
    LoggingDriver: "json-file",
    DockerRootDir: "/var/lib/docker",
    Driver: "overlay2",
    DriverStatus: [],
    CgroupDriver: "systemd",
    CgroupVersion: "2",
    DefaultRuntime: "runc",
    ExperimentalBuild: false,
    Debug: false,
    Containers: 0,
    Images: 1,
    Swarm: { LocalNodeState: "inactive" },
    Plugins: { Authorization: null },
    RegistryConfig: { InsecureRegistryCIDRs: ["127.0.0.0/8"], IndexConfigs: {} },
    ...change,
  });
}

/** A filesystem by its place and its number; the device is named after that. */
export function mount(path: string, number: string, filesystem = "ext4", options = ["rw", "relatime"]): Mount {
  return { path, number, device: `/dev/${number}`, filesystem, options };
}
/** AppArmor as Debian has it, without a profile of ours. */
export const apparmor = (change: Partial<AppArmor> = {}): Known<AppArmor> => known({ enabled: true, tool: true, abi: true, boot: "enabled", profiles: {}, labels: {}, ...change });

export const met = (...needs: string[]): Observation["needs"] => Object.fromEntries(needs.map((need) => [need, known({ met: true })]));
export const lacking = (need: string, why: string): Observation["needs"] => ({ [need]: known({ met: false, why }) });

/** Debian 12 with docker.io as it comes, auditd running without a rule. */
export function defaultHost(change: Partial<Observation> = {}): Observation {
  return {
    kernel: "Linux 6.1.0",
    init: "systemd",
    os: "Debian GNU/Linux 12 (bookworm)",
    memory: known(2_000_000_000),
    openFilesMax: known(1_048_576),
    tasks: known(32_768),
    now: 3000,
    dockerPath: "/usr/bin/docker",
    units: {
      "docker.service": { LoadState: "loaded", ActiveState: "active", FragmentPath: "/lib/systemd/system/docker.service", ExecStart: execStart("/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock") },
      "docker.socket": { LoadState: "loaded", ActiveState: "active", FragmentPath: "/lib/systemd/system/docker.socket" },
      "containerd.service": { LoadState: "loaded", ActiveState: "active", FragmentPath: "/lib/systemd/system/containerd.service", ExecStart: execStart("/usr/bin/containerd") },
      "auditd.service": { LoadState: "loaded", ActiveState: "active" },
    },
    dockerExecStart: "/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock",
    processes: {
      docker: { command: ["/usr/sbin/dockerd", "-H", "fd://", "--containerd=/run/containerd/containerd.sock"], startTicks: 1, startedAt: 2000, pid: 500, oomScoreAdjust: "-500", openFiles: "1048576" },
    },
    info: info(),
    images: known([]),
    bridgeOptions: known({ "com.docker.network.bridge.enable_icc": "true" }),
    containers: known([]),
    files: {
      "/etc/docker": file(undefined, { mode: "0755", kind: "directory" }),
      "/etc/default/docker": file(),
      "/run/docker.sock": file(undefined, { group: "docker", mode: "0660", kind: "socket" }),
      "/run/containerd/containerd.sock": file(undefined, { mode: "0660", kind: "socket" }),
      "/lib/systemd/system/docker.service": file(),
      "/lib/systemd/system/docker.socket": file(),
    },
    strayFiles: [],
    present: ["/etc/docker", "/etc/default/docker", "/run/containerd", "/run/docker.sock", "/var/lib/docker", "/usr/bin/containerd"],
    subordinateUids: "",
    subordinateGids: "",
    users: ["root"],
    auditStatus: known({ enabled: "1" }),
    auditRules: known([]),
    auditRulesOnDisk: known([]),
    auditRulesOnlyCompiled: [],
    iptables: known(["-P FORWARD DROP", "-N DOCKER", "-A FORWARD -o docker0 -j DOCKER", "-A FORWARD -i docker0 -o docker0 -j ACCEPT"]),
    bridgeNetfilter: true,
    dockerProxies: known(0),
    noNewPrivileges: known([]),
    cgroups: {},
    slice: {},
    room: known([{ path: "/etc", bytes: 10 ** 10, inodes: 10 ** 6, allInodes: 2 * 10 ** 6 }]),
    dataPlace: known("/var/lib/docker"),
    diskErrors: known({}),
    needs: met("program iptables", "module br_netfilter", "socket /dev/log"),
    environmentFlags: known([]),
    sshd: known(sshdLogin()),
    clockAhead: 0,
    owner: undefined,
    outcome: undefined,
    underWay: [],
    applied: {},
    mounts: known([mount("/", "8:1")]),
    volumes: {},
    oldData: [],
    machineId: "6f4e5d4c3b2a19080706050403020100",
    dockerGroup: known([]),
    registryCertificates: known([]),
    apparmor: apparmor(),
    ...change,
  };
}

/** What daemon.json says, read by a daemon that started after it. */
export function withDaemonJson(daemon: Record<string, unknown>, change: Partial<Observation> = {}): Observation {
  const host = defaultHost(change);
  return { ...host, files: { ...host.files, "/etc/docker/daemon.json": file(JSON.stringify(daemon)) } };
}

/** daemon.json changed while the daemon ran on. */
export function withUnreadDaemonJson(daemon: Record<string, unknown>, change: Partial<Observation> = {}): Observation {
  const host = defaultHost(change);
  return { ...host, files: { ...host.files, "/etc/docker/daemon.json": file(JSON.stringify(daemon), { changedAt: 2500 }) } };
}

/** The kernel as dockerd leaves it with icc=false. */
export const noIcc: Partial<Observation> = {
  bridgeOptions: known({ "com.docker.network.bridge.enable_icc": "false" }),
  iptables: known(["-P FORWARD DROP", "-N DOCKER", "-A FORWARD -o docker0 -j DOCKER", "-A FORWARD -i docker0 -o docker0 -j DROP"]),
};

// --- Internal ---

const execStart = (line: string) => `{ path=${line.split(" ")[0] ?? ""} ; argv[]=${line} ; ignore_errors=no ; start_time=[n/a] }`;
