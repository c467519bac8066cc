/** observe.sh for real: sh and coreutils on real files, with stubs for what needs systemd, a daemon or the kernel's audit. */

import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { clockAhead, observe, type ObserveOptions } from "../../src/remote/observe.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { container as anyContainer } from "../support/observation.ts";
import { onPath, ownRuntimeFolder } from "../support/fake-ssh.ts";
import { runSh, temporaryFolder } from "../support/shell.ts";

const dockerInfo = {
  ServerVersion: "28.5.2",
  LiveRestoreEnabled: true,
  LoggingDriver: "syslog",
  DockerRootDir: "/var/lib/docker",
  Driver: "overlay2",
  CgroupDriver: "systemd",
  CgroupVersion: "2",
  Containers: 1,
  Images: 0,
};
const container = {
  id: "a".repeat(64), name: "/web", running: true, pid: process.pid, startedAt: "2026-11-01T00:00:00Z", logDriver: "syslog", securityOpt: null, usernsMode: "", cgroupnsMode: "private", privileged: false, networkMode: "default", ports: null, restartPolicy: "no",
};

/** The unit with what its owner and Drydock add; the last line of one lacks its end. */
const unitFiles = {
  "docker.service": "[Service]\nExecStart=/usr/bin/dockerd -H fd://\n",
  "own.conf": "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd -H fd:// --debug",
  "50-drydock.conf": "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd\n",
};

let stubs: Record<string, string>;
beforeEach(() => {
  ownRuntimeFolder();
  stubs = {
    systemctl: `case "$*" in
      show\\ --no-pager*) printf 'Id=docker.service\\nLoadState=loaded\\nActiveState=active\\nMainPID=${process.pid}\\nFragmentPath=%s\\nDropInPaths=%s\\n' "$(dirname "$0")/docker.service" "$(dirname "$0")/own.conf $(dirname "$0")/50-drydock.conf" ;;
    esac`,
    docker: `case "$1" in
      info) cat "$(dirname "$0")/info" ;;
      ps) echo ${container.id} ;;
      inspect) cat "$(dirname "$0")/containers" ;;
      network) echo '{"com.docker.network.bridge.enable_icc":"false"}' ;;
    esac`,
    auditctl: 'case $1 in -s) printf "enabled 1\\npid 5\\n" ;; -l) echo "No rules" ;; esac',
    augenrules: "",
    iptables: "echo '-P FORWARD DROP'",
  };
});
afterEach(() => void vi.unstubAllEnvs());

/** @param answers what docker says, by file name beside its stub */
async function look(options: ObserveOptions = {}, answers: Record<string, string> = {}, ssh = "exec sh -s"): Promise<Observation> {
  const folder = onPath({ ...stubs, ssh });
  for (const [name, text] of Object.entries({ ...unitFiles, info: JSON.stringify(dockerInfo), containers: `${JSON.stringify(container)}\n`, ...answers })) writeFileSync(join(folder, name), text);
  return observe({ host: "192.0.2.10", port: 22 }, options);
}

describe("a whole look", () => {
  it("comes back as it was printed", async () => {
    const seen = await look();
    expect(seen.kernel).toMatch(/^Linux \d/);
    expect(seen.info).toMatchObject({ known: true, value: { ServerVersion: "28.5.2", SecurityOptions: [] } });
    expect(seen.containers).toMatchObject({ known: true, value: [{ name: "web", securityOpt: [], ports: {} }] });
    expect(seen.bridgeOptions).toEqual({ known: true, value: { "com.docker.network.bridge.enable_icc": "false" } });
    expect(seen.auditStatus).toEqual({ known: true, value: { enabled: "1", pid: "5" } });
    expect(seen.auditRules).toEqual({ known: true, value: [] });
    expect(seen.iptables).toEqual({ known: true, value: ["-P FORWARD DROP"] });
    expect(seen.dockerExecStart).toBe("/usr/bin/dockerd -H fd:// --debug");
  });

  it("asks docker for each field of a container, and for its secrets never", async () => {
    const folder = onPath({ ...stubs, docker: `case $1 in inspect) printf %s "$3" >"$(dirname "$0")/format" ;; *) ${stubs.docker ?? ""} ;; esac`, ssh: "exec sh -s" });
    for (const [name, text] of Object.entries({ ...unitFiles, info: JSON.stringify(dockerInfo) })) writeFileSync(join(folder, name), text);
    await observe({ host: "192.0.2.10", port: 22 });
    const format = readFileSync(join(folder, "format"), "utf8");
    const asked = Object.keys(JSON.parse(format.replaceAll(/\{\{with .*?\{\{end\}\}|\{\{json [^}]*\}\}/g, "null")) as object);
    const advised = ["user", "health", "pidMode", "ipcMode", "utsMode", "capAdd", "readOnly", "retries", "mounts"];
    expect(asked.sort()).toEqual([...Object.keys(anyContainer("web")), ...advised].sort());
    expect(format).not.toMatch(/\.Config\.(Env|Cmd|Labels|Healthcheck)|\.Args/);
  });

  it("finds the process of the daemon as the kernel has it", async () => {
    const { processes, now } = await look();
    expect(Object.keys(processes)).toEqual(["docker"]);
    expect(processes.docker).toMatchObject({ pid: process.pid, command: readFileSync("/proc/self/cmdline", "utf8").split("\0").slice(0, -1) });
    expect(processes.docker?.startTicks).toBe(Number(readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)?.split(" ")[19]));
    // Started a moment ago, by the host's clock.
    expect(processes.docker?.startedAt).toBeLessThan(now + 2);
    expect(processes.docker?.startedAt).toBeGreaterThan(now - 3600);
  });

  it("reads what the kernel gives only in one piece", async () => {
    const { openFilesMax, tasks, memory } = await look();
    expect(openFilesMax).toEqual({ known: true, value: Number(readFileSync("/proc/sys/fs/nr_open", "utf8")) });
    expect(tasks).toEqual({ known: true, value: Math.min(...["pid_max", "threads-max"].map((name) => Number(readFileSync(`/proc/sys/kernel/${name}`, "utf8")))) });
    expect(memory).toEqual({ known: true, value: Number(/^MemTotal:\s+(\d+)/.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]) * 1024 });
  });

  it("over the new connection after a change asks neither what sshd would say nor for what the change needed", async () => {
    const { needs, sshd, info } = await look({ fresh: true, needs: ["program sh"] });
    expect([needs, sshd]).toEqual([{}, { known: false, reason: "sshd was not asked for" }]);
    expect(info.known).toBe(true);
  });

  it("leaves nothing behind", async () => {
    const folder = temporaryFolder();
    vi.stubEnv("TMPDIR", folder);
    await look();
    expect(runSh(`ls -A ${folder}`).toString().split("\n").filter((name) => name.startsWith("tmp."))).toEqual([]);
  });
});

describe("files", () => {
  it("come with every byte that is text, and odd names", async () => {
    const folder = temporaryFolder();
    const text = "first\n\n é\u{1F433} EOF $(id) `x` '\" \\ no newline at the end";
    const paths = ["plain", "two words", "it's *"].map((name) => join(folder, name));
    for (const path of paths) {
      writeFileSync(path, text);
      chmodSync(path, 0o640);
    }
    const seen = await look({ files: [...paths, folder, join(folder, "missing")], paths: [...paths, join(folder, "missing")] });
    for (const path of paths) expect(seen.files[path]).toMatchObject({ known: true, value: { mode: "0640", kind: "regular file", text } });
    expect(seen.files[folder]).toMatchObject({ known: true, value: { mode: "0700", kind: "directory" } });
    expect(seen.files[join(folder, "missing")]).toBeUndefined();
    expect(seen.present.sort()).toEqual([...paths].sort());
  });

  it("of which only half could be copied are unknown, like those that can't be read", async () => {
    const folder = temporaryFolder();
    const [half, whole] = ["half", "whole"].map((name) => join(folder, name)) as [string, string];
    for (const path of [half, whole]) writeFileSync(path, "text");
    // cp --parents -t FOLDER -- FILE...
    stubs.cp = `/bin/cp "$@"; printf te >"$3/${half}"; echo "cp: error writing '$3${half}': No space left on device" >&2; exit 1`;
    const { files } = await look({ files: [half, whole] });
    expect(files[half]).toMatchObject({ known: false, reason: expect.stringContaining("No space left on device") as string });
    expect(files[whole]).toMatchObject({ known: true, value: { text: "text" } });
  });

  it("that are no text are told from those that are", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "bytes"), Buffer.from([0x61, 0xff, 0x00, 0x0a, 0x0a]));
    writeFileSync(join(folder, "empty"), "");
    const { files } = await look({ files: [join(folder, "bytes"), join(folder, "empty")] });
    expect(files[join(folder, "bytes")]).toMatchObject({ value: { text: "a\uFFFD\0\n\n" } });
    expect(files[join(folder, "empty")]).toMatchObject({ value: { kind: "regular empty file", text: "" } });
  });
});

describe("a key", () => {
  it("is asked for owner and mode, and its text stays where it is", async () => {
    const key = join(temporaryFolder(), "key.pem");
    writeFileSync(key, "hunter2", { mode: 0o400 });
    const folder = onPath({ ...stubs, ssh: 'exec sh -s | tee "$(dirname "$0")/printed"' });
    writeFileSync(join(folder, "info"), JSON.stringify({ ...dockerInfo, Containers: 0 }));
    const { files } = await observe({ host: "192.0.2.10", port: 22 }, { looked: [key] });
    expect(files[key]).toMatchObject({ known: true, value: { mode: "0400", kind: "regular file" } });
    expect(readFileSync(join(folder, "printed"), "utf8")).not.toContain("hunter2");
  });
});

describe("what fails is unknown, not absent", () => {
  it.each<[string, string, string, (seen: Observation) => unknown, string]>([
    ["auditctl", "auditctl", "echo 'You must be root' >&2; exit 4", (seen) => seen.auditStatus, "You must be root"],
    ["iptables", "iptables", "exit 3", (seen) => seen.iptables, "iptables ended with exit status 3"],
    ["the daemon", "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1", (seen) => seen.info, "Cannot connect to the Docker daemon"],
    ["the list of containers", "docker", 'case $1 in ps) echo gone >&2; exit 1 ;; info) cat "$(dirname "$0")/info" ;; esac', (seen) => seen.containers, "gone"],
  ])("%s", async (_, name, text, pick, reason) => {
    stubs[name] = text;
    expect(pick(await look())).toEqual({ known: false, reason });
  });

  it("also when the program is not there", async () => {
    stubs.auditctl = "exit 127";
    expect((await look()).auditRules).toEqual({ known: false, reason: "audit-rules ended with exit status 127" });
  });
});

describe("a daemon that is stopped", () => {
  it("is not asked: the question would start it", async () => {
    stubs.systemctl = 'case "$*" in show\\ --no-pager*) printf "Id=docker.service\\nActiveState=inactive\\n" ;; *) echo 0 ;; esac';
    stubs.docker = 'echo asked >>"$(dirname "$0")/asked"; exit 1';
    const seen = await look();
    expect(seen.info).toEqual({ known: false, reason: "docker.service is inactive" });
    expect(seen.processes).toEqual({});
    expect(runSh('cat "${PATH%%:*}/asked" 2>/dev/null || true').toString()).toBe("");
  });
});

describe("a host without containers", () => {
  it("is not asked for them one by one", async () => {
    stubs.docker = 'case $1 in info) cat "$(dirname "$0")/info" ;; ps|inspect) exit 9 ;; network) echo null ;; esac';
    const seen = await look({}, { info: JSON.stringify({ ...dockerInfo, Containers: 0 }) });
    expect(seen.containers).toEqual({ known: true, value: [] });
    expect(seen.bridgeOptions).toEqual({ known: true, value: {} });
  });
});

describe("a volume", () => {
  const at = (mountPoint: string, device: string, filesystem: "ext4" | "xfs" = "ext4"): ObserveOptions => ({ volumes: { [mountPoint]: { device, filesystem, options: "nodev" } } });

  it("whose disk is not there, and what is in the folder", async () => {
    const folder = temporaryFolder();
    for (const name of ["a", "b"]) writeFileSync(join(folder, name), Buffer.alloc(10_000));
    const { volumes } = await look(at(folder, "/dev/no-such-group/disk"));
    expect(volumes[folder]).toMatchObject({ known: true, value: { device: undefined, place: folder, data: { entries: 3 } } });
    const seen = volumes[folder];
    expect(seen?.known && seen.value.data?.bytes).toBeGreaterThanOrEqual(20_000);
  });

  it("whose disk is a file, behind a link", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "disk.img"), "");
    symlinkSync("disk.img", join(folder, "disk"));
    const { volumes } = await look(at(join(folder, "none"), join(folder, "disk")));
    expect(volumes[join(folder, "none")]).toMatchObject({ known: true, value: { device: { path: join(folder, "disk.img"), kind: "regular empty file", signatures: [] }, data: { bytes: 0, entries: 0 } } });
  });

  it("whose mount point is a link is where that leads", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "real"));
    symlinkSync(join(folder, "real"), join(folder, "link"));
    expect((await look(at(join(folder, "link"), "/dev/none"))).volumes[join(folder, "link")]).toMatchObject({ known: true, value: { place: join(folder, "real") } });
  });

  it("says which tools are missing, of its own filesystem only", async () => {
    const folder = temporaryFolder();
    const { volumes } = await look(at(folder, "/dev/none", "xfs"));
    const seen = volumes[folder];
    expect(seen?.known && seen.value.missingTools.filter((tool) => /ext4|e2label/.test(tool))).toEqual([]);
  });

  it("that nobody asked for is not looked at", async () => {
    expect((await look()).volumes).toEqual({});
  });
});

/** A host of which these folders are others, on which files lie. */
async function lookIn(folders: Record<string, string>, options: ObserveOptions = {}): Promise<Observation> {
  const moves = Object.entries(folders).map(([path, place]) => `s#${path}#${place}#g`).join("; ");
  const folder = onPath({ ...stubs, ssh: `sed '${moves}' | sh -s` });
  for (const [name, text] of Object.entries({ ...unitFiles, info: JSON.stringify({ ...dockerInfo, Containers: 0 }) })) writeFileSync(join(folder, name), text);
  return observe({ host: "192.0.2.10", port: 22 }, options);
}

function fill(files: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

const listening = (server: Server, ...where: [string] | [number, string]): Promise<void> =>
  new Promise((resolve) => {
    if (where.length === 1) server.listen(where[0], resolve);
    else server.listen(...where, resolve);
  });

describe("what the wish needs", () => {
  const answer = async (need: string, folders: Record<string, string> = {}): Promise<unknown> => (await lookIn(folders, { needs: [need] })).needs[need];
  const yes = { known: true, value: { met: true } };
  const no = (why: string): unknown => ({ known: true, value: { met: false, why } });

  it("is asked as it is called, and nothing else", async () => {
    expect((await look()).needs).toEqual({});
    const { needs } = await look({ needs: ["program sh", "program no-such-program", "socket /no such socket"] });
    expect(needs).toEqual({ "program sh": yes, "program no-such-program": no("it is not installed"), "socket /no such socket": no("it is not there") });
  });

  it("a socket, also behind a link", async () => {
    const folder = temporaryFolder();
    const server = createServer();
    await listening(server, join(folder, "log"));
    symlinkSync("log", join(folder, "link"));
    writeFileSync(join(folder, "file"), "");
    const names = ["log", "link", "file"].map((name) => `socket ${join(folder, name)}`);
    const { needs } = await look({ needs: names });
    server.close();
    expect(names.map((name) => needs[name])).toEqual([yes, yes, no("it is no socket")]);
  });

  it("a collector that answers, one that does not, and one whose name nobody knows", async () => {
    const server = createServer();
    await listening(server, 0, "127.0.0.1");
    const port = (server.address() as { port: number }).port;
    const open = await answer(`tcp 127.0.0.1 ${port}`);
    await new Promise((resolve) => server.close(resolve));
    expect(open).toEqual(yes);
    expect(await answer(`tcp 127.0.0.1 ${port}`)).toEqual(no("Connection refused"));
    expect(await answer("tcp no-such-host.invalid 514")).toMatchObject({ known: true, value: { met: false } });
  });

  it("a collector that keeps silent is waited for five seconds, at the same time as others", async () => {
    stubs.timeout = 'case "$*" in "5 bash "*) sleep 1; exit 124 ;; *) shift; exec "$@" ;; esac';
    const started = Date.now();
    const { needs } = await look({ needs: ["tcp 192.0.2.1 1", "tcp 192.0.2.2 1", "tcp 192.0.2.3 1", "tcp 192.0.2.4 1"] });
    expect(Object.values(needs)).toEqual(Array(4).fill(no("it did not answer within 5 s")));
    expect(Date.now() - started).toBeLessThan(3500);
  });

  it("a collector can't be asked without bash", async () => {
    stubs.timeout = 'case "$*" in "5 bash "*) echo "x: line 1: /dev/tcp/192.0.2.1/514: No such file or directory" >&2; exit 1 ;; *) shift; exec "$@" ;; esac';
    expect(await answer("tcp 192.0.2.1 514")).toEqual({ known: false, reason: "bash has no /dev/tcp here" });
  });

  it.each<[string, string, Record<string, string>, unknown]>([
    ["that is loaded", "exit 9", { "module/br_netfilter/refcnt": "0\n" }, yes],
    ["that can be loaded", "echo insmod /lib/modules/6.1.0/kernel/net/bridge/br_netfilter.ko", {}, yes],
    ["that is not installed", "echo 'modprobe: FATAL: Module br_netfilter not found in directory /lib/modules/6.1.0' >&2; exit 1", {}, no("FATAL: Module br_netfilter not found in directory /lib/modules/6.1.0")],
    ["that somebody has forbidden", "echo install /bin/false", {}, no("modprobe.d says: install /bin/false")],
    ["when no module is loaded any more", "exit 0", { modules_disabled: "1" }, no("kernel.modules_disabled is 1, so none is loaded before the next boot")],
  ])("a kernel module %s", async (_, modprobe, files, expected) => {
    stubs.modprobe = modprobe;
    const folder = fill(files);
    expect(await answer("module br_netfilter", { "/sys/module": `${folder}/module`, "/proc/sys/kernel/modules_disabled": `${folder}/modules_disabled` })).toEqual(expected);
  });

  it.each<[string, string, string[], unknown]>([
    ["with a file that names it", "exit 9", ["etc/opa.spec"], yes],
    ["with a file in a folder of its own", "exit 9", ["lib/opa/opa.json"], yes],
    ["with a file in the place of its socket", "echo 'Error: No such plugin: opa' >&2; exit 1", ["run/opa.sock"], no("it is not installed")],
    ["that dockerd manages", "echo true", [], yes],
    ["that is disabled", "echo false", [], no("it is disabled")],
    ["that nobody knows", "echo; echo 'Error response from daemon: plugin \"opa\" not found' >&2; exit 1", [], no("it is not installed")],
    ["while dockerd does not tell", "echo 'Cannot connect to the Docker daemon' >&2; exit 1", [], { known: false, reason: "Cannot connect to the Docker daemon" }],
  ])("an authorization plugin %s", async (_, said, files, expected) => {
    stubs.docker = `case "$1" in plugin) ${said} ;; info) cat "$(dirname "$0")/info" ;; network) echo null ;; esac`;
    const folder = fill(Object.fromEntries(files.map((name) => [name, ""])));
    expect(await answer("plugin opa", { "/run/docker/plugins": `${folder}/run`, "/etc/docker/plugins": `${folder}/etc`, "/usr/lib/docker/plugins": `${folder}/lib` })).toEqual(expected);
  });

  it("an authorization plugin with a socket", async () => {
    const folder = temporaryFolder();
    const server = createServer();
    await listening(server, join(folder, "opa.sock"));
    const seen = await answer("plugin opa", { "/run/docker/plugins": folder });
    server.close();
    expect(seen).toEqual(yes);
  });
});

describe("the environment of dockerd", () => {
  const environment = (files: string[]) => {
    const lines = files.map((file) => `EnvironmentFiles=${file} (ignore_errors=yes)\\n`).join("");
    stubs.systemctl = `case "$*" in show\\ --no-pager*) printf 'Id=docker.service\\nActiveState=inactive\\nFragmentPath=%s\\n${lines}\\nId=containerd.service\\nEnvironmentFiles=/etc/hostname (ignore_errors=no)\\n' "$(dirname "$0")/docker.service" ;; esac`;
  };

  it("tells its flags, from all files, and nothing else of them", async () => {
    const folder = fill({
      docker: `# DOCKER_OPTS="--dns 8.8.8.8"\nHTTP_PROXY=http://user:hunter2-x@192.0.2.1\nDOCKER_OPTS="--log-level=hunter2 -lhunter2 --iptables=false \\\n  --debug --label secret=hunter2 -H tcp://192.0.2.1"`,
      "more.d/two words": "OPTIONS='--mtu=1400'\n",
    });
    environment([join(folder, "docker"), `${folder}/more.d/*`, join(folder, "missing")]);
    const printed = join(folder, "printed");
    const where = onPath({ ...stubs, ssh: `exec sh -s | tee "${printed}"` });
    for (const [name, text] of Object.entries(unitFiles)) writeFileSync(join(where, name), text);
    const { environmentFlags } = await observe({ host: "192.0.2.10", port: 22 });
    const [file, more] = [join(folder, "docker"), join(folder, "more.d/two words")];
    expect(environmentFlags).toEqual({
      known: true,
      value: [...["--log-level", "-l", "--iptables=false", "--debug", "--label", "-H"].map((flag) => ({ file, variable: "DOCKER_OPTS", flag })), { file: more, variable: "OPTIONS", flag: "--mtu" }],
    });
    expect(readFileSync(printed, "utf8")).not.toContain("hunter2");
  });

  it("is that of its unit as well", async () => {
    const seen = await look({}, { "own.conf": '[Service]\nEnvironment="DOCKER_OPTS=--debug"\n' });
    expect(seen.environmentFlags).toMatchObject({ known: true, value: [{ variable: "DOCKER_OPTS", flag: "--debug" }] });
  });
});

describe("disks", () => {
  it("tell what they have left", async () => {
    const { room, dataPlace } = await look({ store: { dataRoot: "/no/such/folder" } });
    expect(room).toMatchObject({ known: true, value: [{ path: "/etc" }, { path: "/var/lib" }, { path: "/var/lib" }] });
    expect(room.known && room.value.every(({ bytes, inodes }) => bytes > 0 && inodes >= 0)).toBe(true);
    expect(dataPlace.known).toBe(false);
  });

  it("tell that of Drydock's own folder, where there is one: it may be a filesystem of its own", async () => {
    const own = temporaryFolder();
    const { room } = await look({}, {}, `sed 's#/var/lib/drydock#${own}#g' | sh -s`);
    expect(room).toMatchObject({ known: true, value: [{ path: "/etc" }, { path: "/var/lib" }, { path: own }, {}] });
  });

  it("tell where Docker's data really are", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "real place"));
    symlinkSync("real place", join(folder, "link"));
    const { room, dataPlace } = await look({ store: { dataRoot: join(folder, "link") } });
    expect(dataPlace).toEqual({ known: true, value: join(folder, "real place") });
    expect(room).toMatchObject({ known: true, value: [{}, {}, { path: join(folder, "link") }] });
  });

  it("tell the errors of those that have some", async () => {
    const folder = fill({ "ext4/vda/errors_count": "0\n", "ext4/vdb/errors_count": "12\n", "ext4/dm-0/errors_count": "1\n", "ext4/features/lazy": "", "block/vda/dev": "254:0\n", "block/vdb/dev": "254:16\n", "block/dm-0/dev": "253:0\n" });
    expect((await lookIn({ "/sys/fs/ext4": `${folder}/ext4`, "/sys/class/block": `${folder}/block` })).diskErrors).toEqual({ known: true, value: { "254:16": 12, "253:0": 1 } });
  });

  it("of other kinds have none to tell", async () => {
    expect((await lookIn({ "/sys/fs/ext4": "/no/such/folder" })).diskErrors).toEqual({ known: true, value: {} });
  });
});

describe("sshd", () => {
  const connection = "192.0.2.7 50000 192.0.2.10 22";

  /** A look through something called sshd, whose program is a stub. */
  async function through(said: string, environment: Record<string, string> = {}, server = "sshd"): Promise<Observation> {
    for (const [name, value] of Object.entries({ SSH_CONNECTION: connection, SSH_ORIGINAL_COMMAND: "", SUDO_USER: "", SUDO_UID: "0", LOGNAME: "root", ...environment })) vi.stubEnv(name, value);
    const program = onPath({ program: `printf '%s' "$*" >"$(dirname "$0")/asked"\n${said}` });
    const folder = onPath({ ...stubs, ssh: `exec "$(dirname "$0")/${server}" -D`, [server]: `sed 's#/usr/sbin/sshd#${program}/program#g' | sh -s`, id: `[ "$*" != "-Gnz -- ops" ] || printf 'ops\\0domain users\\0'` });
    for (const [name, text] of Object.entries({ ...unitFiles, info: JSON.stringify({ ...dockerInfo, Containers: 0 }) })) writeFileSync(join(folder, name), text);
    const seen = await observe({ host: "192.0.2.10", port: 22 });
    asked = runSh(`cat ${program}/asked 2>/dev/null || true`).toString();
    return seen;
  }
  let asked: string;

  it("is asked once, about the user who logs in from where we are, and what it says is cut down to what counts", async () => {
    const { sshd } = await through("printf 'port 22\\nlistenaddress 0.0.0.0:22\\nusedns no\\npermitrootlogin no\\nallowusers ops\\nallowusers admin@192.0.2.*\\nbanner none\\n'", { SUDO_USER: "ops", SUDO_UID: "1000" });
    expect(sshd).toEqual({ known: true, value: { reads: true, user: "ops", isRoot: false, address: "192.0.2.7", local: { address: "192.0.2.10", port: "22" }, forced: false, groups: [], settings: { listenaddress: ["0.0.0.0:22"], usedns: ["no"], permitrootlogin: ["no"], allowusers: ["ops", "admin@192.0.2.*"] } } });
    expect(asked).toBe("-T -C user=ops,host=192.0.2.7,addr=192.0.2.7,laddr=192.0.2.10,lport=22");
  });

  it("is asked about groups where those count", async () => {
    const { sshd } = await through("echo allowgroups domain users", { SUDO_USER: "ops", SUDO_UID: "1000" });
    expect(sshd).toMatchObject({ known: true, value: { groups: ["ops", "domain users"], settings: { allowgroups: ["domain users"] } } });
  });

  it("is asked about root, who comes without sudo, and whether a command was forced on us", async () => {
    expect((await through("echo permitrootlogin forced-commands-only", { SSH_ORIGINAL_COMMAND: "true" })).sshd).toMatchObject({ known: true, value: { user: "root", isRoot: true, forced: true } });
  });

  it("says itself what is wrong with its files", async () => {
    const { sshd } = await through("printf '/etc/ssh/sshd_config: line 3: Bad configuration option: Foo\\r\\n/etc/ssh/sshd_config: terminating, 1 bad configuration options\\r\\n' >&2; exit 255");
    expect(sshd).toEqual({ known: true, value: { reads: false, said: "/etc/ssh/sshd_config: line 3: Bad configuration option: Foo" } });
  });

  it.each<[string, string, string, Record<string, string>, string]>([
    ["another server let us in", "dropbear", "", {}, "this connection is none of sshd's"],
    ["it has no host keys", "sshd", "echo 'sshd: no hostkeys available -- exiting.' >&2; exit 1", {}, "sshd: no hostkeys available -- exiting."],
    ["where we come from is not told", "sshd", "", { SSH_CONNECTION: "" }, "sshd did not tell where this connection comes from"],
  ])("is unknown when %s", async (_, server, said, environment, reason) => {
    expect((await through(said, environment, server)).sshd).toEqual({ known: false, reason });
  });

  it("is unknown when its program is elsewhere", async () => {
    vi.stubEnv("SSH_CONNECTION", connection);
    onPath({ ...stubs, ssh: 'exec "$(dirname "$0")/sshd"', sshd: "sed 's#/usr/sbin/sshd#/no/such/program#g' | sh -s" });
    expect((await observe({ host: "192.0.2.10", port: 22 })).sshd).toEqual({ known: false, reason: "there is no /no/such/program" });
  });
});

describe("the clock", () => {
  it("is compared with ours, the way there apart", async () => {
    expect((await look()).clockAhead).toBe(0);
    stubs.date = "echo 1000000000";
    const behind = (await look()).clockAhead ?? 0;
    expect(behind).toBeLessThan(-500_000_000);
  });

  it.each([
    [1000, 1_000_400, 1_000_900, 0],
    [1001, 1_000_400, 1_000_900, 0],
    [1005, 1_000_000, 1_010_000, 0],
    [995, 1_000_900, 1_010_000, -5],
    [1020, 1_000_000, 1_010_000, 10],
  ])("%d when it was asked at %d and had answered at %d", (now, asked, answered, ahead) => {
    expect(clockAhead(now, asked, answered)).toBe(ahead);
  });
});

it("what a move has left is found where it is, also when a power cut took its size", async () => {
  const state = temporaryFolder();
  mkdirSync(join(state, "old-data/docker"), { recursive: true });
  writeFileSync(join(state, "old-data/docker.size"), "4096\n");
  writeFileSync(join(state, "old-data/containerd.size"), "");
  const folder = onPath({ ...stubs, ssh: `sed "s#/var/lib/drydock#${state}#g" | sh -s` });
  writeFileSync(join(folder, "info"), JSON.stringify({ ...dockerInfo, Containers: 0 }));
  expect((await observe({ host: "192.0.2.10", port: 22 })).oldData).toEqual([{ name: "containerd", bytes: Number.NaN, where: "below" }, { name: "docker", bytes: 4096, where: "aside" }]);
});

it("what is no observation is an error", async () => {
  onPath({ ssh: "cat >/dev/null; echo 'Welcome!'" });
  await expect(observe({ host: "192.0.2.10", port: 22 })).rejects.toThrow(/^the observation /);
});

it.each([
  ["runs", { step: "changing\n" }, "drydock-apply.service", true],
  ["waits for its confirmation", { step: "changed\n" }, "drydock-guard.timer", true],
  ["was cut off before its first change", {}, "drydock-guard.timer", false],
  ["is left by everybody", { step: "broken\n" }, "nothing", false],
])("a transaction that %s: %j with %s active", async (_, files, active, isUnderWay) => {
  const state = temporaryFolder();
  mkdirSync(join(state, "transaction"));
  for (const [name, text] of Object.entries({ by: "stack drydock/test\nsince 2026-11-24\n", ...files })) writeFileSync(join(state, "transaction", name), text);
  const folder = onPath({ ...stubs, systemctl: `case "$*" in "-q is-active ${active}") exit ;; "-q is-active "*) exit 3 ;; esac\n${stubs.systemctl ?? ""}`, ssh: `sed "s#/var/lib/drydock#${state}#g" | sh -s` });
  for (const [name, text] of Object.entries({ ...unitFiles, info: JSON.stringify(dockerInfo), containers: `${JSON.stringify(container)}\n` })) writeFileSync(join(folder, name), text);
  expect((await observe({ host: "192.0.2.10", port: 22 })).underWay).toEqual(isUnderWay ? ["stack drydock/test", "since 2026-11-24"] : []);
});

const remapped = { DockerRootDir: "/var/lib/docker/100000.100000", SecurityOptions: ["name=userns"] };
const store = { dataRoot: "/var/lib/docker" };
it.each<[string, ObserveOptions, Partial<typeof dockerInfo> & Record<string, unknown>, boolean, string?]>([
  ["users are to be remapped, and are not", { store: { ...store, remap: "dockremap" } }, {}, true],
  ["users are remapped, and are not to be", {}, remapped, true],
  ["users are to be remapped to another one", { store: { ...store, remap: "other" } }, remapped, true, "dockremap:100000:65536\nother:200000:65536\n"],
  ["users are to be remapped to one whose name begins like the other's", { store: { ...store, remap: "dock" } }, remapped, true, "dockremap:100000:65536\n"],
  ["the user has other ids by now", { store: { ...store, remap: "dockremap" } }, remapped, true, "dockremap:10000:65536\n"],
  ["the user has no ids", { store: { ...store, remap: "dockremap" } }, remapped, true],
  ["the data are to be elsewhere", { store: { dataRoot: "/srv/docker" } }, {}, true],
  ["another storage driver", { store: { ...store, driver: "vfs" } }, { Driver: "overlay2" }, true],
  ["images are to be in containerd's store", { store: { ...store, containerd: true } }, {}, true],
  ["images are to leave containerd's store", { store: { ...store, containerd: false } }, { DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]] }, true],
  ["users are remapped as wished", { store: { ...store, remap: "dockremap:staff" } }, remapped, false, "ops:300000:65536\ndockremap:100000:65536\n"],
  ["users are remapped to Docker's default", { store: { ...store, remap: "default" } }, remapped, false, "dockremap:100000:65536\n"],
  ["the storage driver is the wished one", { store: { ...store, driver: "overlay2", containerd: false } }, { Driver: "overlay2" }, false],
  ["images are in containerd's store as wished", { store: { ...store, containerd: true } }, { DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]] }, false],
  ["all stays where it is", {}, {}, false],
])("images are asked for by name only where they would be hidden: %s", async (_, options, info, asked, subuid) => {
  stubs.docker = `case "$1" in image) printf 'web:1\\n<none>:<none>\\nweb:1\\napp:2\\n' ;; *) ${stubs.docker ?? ""} ;; esac`;
  const file = join(temporaryFolder(), "subuid");
  if (subuid !== undefined) writeFileSync(file, subuid);
  const { images } = await look(options, { info: JSON.stringify({ ...dockerInfo, ...info }) }, `sed 's#/etc/subuid#${file}#g' | sh -s`);
  expect(images).toEqual(asked ? { known: true, value: ["app:2", "web:1"] } : { known: false, reason: "not asked" });
});
