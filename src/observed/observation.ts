/** One look at a whole host: what observe.sh read, in types. Nothing is judged here. */

import { z } from "zod";
import { parseAppArmor, type AppArmor } from "./apparmor.ts";
import { parseEnvironmentFlags, unitEnvironment, type EnvironmentFlag } from "./environment-flags.ts";
import { parseNeed, type NeedAnswer } from "./need-answers.ts";
import { parseDiskErrors, parseRoom, type Room } from "./room.ts";
import { Records, known, unknown, type Known } from "./records.ts";
import { parseVolume, type VolumeFacts } from "./volumes.ts";
import { parseSshd, type SshdAnswer } from "./sshd.ts";
import { parseSystemdShow, parseUnitText, type UnitProperties } from "./systemd.ts";

export interface Observation {
  kernel: string;
  /** The name of process 1; anything but `systemd` is a host we can't serve. */
  init: string;
  os: string;
  /** Bytes. */
  memory: Known<number>;
  /** fs.nr_open: the most open files that any process may be given. */
  openFilesMax: Known<number>;
  /** How many tasks the kernel allows in all. */
  tasks: Known<number>;
  /** Seconds since 1970, by the host's own clock. */
  now: number;
  /** The docker client after all symbolic links, `""` without one. */
  dockerPath: string;
  units: Record<string, UnitProperties>;
  /** `ExecStart` of docker.service as it would be without Drydock's drop-in. */
  dockerExecStart: string;
  /** What dockerd and containerd run with, by unit name without `.service`; absent while stopped. */
  processes: Record<string, Process>;
  info: Known<DockerInfo>;
  /** Driver options of the network `bridge`. */
  bridgeOptions: Known<Record<string, string>>;
  containers: Known<Container[]>;
  /** `repository:tag`, only asked where another store than the wished one is in use. */
  images: Known<string[]>;
  /** By absolute path: what was asked for. Missing files have no entry, unreadable ones are unknown. */
  files: Record<string, Known<FileState>>;
  /** Files under Drydock's names, owned by this version or not. */
  strayFiles: string[];
  present: string[];
  subordinateUids: string;
  subordinateGids: string;
  users: string[];
  auditStatus: Known<Record<string, string>>;
  auditRules: Known<string[]>;
  /** Rules of /etc/audit/audit.rules that no file of rules.d has: compiling those would lose them. */
  auditRulesOnlyCompiled: string[];
  /** The filter table as `iptables -S` prints it. */
  iptables: Known<string[]>;
  /** Every rule of /etc/audit/rules.d, which the next boot loads. */
  auditRulesOnDisk: Known<string[]>;
  mounts: Known<Mount[]>;
  /** By mount point: the volumes that were asked for. */
  volumes: Record<string, Known<VolumeFacts>>;
  /** What moves to filesystems of their own have left; in bytes. */
  oldData: OldData[];
  /** Tells this installation from others (machine-id(5)). */
  machineId: string;
  /** Members of the group docker; `undefined` without such a group. */
  dockerGroup: Known<string[]>;
  /** Every *.crt below /etc/docker/certs.d; `files` then has them. */
  registryCertificates: Known<string[]>;
  apparmor: Known<AppArmor>;
  bridgeNetfilter: boolean;
  dockerProxies: Known<number>;
  /** Pids of the processes that can gain no privileges. */
  noNewPrivileges: Known<number[]>;
  /** cgroup limits in the kernel: cgroup → file → value, e.g. `docker-….scope` → `pids.max` → `512`. */
  cgroups: Record<string, Record<string, string>>;
  slice: UnitProperties;
  /** What is free for /etc, /var/lib and Docker's data. */
  room: Known<Room[]>;
  /** Where the folder that was asked for as Docker's data root really is. */
  dataPlace: Known<string>;
  /** How many errors the kernel has found in an ext4 since its last check, by `major:minor`. */
  diskErrors: Known<Record<string, number>>;
  /** What the wish needs of the host, by the words that it was asked with, e.g. `tcp 192.0.2.1 6514`. */
  needs: Record<string, Known<NeedAnswer>>;
  /** Flags in the files that docker.service takes its environment from, and in the unit itself. */
  environmentFlags: Known<EnvironmentFlag[]>;
  /** What the sshd that we came through would say to a new connection of ours, by its files. */
  sshd: Known<SshdAnswer>;
  /** Seconds that the host's clock is ahead of ours; undefined where nobody has compared them. */
  clockAhead: number | undefined;
  /** Who keeps this host: `stack <name> host <name>`, if anybody. */
  owner: Owner | undefined;
  /** What the last apply left: its generation, the daemon's process, the daemon.json it had read, and the keys it had set there. */
  applied: Record<string, string>;
  /** What became of the last transaction that touched something, if it had an end nobody has cleared away. */
  outcome: Outcome | undefined;
  /** Of a transaction that runs, or waits for its confirmation: who began it and when, e.g. `since 2026-11-24T09:00:00.000Z`. */
  underWay: string[];
}

export interface Outcome {
  /** Its number, e.g. `0007`. */
  generation: string;
  result: "confirmed" | "went back" | "broken";
  /** Seconds since 1970, by the host's clock. */
  at: number;
  why: string;
  /** When its controller began it, which tells it from any other. */
  since?: string;
}

export interface Mount {
  /** `major:minor`, the same for every mount of one filesystem. */
  number: string;
  device: string;
  path: string;
  filesystem: string;
  /** Of this mount and of the filesystem, e.g. `rw`, `nodev`, `prjquota`. */
  options: string[];
}

export interface OldData {
  /** The last part of the mount point; `-2` and so on behind it where an earlier move has left something, too. */
  name: string;
  /** NaN where it is not known. */
  bytes: number;
  /** In /var/lib/drydock/old-data, or still below the filesystem. */
  where: "aside" | "below";
}

export interface Process {
  command: string[];
  /** Clock ticks since boot: with the pid it tells one process from the next (proc_pid_stat(5), field 22). */
  startTicks: number;
  startedAt: number;
  pid: number;
  oomScoreAdjust: string;
  /** `soft:hard`, or one number where both are the same. */
  openFiles: string;
}

export interface FileState {
  owner: string;
  group: string;
  /** Four octal digits. */
  mode: string;
  kind: string;
  /** Seconds since 1970 of the last change of content, owner or mode. */
  changedAt: number;
  text?: string;
}

export interface Owner {
  stack: string;
  host: string;
}

export type DockerInfo = z.infer<typeof dockerInfoSchema>;
export type Container = z.infer<typeof containerSchema>;

/** @throws when the bytes are not a whole observation. */
export function parseObservation(bytes: Buffer): Observation {
  const records = Records.parse(bytes);
  const lines = (name: string) => valueOr(records.text(name), "").split("\n").filter(Boolean);
  const clock = lines("clock");
  const now = Number(clock[0] ?? Number.NaN);
  const bootedAt = now - Number((lines("uptime")[0] ?? "").split(" ")[0]);
  const units = valueOr(records.parsed("units", parseSystemdShow), {});
  const auditLines = ruleLines(valueOr(records.text("audit-files"), ""));
  const whileRunning = <T>(value: Known<T>): Known<T> =>
    records.has("docker-info") ? value : unknown(`docker.service is ${units["docker.service"]?.ActiveState ?? "not there"}`);
  return {
    kernel: valueOr(records.parsed("kernel", kernelRelease), "unknown"),
    init: valueOr(records.text("init"), "unknown").trim(),
    os: /^PRETTY_NAME="?([^"\n]*)/m.exec(valueOr(records.text("os"), ""))?.[1] ?? "unknown",
    memory: records.parsed("memory", (text) => parseNumber(/^MemTotal:\s+(\d+) kB$/m.exec(text)?.[1] ?? "") * 1024),
    openFilesMax: records.parsed("open-files-max", parseNumber),
    tasks: records.parsed("tasks", (text) => Math.min(...text.trim().split("\n").map(parseNumber))),
    now,
    dockerPath: valueOr(records.text("docker-path"), "").trim(),
    units,
    dockerExecStart: valueOr(records.parsed("docker-unit", execStartWithoutOurs), ""),
    processes: Object.fromEntries(
      records.under("process-").flatMap(([name, { status, stdout }]) => {
        const pid = Number(units[`${name}.service`]?.MainPID ?? 0);
        return status === 0 ? [[name, parseProcess(stdout, valueOr(records.text(`command-${name}`), "").split("\0").filter(Boolean), pid, bootedAt)]] : [];
      }),
    ),
    info: whileRunning(records.parsed("docker-info", (json) => dockerInfoSchema.parse(JSON.parse(json)))),
    images: whileRunning(records.has("images") ? records.parsed("images", (text) => [...new Set(text.split("\n").filter((name) => name !== "" && !name.startsWith("<none>")))].sort()) : unknown("not asked")),
    bridgeOptions: whileRunning(records.parsed("docker-bridge", (json) => bridgeOptionsSchema.parse(JSON.parse(json)) ?? {})),
    containers: whileRunning(
      records.parsed("containers", (text) => text.split("\n").filter(Boolean).map((line) => containerSchema.parse(JSON.parse(line)))),
    ),
    files: parseFiles(records),
    strayFiles: [...new Set(["stray", "stray-profiles", "stray-links"].flatMap(lines))].sort(),
    present: lines("present"),
    subordinateUids: valueOr(records.text("subuid"), ""),
    subordinateGids: valueOr(records.text("subgid"), ""),
    users: lines("users").map((line) => line.split(":")[0] ?? ""),
    auditStatus: records.parsed("audit-status", parseAuditStatus),
    auditRules: records.parsed("audit-rules", (text) => text.split("\n").filter((line) => line.startsWith("-"))),
    auditRulesOnlyCompiled: lines("audit-compiled").filter((line) => line.startsWith("-") && !auditLines.includes(line.trim())),
    iptables: records.parsed("iptables", (text) => text.trim().split("\n")),
    auditRulesOnDisk: records.parsed("audit-files", ruleLines),
    mounts: records.parsed("mounts", parseMounts),
    volumes: Object.fromEntries(records.under("volume:").map(([mountPoint]) => [mountPoint, records.parsed(`volume:${mountPoint}`, parseVolume)])),
    oldData: lines("old-data").map(parseOldData),
    machineId: valueOr(records.text("machine-id"), "").trim(),
    dockerGroup: records.parsed("groups", (text) => /^docker:[^:]*:\d+:(.*)$/m.exec(text)?.[1]?.split(",").filter(Boolean) ?? []),
    registryCertificates: records.parsed("certificates", (text) => text.split("\n").filter(Boolean).sort()),
    apparmor: records.parsed("apparmor", parseAppArmor),
    bridgeNetfilter: valueOr(records.text("bridge-nf"), "0").trim() === "1",
    dockerProxies: records.parsed("docker-proxies", parseNumber),
    // /proc/2239/status
    noNewPrivileges: records.parsed("no-new-privs", (text) => text.split("\n").filter(Boolean).map((line) => parseNumber(line.split("/")[2] ?? ""))),
    cgroups: parseCgroups(lines("cgroups")),
    slice: units["drydock-containers.slice"] ?? {},
    room: records.parsed("room", parseRoom),
    dataPlace: records.parsed("data-place", (text) => text.trim()),
    diskErrors: records.parsed("ext4-errors", parseDiskErrors),
    needs: Object.fromEntries(records.under("need:").map(([need]) => [need, records.parsed(`need:${need}`, parseNeed)])),
    environmentFlags: records.parsed("environment", (text) => [...unitEnvironment(valueOr(records.text("docker-unit"), "")), ...parseEnvironmentFlags(text)]),
    sshd: records.has("sshd") ? parseSshd(records.result("sshd")) : unknown("sshd was not asked for"),
    clockAhead: undefined,
    owner: parseOwner(valueOr(records.text("owner"), "")),
    applied: wordsByName(lines("applied")),
    outcome: parseOutcome(wordsByName(lines("outcome"))),
    underWay: lines("under-way"),
  };
}

/** Only for facts where a failed read and "there is nothing" come to the same. */
function valueOr<T>(fact: Known<T>, otherwise: T): T {
  return fact.known ? fact.value : otherwise;
}

// --- Internal ---

// keys icc,live-restore
const wordsByName = (lines: string[]) => Object.fromEntries(lines.map((line) => line.split(/ (.*)/s).slice(0, 2) as [string, string]));

/** One that a power cut has left half written tells nothing. */
function parseOutcome({ generation, result, at, why, since }: Partial<Record<string, string>>): Outcome | undefined {
  const known = (["confirmed", "went back", "broken"] as const).find((word) => word === result);
  return known && generation && at && why ? { generation, result: known, at: Number(at), why, ...(since === undefined ? {} : { since }) } : undefined;
}

const dockerInfoSchema = z.object({
  // Empty when the client could not reach dockerd: it prints zero values then (docker/cli#5900).
  ServerVersion: z.string().min(1),
  FirewallBackend: z.object({ Driver: z.string() }).nullish(),
  SecurityOptions: z.array(z.string()).nullish().transform((options) => options ?? []),
  LiveRestoreEnabled: z.boolean(),
  LoggingDriver: z.string(),
  DockerRootDir: z.string(),
  Driver: z.string(),
  DriverStatus: z.array(z.array(z.string())).nullish().transform((status) => status ?? []),
  CgroupDriver: z.string(),
  CgroupVersion: z.string().default("1"),
  DefaultRuntime: z.string().default("runc"),
  ExperimentalBuild: z.boolean().default(false),
  Debug: z.boolean().default(false),
  Containers: z.number(),
  Images: z.number(),
  Swarm: z.object({ LocalNodeState: z.string() }).default({ LocalNodeState: "inactive" }),
  Plugins: z.object({ Authorization: z.array(z.string()).nullish() }).default({}),
  RegistryConfig: z
    .object({
      InsecureRegistryCIDRs: z.array(z.string()).nullish(),
      IndexConfigs: z.record(z.string(), z.object({ Secure: z.boolean() })).nullish(),
    })
    .default({}),
});

const bridgeOptionsSchema = z.record(z.string(), z.string()).nullable();

const containerSchema = z.object({
  id: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string().transform((name) => name.replace(/^\//, "")),
  running: z.boolean(),
  pid: z.number(),
  startedAt: z.string(),
  logDriver: z.string(),
  securityOpt: z.array(z.string()).nullable().transform((options) => options ?? []),
  usernsMode: z.string(),
  cgroupnsMode: z.string(),
  privileged: z.boolean(),
  networkMode: z.string(),
  ports: z.record(z.string(), z.array(z.object({ HostIp: z.string(), HostPort: z.string() })).nullable()).nullable().transform((ports) => ports ?? {}),
  restartPolicy: z.string(),
  // 0 and below mean none; null, too
  pidsLimit: z.number().nullish().transform((limit) => limit ?? 0),
  memory: z.number().default(0),
  // memory and swap together, as Docker counts them; -1 is without a limit
  memorySwap: z.number().default(0),
  // Asked for the advice on containers. A recording from before has none of these: absent is unknown, and never "no".
  user: z.string().optional(),
  // "" without a health check
  health: z.string().optional(),
  pidMode: z.string().optional(),
  ipcMode: z.string().optional(),
  utsMode: z.string().optional(),
  capAdd: z.array(z.string()).nullable().transform((names) => names ?? []).optional(),
  readOnly: z.boolean().optional(),
  /** How often it is started again at most; 0 is without an end. */
  /** `docker run --rm`: it goes when it stops, with its anonymous volumes. */
  autoRemove: z.boolean().default(false),
  retries: z.number().optional(),
  mounts: z
    .array(z.object({ Type: z.string().default(""), Source: z.string().default(""), Destination: z.string(), RW: z.boolean().default(true) }))
    .nullable()
    .transform((mounts) => mounts ?? [])
    .optional(),
});

function parseNumber(text: string): number {
  const number = Number(text.trim());
  if (text.trim() === "" || !Number.isFinite(number)) throw new Error(`not a number: ${text.slice(0, 40)}`);
  return number;
}

// Linux version 6.1.0-49-amd64 (debian-kernel@lists.debian.org) (gcc-12 …
function kernelRelease(version: string): string {
  const [, system, release] = /^(\S+) version (\S+)/.exec(version) ?? [];
  if (system === undefined || release === undefined) throw new Error(version.slice(0, 40));
  return `${system} ${release}`;
}

// 306 (dockerd) S 1 306 … 28113 …␤-500␤Limit  Soft Limit  Hard Limit  Units␤Max open files  1048576  1048576  files␤…
function parseProcess(text: string, command: string[], pid: number, bootedAt: number): Process {
  const [stat = "", oomScoreAdjust = ""] = text.split("\n");
  const [, soft = "", hard = ""] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(text) ?? [];
  // The second field, a name in brackets, may hold blanks.
  const startTicks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  return { command, startTicks, startedAt: bootedAt + startTicks / ticksPerSecond, pid, oomScoreAdjust, openFiles: soft === hard ? hard : `${soft}:${hard}` };
}

/** What the kernel tells user space, whatever its own tick is (USER_HZ, time(7)). */
const ticksPerSecond = 100;

// root:root 0644 121 1690000000 1690000000 regular file|/etc/docker/daemon.json
function parseFiles(records: Records): Record<string, Known<FileState>> {
  const files: Record<string, Known<FileState>> = {};
  const { stdout, stderr } = records.result("stat");
  for (const line of stdout.split("\n").filter(Boolean)) {
    const match = /^(\S+):(\S+) (\d{4}) (\d+) (\d+) (\d+) ([^|]+)\|(.+)$/.exec(line);
    if (!match) throw new Error(`stat printed something unexpected: ${line}`);
    const [, owner = "", group = "", mode = "", , modified, changed, kind = "", path = ""] = match;
    const changedAt = Math.max(Number(modified), Number(changed));
    const text = records.has(`file:${path}`) ? records.text(`file:${path}`) : undefined;
    if (text && !text.known) files[path] = text;
    else files[path] = known({ owner, group, mode, kind, changedAt, ...(text ? { text: text.value } : {}) });
  }
  // stat: cannot statx '/etc/docker/daemon.json': No such file or directory
  for (const line of stderr.split("\n").filter(Boolean)) {
    const [, path, reason = ""] = /'(.+)': (.+)$/.exec(line) ?? [];
    // A file that is not there has no entry.
    if (path && !/No such file or directory|Not a directory/.test(reason)) files[path] = unknown(reason);
  }
  return files;
}

const ruleLines = (text: string) => text.split("\n").map((line) => line.trim()).filter((line) => line.startsWith("-"));

// 29 1 254:0 / / rw,noatime shared:1 - ext4 /dev/vda rw
function parseMounts(text: string): Mount[] {
  return text.trim().split("\n").map((line) => {
    const [left = "", right = ""] = line.split(" - ");
    const [, , number = "", , path = "", ofMount = ""] = left.split(" ");
    const [filesystem = "", device = "", ofFilesystem = ""] = right.split(" ");
    // A blank in a path is written \040 (proc_pid_mountinfo(5)).
    return { number, device, path: path.replaceAll("\\040", " "), filesystem, options: [...ofMount.split(","), ...ofFilesystem.split(",")] };
  });
}

// /sys/fs/cgroup/system.slice/docker-1b2c….scope/pids.max:512
function parseCgroups(lines: string[]): Record<string, Record<string, string>> {
  const cgroups = new Map<string, [string, string][]>();
  for (const line of lines) {
    // Only names of this form: a container may make cgroups of any name, and `__proto__` would be one.
    const [, group, limit, value] = /\/(docker-[0-9a-f]{64}\.scope|drydock-[\w-]+\.slice)\/([a-z.]+):(.*)$/.exec(line) ?? [];
    if (group && limit && value !== undefined) cgroups.set(group, [...(cgroups.get(group) ?? []), [limit, value]]);
  }
  return Object.fromEntries([...cgroups].map(([group, limits]) => [group, Object.fromEntries(limits)]));
}

// docker 104857600 aside
function parseOldData(line: string): OldData {
  const [name = "", bytes = "", where] = line.split(" ");
  // A number that a power cut kept from the disk is not known.
  return { name, bytes: bytes === "" ? Number.NaN : Number(bytes), where: where === "aside" ? "aside" : "below" };
}

// enabled 1␤failure 1␤pid 412␤…
function parseAuditStatus(text: string): Record<string, string> {
  const status = Object.fromEntries(text.trim().split("\n").map((line) => line.split(/ (.*)/s).slice(0, 2) as [string, string]));
  if (status.enabled === undefined) throw new Error("auditctl -s names no `enabled`");
  return status;
}

// stack prod␤host web1
function parseOwner(text: string): Owner | undefined {
  const stack = /^stack (.+)$/m.exec(text)?.[1];
  const host = /^host (.+)$/m.exec(text)?.[1];
  return stack && host ? { stack, host } : undefined;
}

function execStartWithoutOurs(text: string): string {
  const sections = parseUnitText(text).filter(({ path }) => !/drydock[^/]*\.conf$/.test(path));
  // An empty ExecStart= clears what stood before (systemd.service(5)).
  return sections.flatMap(({ entries }) => entries.filter(([key]) => key === "ExecStart").map(([, value]) => value)).at(-1) ?? "";
}
