/** dockerd, containerd and the containers of the model, as an engine 20.10 behaves. */

import { isDeepStrictEqual } from "node:util";
import type { Json, JsonObject } from "../../src/desired/host-inputs.ts";
import { cgroupFile } from "../../src/effect/limit-values.ts";
import type { Container, DockerInfo, Observation, Process } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { fail, type Beginning, type ModelHost } from "./model-host.ts";
import { slice } from "./model-systemd.ts";

interface ModelContainer {
  facts: Container;
  /** Where the daemon that made it keeps its data: another daemon does not know it. */
  store: string;
  parent: string;
  /** Of its cgroup, while it runs. */
  limits: Record<string, string>;
}

interface Daemon {
  process: Process;
  /** What it has read, and taken up by reloads since. */
  config: JsonObject;
  seccomp: string | undefined;
  store: string;
}

/** facts: moby daemon/reload.go; a key that is gone keeps its old value in most of them. */
const reloadable = [
  "debug", "labels", "live-restore", "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts", "shutdown-timeout", "features", "insecure-registries",
  "registry-mirrors", "runtimes", "default-runtime", "default-shm-size", "default-ipc-mode", "default-cgroupns-mode", "network-diagnostic-port", "authorization-plugins",
];

export class ModelDocker {
  private readonly host: ModelHost;
  private readonly recorded: Observation;
  private readonly containers: ModelContainer[];
  private daemon: Daemon | undefined;
  private containerd: Process;
  private pids = 2000;
  private sliceLimits: Record<string, string> = {};

  constructor(recorded: Observation, host: ModelHost, { idle, dockerStopped }: Beginning) {
    this.host = host;
    this.recorded = recorded;
    const { containers } = recorded;
    if (!containers.known || !recorded.processes.containerd) throw new Error("the recording has no containers, or no containerd");
    this.containers = containers.value.map((facts) => ({ facts: { ...facts, running: !idle && !dockerStopped }, store: this.storeOf(this.onDisk()), parent: "system.slice", limits: recorded.cgroups[`docker-${facts.id}.scope`] ?? {} }));
    this.containerd = recorded.processes.containerd;
    this.startDaemon();
    // A file that is older than the process has been read by it.
    if (this.daemon) this.daemon.process = { ...this.daemon.process, startedAt: host.time() + 1 };
    if (dockerStopped) this.stopDaemon();
  }

  observe(): Pick<Observation, "info" | "containers" | "processes" | "cgroups" | "dockerProxies" | "noNewPrivileges" | "bridgeOptions"> {
    const { daemon } = this;
    const silent = unknown("docker.service is inactive");
    const running = this.running();
    const publish = running.reduce((sum, { ports }) => sum + Object.values(ports).flat().length, 0);
    return {
      info: daemon ? known(this.info(daemon)) : silent,
      containers: daemon ? known(this.own(daemon).map(({ facts }) => facts)) : silent,
      processes: { containerd: this.containerd, ...(daemon ? { docker: daemon.process } : {}) },
      cgroups: { ...Object.fromEntries(this.containers.filter(({ facts }) => facts.running).map(({ facts, limits }) => [`docker-${facts.id}.scope`, limits])), ...(this.host.systemd.sliceRuns ? { [slice]: this.sliceLimits } : {}) },
      dockerProxies: known(daemon?.config["userland-proxy"] === false ? 0 : publish),
      noNewPrivileges: known([]),
      bridgeOptions: unknown("not asked: the rules of iptables tell"),
    };
  }

  running(): Container[] {
    return this.containers.filter(({ facts }) => facts.running).map(({ facts }) => facts);
  }

  /** Where the running dockerd has its images and containers. */
  storeInUse(): string | undefined {
    return this.daemon?.store;
  }

  processName(): string {
    return this.daemon ? `${this.daemon.process.pid}:${this.daemon.process.startTicks}` : fail("dockerd does not run");
  }

  /** What nobody can be asked on a host: that dockerd runs with what the files say. Empty when it does. */
  runsWithOtherThan(): string[] {
    const { daemon } = this;
    if (!daemon) return ["dockerd does not run"];
    const file = this.onDisk();
    const keys = [...new Set([...Object.keys(file), ...Object.keys(daemon.config)])].filter((key) => !isDeepStrictEqual(file[key], daemon.config[key]));
    return [
      ...keys.map((key) => `${key}: ${JSON.stringify(daemon.config[key])} in dockerd, ${JSON.stringify(file[key])} on the disk`),
      ...(daemon.seccomp === this.profileOnDisk(file) ? [] : ["seccomp profile: another text in dockerd than on the disk"]),
    ];
  }

  // --- Steps ---

  activate({ how, liveRestoreFirst, stop }: Plan["docker"]): void {
    if (liveRestoreFirst) {
      this.reload();
      if (this.daemon?.config["live-restore"] !== true) fail("live-restore did not come into effect by a reload");
    }
    for (const id of stop) this.find(id).facts = { ...this.find(id).facts, running: false, pid: 0 };
    if (how === "reload") this.reload();
    if (how === "restart") this.stopDaemon();
    if (how === "restart" || how === "start") this.startDaemon();
    if (how === "restart") for (const id of stop.toReversed()) if (this.find(id).store === this.daemon?.store) this.startContainer(this.find(id));
  }

  /** prlimit(1), oom_score_adj, and files of cgroups. */
  limitRunning({ processLimits, scopeLimits, sliceLimits }: Plan): void {
    for (const { unit, property, value } of processLimits) {
      const process = unit === "docker.service" ? this.daemon?.process : unit === "containerd.service" ? this.containerd : fail(`no process of ${unit}`);
      if (process) Object.assign(process, limited(process, property, value));
    }
    for (const { scope, file, value } of scopeLimits) {
      const container = this.containers.find(({ facts }) => facts.running && scope === `docker-${facts.id}.scope`);
      if (container) container.limits = { ...container.limits, [file]: value };
    }
    // Whatever the plan says, the script writes what systemd has read.
    if (sliceLimits.length > 0) this.limitScopes();
  }

  /** systemd has read its units anew: cgroups of what runs get what these say. */
  limitScopes(): void {
    for (const container of this.containers) if (container.facts.running) container.limits = this.scopeLimits(container);
    this.sliceLimits = inKernel(this.host.systemd.directives(slice), this.recorded, "max");
  }

  assertHealthy(ids: string[]): void {
    if (!this.daemon) fail("docker.service is inactive");
    for (const id of ids) if (!this.find(id).facts.running) fail(`container ${this.find(id).facts.name} ran before and does not run now`);
  }

  /** Somebody runs a container, as the daemon makes them now. */
  run(name: string, own: Partial<Container> = {}): void {
    const { daemon } = this;
    if (!daemon) return;
    const { config } = daemon;
    const parent = typeof config["cgroup-parent"] === "string" ? config["cgroup-parent"] : "system.slice";
    const container: ModelContainer = {
      facts: {
        id: Buffer.from(name).toString("hex").padEnd(64, "0").slice(0, 64), name, running: false, pid: 0, startedAt: "", logDriver: this.info(daemon).LoggingDriver, securityOpt: [],
        usernsMode: "", cgroupnsMode: "private", privileged: false, networkMode: "default", ports: {}, restartPolicy: "no", pidsLimit: 0, memory: 0, memorySwap: 0, autoRemove: false, ...own,
      },
      store: daemon.store,
      parent,
      limits: {},
    };
    this.containers.push(container);
    this.startContainer(container);
  }

  stopContainers(): void {
    for (const container of this.containers) container.facts = { ...container.facts, running: false, pid: 0 };
  }

  boot(): void {
    this.stopContainers();
    this.containerd = { ...this.process("containerd.service", this.containerd.command), oomScoreAdjust: this.host.systemd.directives("containerd.service").OOMScoreAdjust ?? "-999" };
    this.startDaemon();
  }

  // --- Internal ---

  private onDisk(): JsonObject {
    return JSON.parse(this.host.text("/etc/docker/daemon.json") ?? "{}") as JsonObject;
  }

  private profileOnDisk(config: JsonObject): string | undefined {
    const path = config["seccomp-profile"];
    return typeof path === "string" && path.startsWith("/") ? this.host.text(path) : undefined;
  }

  private own({ store }: Daemon): ModelContainer[] {
    return this.containers.filter((container) => container.store === store);
  }

  private find(id: string): ModelContainer {
    return this.containers.find(({ facts }) => facts.id === id) ?? fail(`no container ${id}`);
  }

  private stopDaemon(): void {
    // Without live-restore dockerd takes its containers with it.
    if (this.daemon?.config["live-restore"] !== true) this.stopContainers();
    this.daemon = undefined;
    this.host.systemd.stop("docker.service");
  }

  private startDaemon(): void {
    const config = this.onDisk();
    const command = this.command();
    if (Array.isArray(config.hosts) && command.includes("-H")) fail("dockerd: the following directives are specified both as a flag and in the configuration file: hosts");
    if (config.icc === false && config.iptables === false) fail("dockerd: icc=false needs iptables");
    if ((config.icc === false || config["userland-proxy"] === false) && !this.host.kernel.hasBridgeModule()) fail("dockerd: no module br_netfilter");
    const profile = config["seccomp-profile"];
    const seccomp = this.profileOnDisk(config);
    if (typeof profile === "string" && seccomp === undefined) fail(`dockerd: opening seccomp profile (${profile}) failed`);
    assertRuntime(config);
    const store = this.storeOf(config);
    // A shim that no daemon lists.
    const orphan = this.containers.find((container) => container.facts.running && container.store !== store);
    if (orphan) fail(`container ${orphan.facts.name} would run on, and no daemon knows it`);
    this.daemon = { process: this.process("docker.service", command), config, seccomp, store };
    this.host.systemd.start("docker.service");
    // With containers that survived the bridge stays as it is.
    if (this.running().length > 0 || config.iptables === false) return;
    this.host.kernel.buildBridge(config.icc !== false);
  }

  private reload(): void {
    const { daemon } = this;
    if (!daemon) return fail("dockerd does not run");
    const file = this.onDisk();
    // What dockerd refuses it only logs; here it must not happen.
    if (Array.isArray(file.hosts) && daemon.process.command.includes("-H")) fail("dockerd: hosts in the file and on the command line, so nothing was reloaded");
    assertRuntime(file);
    daemon.config = { ...daemon.config, ...Object.fromEntries(Object.entries(file).filter(([key]) => reloadable.includes(key))) };
  }

  private startContainer(container: ModelContainer): void {
    container.facts = { ...container.facts, running: true, pid: this.pids++, startedAt: new Date(this.host.time() * 1000).toISOString() };
    if (container.parent === slice && !this.host.systemd.sliceRuns) {
      this.host.systemd.sliceRuns = true;
      this.sliceLimits = inKernel(this.host.systemd.directives(slice), this.recorded, "max");
    }
    container.limits = this.scopeLimits(container);
  }

  /** Drop-ins of the scope, and what the container asked for itself above them. */
  private scopeLimits({ facts }: ModelContainer): Record<string, string> {
    const { pidsLimit, memory } = facts;
    const asked = { ...(pidsLimit > 0 ? { TasksMax: String(pidsLimit) } : {}), ...(memory > 0 ? { MemoryMax: String(memory), MemorySwapMax: String(memory) } : {}) };
    // DefaultTasksMax is 15 %.
    return inKernel({ ...this.host.systemd.directives("docker-.scope"), ...asked }, this.recorded, "2361");
  }

  /** Debian's unit, without -H where Drydock's drop-in takes it away. */
  private command(): string[] {
    const line = this.host.systemd.directives("docker.service").ExecStart ?? this.recorded.dockerExecStart;
    return line.split(/\s+/).filter((word) => !word.startsWith("$"));
  }

  private process(unit: string, command: string[]): Process {
    const { LimitNOFILE = "1048576", OOMScoreAdjust = "0" } = this.host.systemd.directives(unit);
    const pid = this.pids++;
    const hard = LimitNOFILE.slice(LimitNOFILE.indexOf(":") + 1);
    // Go raises the soft limit to the hard one.
    return { command, pid, startTicks: pid * 10, startedAt: this.host.time(), oomScoreAdjust: OOMScoreAdjust, openFiles: hard === "infinity" ? "1048576" : hard };
  }

  private storeOf(config: JsonObject): string {
    const root = typeof config["data-root"] === "string" ? config["data-root"] : "/var/lib/docker";
    const remap = config["userns-remap"];
    if (typeof remap !== "string" || remap === "") return root;
    const user = remap === "default" ? "dockremap" : remap;
    const first = (path: string) => new RegExp(`^${user}:(\\d+):`, "m").exec(this.host.text(path) ?? "")?.[1] ?? fail(`dockerd: no subordinate ids of ${user} in ${path}`);
    return `${root}/${first("/etc/subuid")}.${first("/etc/subgid")}`;
  }

  private info(daemon: Daemon): DockerInfo {
    const { config, store } = daemon;
    const { info } = this.recorded;
    if (!info.known) throw new Error("the recording has no docker info");
    const registries = (config["insecure-registries"] ?? []) as string[];
    const isNetwork = (name: string) => name.includes("/");
    const remapped = /\/\d+\.\d+$/.test(store);
    return {
      ...info.value,
      SecurityOptions: [
        "name=apparmor",
        `name=seccomp,profile=${text(config["seccomp-profile"], "default")}`,
        ...(remapped ? ["name=userns"] : []),
        ...(config["default-cgroupns-mode"] === "host" ? [] : ["name=cgroupns"]),
      ],
      LiveRestoreEnabled: config["live-restore"] === true,
      LoggingDriver: text(config["log-driver"], "json-file"),
      DockerRootDir: store,
      DefaultRuntime: text(config["default-runtime"], "runc"),
      ExperimentalBuild: config.experimental === true,
      Debug: config.debug === true,
      Containers: this.own(daemon).length,
      Plugins: { Authorization: null },
      RegistryConfig: {
        InsecureRegistryCIDRs: [...registries.filter(isNetwork), "127.0.0.0/8"],
        IndexConfigs: { "docker.io": { Secure: true }, ...Object.fromEntries(registries.filter((name) => !isNetwork(name)).map((name) => [name, { Secure: false }])) },
      },
    };
  }
}

const text = (value: Json | undefined, otherwise: string) => (typeof value === "string" ? value : otherwise);

function assertRuntime(config: JsonObject): void {
  const runtime = text(config["default-runtime"], "runc");
  if (runtime !== "runc" && !(runtime in ((config.runtimes ?? {}) as JsonObject))) fail(`dockerd: no runtime ${runtime}`);
}

function limited(process: Process, property: string, value: string): Process {
  if (property === "OOMScoreAdjust") return { ...process, oomScoreAdjust: value };
  const [soft = "", hard = soft] = value.replaceAll("infinity", "1048576").split(":");
  if (Number(soft) > Number(hard)) fail(`prlimit: soft limit ${soft} above hard limit ${hard}`);
  return { ...process, openFiles: soft === hard ? hard : `${soft}:${hard}` };
}

/** The numbers that systemd writes: shares are of what the machine has, in whole pages. */
function inKernel(directives: Record<string, string>, { memory, tasks }: Observation, tasksByDefault: string): Record<string, string> {
  if (!memory.known || !tasks.known) throw new Error("the recording has no memory, or no tasks");
  const number = (key: string, value: string): string => {
    if (value === "infinity") return "max";
    const [, digits = "", unit = ""] = /^(\d+)([KMGT%]?)$/.exec(value) ?? fail(`${key}=${value}`);
    const plain = unit === "%" ? ((key === "TasksMax" ? tasks.value : memory.value) * Number(digits)) / 100 : Number(digits) * 1024 ** " KMGT".indexOf(unit || " ");
    return String(key === "TasksMax" ? Math.floor(plain) : Math.floor(plain / 4096) * 4096);
  };
  return Object.fromEntries(Object.entries(cgroupFile).map(([key, file]) => [file, directives[key] === undefined ? (key === "TasksMax" ? tasksByDefault : "max") : number(key, directives[key])]));
}
