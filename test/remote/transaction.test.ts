import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, readlinkSync, symlinkSync } from "node:fs";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { restoreOriginal, type TransactionResult } from "../../src/remote/apply.ts";
import type { Observation } from "../../src/observed/observation.ts";
import type { FileWrite, Plan } from "../../src/plan/plan.ts";
import { applyAndConfirm } from "../support/confirmed.ts";
import { FakeRoot, mine, stubs } from "../support/fake-root.ts";
import { container, file } from "../support/observation.ts";
import { known } from "../../src/observed/records.ts";
import { emptyPlan, noDocker } from "../support/plan.ts";

const connection = { host: "192.0.2.10", port: 22 };
const owner = { stack: "drydock/test", host: "web1" };
const daemonJson = "/etc/docker/daemon.json";

let host: FakeRoot;
beforeEach(() => void (host = new FakeRoot()));
afterEach(() => void vi.unstubAllEnvs());

const apply = (change: Partial<Plan>, observation: Observation = host.observation()): ReturnType<typeof applyAndConfirm> => applyAndConfirm(connection, emptyPlan(change), observation, owner);
const restore = (change: Partial<Plan> = {}, observation: Observation = host.observation()): Promise<TransactionResult> => restoreOriginal(connection, emptyPlan(change), observation, owner);
const write = (path: string, text: string, mode = "0644"): FileWrite => ({ path, text, mode, ...mine });
/** Rule by rule, whether they came as words or as a file. */
const auditCalls = (): string[] => host.calls().filter((call) => /^au(ditctl (?!-R |-c$)|genrules)/.test(call));
const restart = { ...noDocker, how: "restart" as const };
const newRule = { enable: false, add: ["-w /new -p wa -k docker"], remove: [], compile: false };

/** Has its rules and whether they hold in files. */
const audited = (): void => host.on("auditctl", `case $1 in -l) [ ! -e "$ROOT/silent" ] || exit 1; cat "$ROOT/rules" 2>/dev/null || echo "No rules" ;; -s) echo "enabled $(cat "$ROOT/enabled" 2>/dev/null || echo 0)" ;; esac\n${stubs.auditctl ?? ""}`);

/** Once the files of before are back, and dockerd starts with them. */
const onWayBack = (script: string): void => host.on("systemctl", `case "$*" in "start docker.service") grep -qs BAD "$ROOT/etc/docker/daemon.json" || { ${script}; } ;; esac\n${stubs.systemctl ?? ""}`);

describe("files that are put beside their places first", () => {
  it("leave nothing when one of them can't be", async () => {
    host.write("/etc/a", "old");
    host.write("/etc/file", "no folder");
    const before = host.list("/etc");
    const { outcome, log } = await apply({ writes: [write("/etc/a", "a"), write("/etc/new/b", "b"), write("/etc/file/c", "c")] });
    expect(outcome, log.join("\n")).toBe("went back");
    expect(host.list("/etc")).toEqual(before);
  });

  it("are on the disk with all their texts before the first one gets its name, and their names before the next step", async () => {
    host.on("mv", 'exec /bin/mv "$@"');
    await apply({ writes: [write("/etc/a", "a"), write("/etc/sub/b", "b")] });
    const calls = host.calls().map((call) => call.replaceAll(host.folder, "")).filter((call) => /^(sync|mv) .*\/etc/.test(call) && !call.includes("systemd"));
    expect(calls).toEqual([
      "sync /etc/a.drydock-new /etc/sub/b.drydock-new",
      "mv -T -- /etc/a.drydock-new /etc/a",
      "mv -T -- /etc/sub/b.drydock-new /etc/sub/b",
      "sync /etc /etc/sub",
    ]);
  });

  it("leave nothing when a power cut came in between, and the host is left", async () => {
    host.write("/etc/a", "old");
    await apply({ writes: [write("/etc/a", "a"), write("/etc/b", "b")] });
    for (const path of ["/etc/a", "/etc/b"]) host.write(`${path}.drydock-new`, "half");
    expect((await restore()).outcome).toBe("done");
    expect(host.list("/etc").filter((line) => line.includes("/etc/a") || line.includes("/etc/b"))).toEqual(["644 /etc/a: old"]);
  });
});

describe("the first generation", () => {
  it("has the originals", async () => {
    host.write("/etc/a", "old");
    await apply({ writes: [write("/etc/a", "a"), write("/etc/b", "b")] });
    expect(host.read(`/var/lib/drydock/generations/0001/before/tree${host.at("/etc/a")}`)).toBe("old");
  });
});

describe("a generation", () => {
  it("tells who made it, and has what it wrote, with sums", async () => {
    const signature = ["by ops@desk", "update 7", "commit 1a2b3c4d5e"];
    await applyAndConfirm(connection, emptyPlan({ writes: [write("/etc/a", "new\n")] }), host.observation(), owner, { signature, digestOfConfiguration: "feed" });
    const generation = "/var/lib/drydock/generations/0001";
    expect(host.read(`${generation}/by`).split("\n")).toEqual(expect.arrayContaining(["stack drydock/test", "host web1", "configuration feed", ...signature, expect.stringMatching(/^since 20/)]));
    expect(host.read(`${generation}/after/files/1`)).toBe("new\n");
    const sum = createHash("sha256").update("new\n").digest("hex");
    expect(host.read(`${generation}/manifest`)).toBe(`${sum}  after/files/1\n`);
  });
});

describe("a transaction that succeeds", () => {
  it("puts files in place with their mode, whatever stood there, and leaves no trace of the way", async () => {
    host.write(daemonJson, "{}\n", 0o600);
    const result = await apply({ writes: [write(daemonJson, '{"icc":false}\n'), write("/etc/new/deep/a.conf", "a'b\n$(c)\n", "0640")], removes: [] });
    expect(result).toEqual({ outcome: "done", log: [`installing ${host.at(daemonJson)}`, `installing ${host.at("/etc/new/deep/a.conf")}`] });
    expect(host.list("/etc")).toEqual([
      expect.stringMatching(/^\d+ \/etc\/docker\/$/),
      '644 /etc/docker/daemon.json: {"icc":false}\n',
      // Others have to get to what is in there.
      "755 /etc/new/",
      "755 /etc/new/deep/",
      "640 /etc/new/deep/a.conf: a'b\n$(c)\n",
    ]);
    expect(host.exists("/var/lib/drydock/transaction")).toBe(false);
  });

  it("removes files and sets modes of what stays", async () => {
    host.write("/etc/old.conf", "old");
    host.write("/etc/docker/daemon.json", "{}", 0o666);
    await apply({ removes: ["/etc/old.conf"], modes: [{ path: daemonJson, mode: "0644", ...mine }, { path: "/etc/docker", mode: "0750", ...mine }] });
    expect(host.list("/etc")).toEqual(["750 /etc/docker/", "644 /etc/docker/daemon.json: {}"]);
  });

  it("touches no service unless the plan says so", async () => {
    await apply({ writes: [write("/etc/a", "a")] });
    expect(host.calls().filter((call) => /^systemctl (?!-q is-active|show)|^docker (?!info)|^auditctl|^iptables/.test(call))).toEqual([]);
  });

  it("keeps what an observer needs to know later: owner, daemon, configuration", async () => {
    await apply({ writes: [write(daemonJson, "{}\n")], daemonKeys: ["icc", "live-restore"] });
    const ticks = readFileSync("/proc/self/stat", "utf8").split(" ")[21] ?? "";
    expect(host.read("/var/lib/drydock/owner")).toBe("stack drydock/test\nhost web1\n");
    expect(host.read("/var/lib/drydock/applied").split("\n")).toEqual(
      expect.arrayContaining([`daemon ${process.pid}:${ticks}`, `configuration ${createHash("sha256").update("{}\n").digest("hex")}`]),
    );
  });

  it("is numbered, after 8 and 9 too, and the ten last ones stay", async () => {
    for (let number = 1; number <= 9; number++) mkdirSync(host.at(`/var/lib/drydock/generations/000${number}`), { recursive: true });
    await apply({ writes: [write("/etc/a", "1")] });
    expect(readlinkSync(host.at("/var/lib/drydock/current"))).toBe(host.at("/var/lib/drydock/generations/0010"));
    expect(host.read("/var/lib/drydock/applied")).toContain("\ngeneration 0010\n");
    await apply({ writes: [write("/etc/a", "2")] });
    expect(readlinkSync(host.at("/var/lib/drydock/current"))).toBe(host.at("/var/lib/drydock/generations/0011"));
    const names = host.list("/var/lib/drydock/generations").flatMap((line) => /generations\/(\d+)\/$/.exec(line)?.[1] ?? []);
    expect(names).toEqual(["0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011"]);
  });

  it("is pruned by number: as text 10000 comes before 9999", async () => {
    for (let number = 9990; number <= 10_000; number++) mkdirSync(host.at(`/var/lib/drydock/generations/${number}`), { recursive: true });
    await apply({ writes: [write("/etc/a", "1")] });
    const names = host.list("/var/lib/drydock/generations").flatMap((line) => /generations\/(\d+)\/$/.exec(line)?.[1] ?? []);
    expect(names.map(Number).sort((a, b) => a - b)).toEqual([9992, 9993, 9994, 9995, 9996, 9997, 9998, 9999, 10_000, 10_001]);
  });

  it("leaves what it has said, step by step", async () => {
    const { log } = await apply({ writes: [write("/etc/a", "1")] });
    expect(log).not.toEqual([]);
    expect(host.read("/var/lib/drydock/log").trimEnd().split("\n")).toEqual(log);
  });

  it("stops containers, then the socket before the daemon, and starts all of them again, the containers in the order in which they were started once", async () => {
    const [first, second] = ["1".repeat(64), "2".repeat(64)] as const;
    const { outcome } = await apply({ docker: { ...restart, stop: [first, second] } });
    expect(outcome).toBe("done");
    expect(host.calls().filter((call) => /^systemctl (start|stop|reload|daemon)|^docker (stop|start)/.test(call))).toEqual([
      `docker stop ${first}`,
      `docker stop ${second}`,
      "systemctl stop docker.socket",
      "systemctl stop docker.service",
      "systemctl start docker.socket",
      "systemctl start docker.service",
      `docker start ${second}`,
      `docker start ${first}`,
    ]);
  });

  it("forgets failed starts of service and socket before each start, on the way back too: after three systemd tries no more", async () => {
    host.write(daemonJson, "{}");
    expect((await apply({ writes: [write(daemonJson, "BAD")], docker: restart })).outcome).toBe("went back");
    const calls = host.calls().filter((call) => /^systemctl (reset-failed|start) docker\./.test(call));
    const forgotten = ["systemctl reset-failed docker.service docker.socket", "systemctl start docker.socket", "systemctl start docker.service"];
    expect(calls).toEqual([...forgotten, ...forgotten]);
  });

  it("kills a dockerd that hangs, without its containers, and goes on", async () => {
    host.on("systemctl", `case "$*" in "stop docker.service") exit 1 ;; "kill "*) rm -f "$ROOT/running" ;; esac\n${stubs.systemctl ?? ""}`);
    host.touch("/running");
    expect((await apply({ writes: [write(daemonJson, "{}")], docker: restart })).outcome).toBe("done");
    expect(host.calls()).toContain("systemctl kill --kill-who=main -s KILL docker.service");
  });

  it("does not take a dockerd for restarted that could not be stopped", async () => {
    host.write(daemonJson, "{}");
    host.touch("/running");
    host.on("systemctl", `case "$*" in "stop docker.service" | "kill "*) exit 1 ;; esac\n${stubs.systemctl ?? ""}`);
    const { outcome, log } = await apply({ writes: [write(daemonJson, '{"icc":false}')], docker: restart });
    expect(log).toContain("dockerd could not be stopped");
    expect(outcome).toBe("went back");
    expect(host.read(daemonJson)).toBe("{}");
  });

  it("leaves containers of another store stopped, and expects none of them to run", async () => {
    const { outcome } = await apply({ docker: { ...restart, stop: ["1".repeat(64)], switchesStore: true } });
    expect(outcome).toBe("done");
    expect(host.calls().filter((call) => call.startsWith("docker start"))).toEqual([]);
  });

  it("does not start on another store while a container runs on that no daemon lists", async () => {
    host.process(4711, "/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-id", "1".repeat(64));
    const { outcome, log } = await apply({ writes: [write(daemonJson, "{}")], docker: { ...restart, switchesStore: true } });
    expect(outcome).toBe("went back");
    expect(log).toContain("container shim 4711 is left over");
  });

  it("switches live-restore on before it restarts", async () => {
    await apply({ docker: { ...restart, liveRestoreFirst: true } });
    const calls = host.calls();
    expect(calls.indexOf("systemctl reload docker.service")).toBeGreaterThan(-1);
    expect(calls.indexOf("systemctl reload docker.service")).toBeLessThan(calls.indexOf("systemctl stop docker.service"));
  });

  it("takes audit rules out in their own words and puts the others in", async () => {
    await apply({ audit: { enable: true, remove: ["-a always,exit -F path=/etc/old -F perm=wa -F key=docker", "-w /etc/docker -p wa -k docker"], add: ["-a always,exit -F dir=/etc/docker -F perm=wa -F key=docker"], compile: true } });
    expect(auditCalls()).toEqual([
      "auditctl -s",
      "auditctl -e 1",
      "auditctl -d always,exit -F path=/etc/old -F perm=wa -F key=docker",
      "auditctl -W /etc/docker -p wa -k docker",
      "auditctl -a always,exit -F dir=/etc/docker -F perm=wa -F key=docker",
      "augenrules",
    ]);
  });

  it("loads audit rules also where auditd, when it is started, has loaded them from their file", async () => {
    const [added, both, old] = ["/added", "/both", "/old"].map((path) => `-a always,exit -F path=${path} -F perm=wa -F key=docker`) as [string, string, string];
    // auditctl(8): a rule that is there can't be added, one that is not there not be taken out.
    host.on("auditctl", `
      rules="$ROOT/rules"
      case $1 in
        -R) failed=0; while read -r rule; do [ "$rule" = -c ] || "$0" $rule || failed=1; done <"$2"; exit $failed ;;
        -a) grep -qxF -e "$*" "$rules" && exit 255; printf '%s\\n' "$*" >>"$rules" ;;
        -d) shift; grep -qxF -e "-a $*" "$rules" || exit 255; grep -vxF -e "-a $*" "$rules" >"$rules.new" || :; mv "$rules.new" "$rules" ;;
        -l) cat "$rules" ;;
      esac`);
    // auditd.service: ExecStartPost=-/sbin/augenrules --load
    host.on("systemctl", `[ "$*" != "start auditd.service" ] || { echo "${both}" >"$ROOT/rules"; exit; }\n${stubs.systemctl ?? ""}`);
    host.write("/rules", `${old}\n`);
    const { outcome, log } = await apply({ start: ["auditd.service"], audit: { enable: false, remove: [old], add: [both, added], compile: true } });
    expect(outcome, log.join("\n")).toBe("done");
    expect(host.read("/rules").trimEnd().split("\n").sort()).toEqual([added, both]);
  });

  it.each<[string, Partial<Plan["docker"]>, string[]]>([
    ["puts the rule between containers on top, even where it was further down", { dropBetweenContainers: true }, ["-D", "-I"]],
    ["takes the rule between containers out", { liftDrop: true }, ["-D"]],
  ])("%s", async (_, docker, options) => {
    await apply({ docker: { ...noDocker, ...docker } });
    expect(host.calls().filter((line) => / -[ID] /.test(line))).toEqual(options.map((option) => `iptables -w 10 ${option} FORWARD -i docker0 -o docker0 -m comment --comment drydock -j DROP`));
  });

  it.each<[string, Partial<Plan>]>([
    ["the rule between containers", { docker: { ...noDocker, dropBetweenContainers: true } }],
    ["br_netfilter", { modules: ["br_netfilter"] }],
  ])("has the bridge's frames pass the firewall with %s", async (_, change) => {
    await apply(change);
    expect(host.read("/proc/sys/net/bridge/bridge-nf-call-iptables")).toBe("1\n");
  });

  it.each([
    ["1048576", "1048576:1048576"],
    ["1024:1048576", "1024:1048576"],
    // The kernel gives no process more than fs.nr_open.
    ["infinity", "1048576:1048576"],
    ["1024:infinity", "1024:1048576"],
  ])("sets LimitNOFILE=%s on the running process", async (value, nofile) => {
    await apply({ processLimits: [{ unit: "docker.service", property: "LimitNOFILE", value }] });
    expect(host.calls()).toContain(`prlimit --pid ${process.pid} --nofile=${nofile}`);
  });

  it("writes the limits of containers to the kernel, and minds no container that has ended", async () => {
    const scope = `docker-${"1".repeat(64)}.scope`;
    host.write(`/sys/fs/cgroup/${scope}/pids.max`, "max");
    const { outcome } = await apply({ scopeLimits: [{ scope, file: "pids.max", value: "512" }, { scope: `docker-${"2".repeat(64)}.scope`, file: "pids.max", value: "512" }] });
    expect(outcome).toBe("done");
    expect(host.read(`/sys/fs/cgroup/${scope}/pids.max`)).toBe("512\n");
    expect(host.exists(`/sys/fs/cgroup/docker-${"2".repeat(64)}.scope`)).toBe(false);
  });

  it("writes the limits of a slice to the kernel after what set-property left is gone", async () => {
    host.write("/sys/fs/cgroup/drydock-containers.slice/pids.max", "100");
    host.write("/etc/systemd/system.control/drydock-containers.slice.d/50-TasksMax.conf", "[Slice]\nTasksMax=100\n");
    await apply({ sliceLimits: [{ unit: "drydock-containers.slice", property: "TasksMax", value: "infinity" }] });
    expect(host.read("/sys/fs/cgroup/drydock-containers.slice/pids.max")).toBe("max\n");
    expect(host.exists("/etc/systemd/system.control/drydock-containers.slice.d")).toBe(false);
  });
});

describe("subordinate ids", () => {
  const subordinateIds = { user: "dockremap", createUser: true, uids: ["dockremap:165536:65536"], gids: ["dockremap:165536:65536"] };

  it("are appended, also to a file without a last newline or to none", async () => {
    host.write("/etc/subuid", "ops:100000:65536");
    await apply({ subordinateIds });
    expect(host.list("/etc")).toEqual(["644 /etc/subgid: dockremap:165536:65536\n", "644 /etc/subuid: ops:100000:65536\ndockremap:165536:65536\n"]);
    expect(host.exists("/user")).toBe(true);
  });

  it("go again when the change fails, and lines that came since stay", async () => {
    host.write("/etc/subuid", "ops:100000:65536\n");
    host.write("/etc/subgid", "ops:100000:65536\n", 0o600);
    // Another program adds its own range while dockerd is being restarted.
    host.on("journalctl", 'grep -q late "$ROOT/etc/subuid" || echo late:300000:65536 >>"$ROOT/etc/subuid"');
    const { outcome } = await apply({ subordinateIds, writes: [write(daemonJson, "BAD")], docker: restart });
    expect(outcome).toBe("went back");
    expect(host.list("/etc")).toEqual(["600 /etc/subgid: ops:100000:65536\n", "644 /etc/subuid: ops:100000:65536\nlate:300000:65536\n"]);
    expect(host.exists("/user")).toBe(false);
  });

  it("are noted before they are added: a run that is cut off there leaves none behind for ever", async () => {
    host.on("useradd", 'cp "$ROOT/var/lib/drydock/pristine/ids" "$ROOT/ids-then"; cp "$ROOT/var/lib/drydock/pristine/user" "$ROOT/user-then"; : >"$ROOT/user"');
    await apply({ subordinateIds });
    expect(host.read("/ids-then").replaceAll(host.folder, "")).toBe("/etc/subuid dockremap:165536:65536\n/etc/subgid dockremap:165536:65536\n");
    expect(host.read("/user-then")).toBe("dockremap\n");
  });

  it("that could not even be added are no reason to fail on the way back", async () => {
    host.touch("/no-useradd");
    const { outcome } = await apply({ subordinateIds });
    expect(outcome).toBe("went back");
    expect(host.list("/etc")).toEqual([]);
  });

  it("go with the original, of every update since", async () => {
    await apply({ subordinateIds: { ...subordinateIds, gids: [] } });
    await apply({ subordinateIds: { ...subordinateIds, createUser: false, uids: [] } });
    await restore();
    expect(host.read("/etc/subuid") + host.read("/etc/subgid")).toBe("");
    expect(host.exists("/user")).toBe(false);
  });
});

describe("a transaction that is refused touches nothing", () => {
  const expectUntouched = async (change: Partial<Plan>, reason: string, observation = host.observation(), between: () => void = () => undefined): Promise<void> => {
    between();
    const before = host.list("/etc");
    expect(await apply(change, observation)).toEqual({ outcome: "refused", log: [reason] });
    expect(host.list("/etc")).toEqual(before);
    // The machine must not be taken by an update that never was: nobody could give it up.
    expect(host.list("/var/lib")).toEqual([]);
    expect(host.calls().filter((call) => /^systemctl (?!-q is-active)|^docker |^auditctl/.test(call))).toEqual([]);
  };

  it("when a file was changed since it was read", async () => {
    host.write(daemonJson, "{}");
    await expectUntouched({ writes: [write(daemonJson, '{"icc":false}')] }, `refused: changed by somebody else since it was read: ${host.at(daemonJson)}`, host.observation(), () => host.write(daemonJson, '{"debug":true}'));
  });

  it("when a file was changed while the state of before was saved", async () => {
    host.write(daemonJson, "{}");
    host.on("head", `echo '{"debug":true}' >"$ROOT/etc/docker/daemon.json"; exec /usr/bin/head "$@"`);
    expect(await apply({ writes: [write(daemonJson, '{"icc":false}')] })).toEqual({ outcome: "refused", log: [`refused: changed by somebody else since it was read: ${host.at(daemonJson)}`] });
    expect(host.read(daemonJson)).toBe('{"debug":true}\n');
    expect(host.list("/var/lib")).toEqual([]);
  });

  it("when a file was made since", async () => {
    await expectUntouched({ writes: [write(daemonJson, "{}")] }, `refused: made by somebody else since it was read: ${host.at(daemonJson)}`, host.observation(), () => host.write(daemonJson, "{}"));
  });

  it("when the engine does not take the new daemon.json", async () => {
    host.on("dockerd", 'echo "unable to configure: $4" >&2; exit 1');
    await expectUntouched({ writes: [write("/etc/a", "a"), write(daemonJson, "{}")], validateWith: ["dockerd", "-H", "fd://"] }, "refused: dockerd does not take this daemon.json: unable to configure: -H");
  });

  it("when the state of before can't be saved, and the next time it is saved as it is then", async () => {
    host.write(daemonJson, "{}");
    host.on("cp", 'case "$*" in *--parents*z.conf*) echo "cp: No space left on device" >&2; exit 1 ;; esac; exec /bin/cp "$@"');
    host.write("/etc/z.conf", "z");
    const writes = [write(daemonJson, '{"icc":false}'), write("/etc/z.conf", "ours")];
    expect(await apply({ writes })).toEqual({ outcome: "refused", log: ["cp: No space left on device", "refused: the state of before could not be saved"] });
    expect(host.read(daemonJson)).toBe("{}");
    expect(host.exists("/var/lib/drydock/owner")).toBe(false);
    host.remove("/bin/cp");
    host.write(daemonJson, '{"debug":true}');
    await apply({ writes, docker: restart });
    await restore({ docker: restart });
    expect(host.read(daemonJson)).toBe('{"debug":true}');
  });

  it("but not for bytes that are no text", async () => {
    host.write(daemonJson, Buffer.from([0x7b, 0xff, 0x7d]));
    expect((await apply({ writes: [write(daemonJson, "{}")] })).outcome).toBe("done");
  });
});

it("a second transaction at the same time is turned away and told whose the first is", async () => {
  host.touch("/applying");
  host.write("/var/lib/drydock/transaction/by", "stack drydock/other\n");
  expect(await apply({ writes: [write("/etc/a", "a")] })).toEqual({ outcome: "busy", log: ["stack drydock/other"] });
  expect(host.exists("/etc/a")).toBe(false);
});

describe("a host that another stack took since it was read", () => {
  it.each([["updated", apply], ["restored", restore]] as const)("is not %s: the owner is checked under the lock", async (_, run) => {
    const observation = host.observation();
    host.write("/var/lib/drydock/owner", "stack drydock/other\nhost web9\n");
    expect(await run({ writes: [write("/etc/a", "a")] }, observation)).toEqual({ outcome: "refused", log: ["kept by somebody else meanwhile: stack drydock/other, host web9"] });
    expect(host.list("/etc")).toEqual([]);
    expect(host.read("/var/lib/drydock/owner")).toBe("stack drydock/other\nhost web9\n");
    expect(host.exists("/var/lib/drydock/transaction")).toBe(false);
  });
});

describe("containers after the change", () => {
  const web = container("web");
  const busy = (): Observation => host.observation({ containers: known([web]) });

  it.each([
    ["runs on", "true 0", "done"],
    ["ended well by itself", "false 0", "done"],
    ["was removed meanwhile", "gone", "done"],
    ["was killed", "false 137", "went back"],
  ])("one that %s (%s): %s", async (_, state, outcome) => {
    host.container(web.id, state);
    expect((await apply({ writes: [write("/etc/a", "a")], docker: restart }, busy())).outcome).toBe(outcome);
  });

  describe("one that was started since the host was looked at", () => {
    const late = container("late", { id: "2".repeat(64) });
    beforeEach(() => host.on("docker", `case "$*" in "ps -aq"*) exit ;; "ps "*) echo "${web.id} web"; echo "${late.id} late"; exit ;; esac\n${stubs.docker ?? ""}`));

    it("has to run on as well", async () => {
      host.container(late.id, "false 137");
      const { outcome, log } = await apply({ writes: [write("/etc/a", "a")], docker: restart }, busy());
      expect(outcome).toBe("went back");
      expect(log).toContain("container late ran before and does not run now");
    });

    it("is stopped with the others, before them, and started again", async () => {
      await apply({ writes: [write("/etc/a", "a")], docker: { ...restart, stop: [web.id] } }, busy());
      expect(host.calls().filter((call) => /^docker (stop|start)/.test(call)).map((call) => call.replace(web.id, "web").replace(late.id, "late"))).toEqual(["docker stop late", "docker stop web", "docker start web", "docker start late"]);
    });

    it("is nobody's business where dockerd is left alone", async () => {
      host.container(late.id, "false 137");
      expect((await apply({ writes: [write("/etc/a", "a")] }, busy())).outcome).toBe("done");
    });
  });

  it("one that was stopped for the restart and does not start again takes the change back", async () => {
    host.touch("/stuck");
    const { outcome, log } = await apply({ writes: [write("/etc/a", "a")], docker: { ...restart, stop: [web.id] } }, busy());
    // It could not be started on the way back either.
    expect(outcome).toBe("broken");
    expect(log).toEqual(expect.arrayContaining(["container web does not start again", "failed; going back to the state of before"]));
    expect(host.exists("/etc/a")).toBe(false);
  });

  it("one that ended well when it was stopped is no one that ended by itself", async () => {
    host.on("docker", `case "$*" in "stop "*) mkdir -p "$ROOT/containers"; echo false 0 >"$ROOT/containers/$2"; exit ;; "start "*) [ ! -e "$ROOT/etc/a" ] || exit 1 ;; esac\n${stubs.docker ?? ""}`);
    const { outcome, log } = await apply({ writes: [write("/etc/a", "a")], docker: { ...restart, stop: [web.id] } }, busy());
    expect(log).toContain("container web does not start again");
    expect(outcome).toBe("went back");
    expect(host.read(`/containers/${web.id}`)).toBe("true 0\n");
  });

  it("a job that has ended well meanwhile is not run a second time on the way back", async () => {
    const job = container("job");
    const killed = container("killed");
    host.container(job.id, "false 0");
    host.container(killed.id, "false 137");
    host.on("docker", `case "$*" in "ps -aq"*exited=0*) echo "${job.id}"; exit ;; esac\n${stubs.docker ?? ""}`);
    expect((await apply({ writes: [write("/etc/a", "a")], docker: restart }, host.observation({ containers: known([web, job, killed]) }))).outcome).toBe("went back");
    expect(host.calls().filter((call) => call.startsWith("docker start"))).toEqual([`docker start ${web.id}`, `docker start ${killed.id}`]);
  });
});

describe("a transaction that fails goes back", () => {
  it("with files, modes, folders and the daemon", async () => {
    host.write(daemonJson, "{}", 0o600);
    host.write("/etc/gone.conf", "was here", 0o640);
    const before = host.list("/etc");
    const result = await apply({
      writes: [write(daemonJson, "BAD"), write("/etc/new/deep/a.conf", "a")],
      removes: ["/etc/gone.conf"],
      modes: [{ path: "/etc/docker", mode: "0700", ...mine }],
      docker: restart,
    });
    expect(result.outcome).toBe("went back");
    expect(result.log).toEqual(expect.arrayContaining(["dockerd does not start: unable to configure the Docker daemon", "failed; going back to the state of before", "the state of before is back"]));
    expect(host.list("/etc")).toEqual(before);
    expect(host.exists("/running")).toBe(true);
  });

  it("with the containers that it had stopped, the first one first, and those that should have survived", async () => {
    const [db, web, survivor] = [container("db"), container("web"), container("job")] as const;
    const result = await apply({ writes: [write(daemonJson, "BAD")], docker: { ...restart, stop: [web.id, db.id] } }, host.observation({ containers: known([db, web, survivor]) }));
    expect(result.outcome, result.log.join("\n")).toBe("went back");
    expect(host.calls().filter((call) => call.startsWith("docker start"))).toEqual([`docker start ${db.id}`, `docker start ${web.id}`, `docker start ${survivor.id}`]);
  });

  it("without touching dockerd when it failed before it came to that: dockerd might end containers that ran on", async () => {
    host.touch("/no-useradd");
    const subordinateIds = { user: "dockremap", createUser: true, uids: [], gids: [] };
    const { outcome } = await apply({ subordinateIds, docker: { ...restart, stop: ["1".repeat(64)] } });
    expect(outcome).toBe("went back");
    expect(host.calls().filter((call) => /^systemctl (start|stop|restart|reload)|^docker (start|stop)/.test(call))).toEqual([]);
  });

  it("and dockerd runs again even if one path resists", async () => {
    host.write(daemonJson, "{}");
    host.on("mv", 'case "$*" in *daemon.json) [ ! -e "$ROOT/resist" ] || exit 1 ;; esac; exec /bin/mv "$@"');
    host.on("journalctl", ': >"$ROOT/resist"');
    host.on("systemctl", readFileSync(host.at("/bin/systemctl"), "utf8").split("\n").slice(2).join("\n").replace("! grep -qs BAD", "[ -e \"$ROOT/resist\" ] || ! grep -qs BAD"));
    const { outcome, log } = await apply({ writes: [write(daemonJson, "BAD")], docker: restart });
    expect(outcome).toBe("broken");
    expect(log).toEqual(expect.arrayContaining([`${host.at(daemonJson)} can't be brought back`, `${host.at(daemonJson)} has another content, owner or mode`]));
    expect(host.exists("/running")).toBe(true);
  });

  it.each([
    ["with other keys", '{"debug":true}'],
    ["empty", "{}"],
    ["missing", undefined],
  ])("without ending the containers that ran on before live-restore was switched on; a daemon.json that was %s", async (_, text) => {
    if (text !== undefined) host.write(daemonJson, text, 0o600);
    const before = host.list("/etc");
    // The new one is read by its reload, and then refused.
    host.on("systemctl", `case "$*" in "reload docker.service") grep -q icc "$ROOT/etc/docker/daemon.json" && echo BAD >>"$ROOT/etc/docker/daemon.json" ;; esac\n${stubs.systemctl ?? ""}`);
    const { outcome, log } = await apply({ writes: [write(daemonJson, '{"icc":false,"live-restore":true}')], docker: { ...restart, liveRestoreFirst: true } });
    expect(outcome, log.join("\n")).toBe("went back");
    const [key] = text === undefined || text === "{}" ? [""] : ['"debug":true,'];
    expect(host.read("/configurations").trimEnd().split("\n").slice(-2)).toEqual([`start with {${key}"live-restore":true}`, `reload with {${key}"live-restore":false}`]);
    expect(host.list("/etc")).toEqual(before);
  });

  describe("where the old configuration has no live-restore", () => {
    const change = (): ReturnType<typeof apply> => apply({ writes: [write(daemonJson, '{"icc":false,"live-restore":true}')], docker: { ...restart, liveRestoreFirst: true } });
    const refusedAfterItsReload = `case "$*" in "reload docker.service") grep -q icc "$ROOT/etc/docker/daemon.json" && echo BAD >>"$ROOT/etc/docker/daemon.json" ;; esac\n${stubs.systemctl ?? ""}`;

    it("dockerd starts also when nothing can be written beside it", async () => {
      host.on("systemctl", refusedAfterItsReload);
      host.on("install", 'case "$*" in *live-restore-*) exit 1 ;; esac; exec /usr/bin/install "$@"');
      const { outcome, log } = await change();
      expect(outcome, log.join("\n")).toBe("went back");
      expect(host.exists("/running")).toBe(true);
    });

    it("dockerd starts with that alone when it does not take live-restore beside it, and that is told", async () => {
      host.write(daemonJson, "{}");
      host.on("systemctl", `case "$*" in "start docker.service") ! grep -q 'live-restore":true' "$ROOT/etc/docker/daemon.json" || exit 1 ;; esac\n${refusedAfterItsReload}`);
      const { outcome } = await change();
      expect(outcome).toBe("went back");
      expect(host.exists("/running")).toBe(true);
      expect(host.read(daemonJson)).toBe("{}");
    });

    it("and live-restore that stays on is told, with dockerd up and the files as they were", async () => {
      host.write(daemonJson, "{}");
      host.on("systemctl", `case "$*" in "reload docker.service") ! grep -q 'live-restore":false' "$ROOT/etc/docker/daemon.json" || exit 1 ;; esac\n${refusedAfterItsReload}`);
      const { outcome, log } = await change();
      expect(outcome).toBe("broken");
      expect(log.join("\n")).toContain("live-restore is on still");
      expect(host.exists("/running")).toBe(true);
      expect(host.read(daemonJson)).toBe("{}");
    });

    it("is switched on by a reload before dockerd stops, where that had not come so far", async () => {
      host.write(daemonJson, "{}");
      // The change fails in its own reload: dockerd still runs without live-restore.
      host.write("/configuration", '{"live-restore":false}');
      host.on("systemctl", `case "$*" in "reload docker.service") ! grep -q icc "$ROOT/etc/docker/daemon.json" || exit 1 ;; esac\n${stubs.systemctl ?? ""}`);
      const { outcome, log } = await change();
      expect(outcome, log.join("\n")).toBe("went back");
      expect(host.read("/configurations").trimEnd().split("\n")).toEqual(['reload with {"live-restore":true}', 'start with {"live-restore":true}', 'reload with {"live-restore":false}']);
    });
  });

  it("not by taking out audit rules, where the kernel could not be asked for them before", async () => {
    host.on("auditctl", `[ "$1" != -l ] || exit 1\n${stubs.auditctl ?? ""}`);
    const { outcome, log } = await apply({ audit: { enable: false, add: ["-w /new -p wa -k docker"], remove: [], compile: false } });
    expect(outcome).toBe("refused");
    expect(log).toContain("refused: the state of before could not be saved");
  });

  it("with the audit rules", async () => {
    await apply({ audit: { enable: false, add: ["-w /new -p wa -k docker"], remove: ["-w /old -p wa -k docker"], compile: false }, writes: [write(daemonJson, "BAD")], docker: restart });
    expect(auditCalls()).toEqual(["auditctl -W /old -p wa -k docker", "auditctl -w /new -p wa -k docker", "auditctl -W /new -p wa -k docker", "auditctl -w /old -p wa -k docker"]);
  });

  it("with all audit rules that can go back, where one can't", async () => {
    host.on("auditctl", `case "$*" in "-W /new"*) exit 1 ;; esac\n${stubs.auditctl ?? ""}`);
    await apply({ audit: { enable: false, add: ["-w /new -p wa -k docker", "-w /newer -p wa -k docker"], remove: ["-w /old -p wa -k docker"], compile: false }, writes: [write(daemonJson, "BAD")], docker: restart });
    expect(auditCalls().slice(-3)).toEqual(["auditctl -W /new -p wa -k docker", "auditctl -W /newer -p wa -k docker", "auditctl -w /old -p wa -k docker"]);
  });

  it("without the services and modules that did not run before, and with the audit rules that were there then", async () => {
    const [theirs, loaded, ours] = ["/theirs", "/loaded", "/ours"].map((path) => `-w ${path} -p wa -k docker`) as [string, string, string];
    host.on("auditctl", `
      rules="$ROOT/rules"
      case $1 in
        -s) echo "enabled $(cat "$ROOT/enabled")" ;;
        -e) echo "$2" >"$ROOT/enabled" ;;
        -R) while read -r rule; do [ "$rule" = -c ] || "$0" $rule; done <"$2" ;;
        -w) echo "$*" >>"$rules" ;;
        -W) shift; grep -vxF -e "-w $*" "$rules" >"$rules.new" || :; mv "$rules.new" "$rules" ;;
        -l) if [ -s "$rules" ]; then cat "$rules"; else echo "No rules"; fi ;;
      esac`);
    // auditd refuses to be stopped by a job, loads rules.d at its start, and takes all rules with it at its end.
    host.on("systemctl", `case "$*" in
      "-q is-active auditd.service") [ -e "$ROOT/auditd" ]; exit ;;
      "start auditd.service") : >"$ROOT/auditd"; echo "${loaded}" >>"$ROOT/rules"; echo 1 >"$ROOT/enabled"; exit ;;
      "stop auditd.service") exit 4 ;;
      "kill -s TERM auditd.service") rm "$ROOT/auditd"; : >"$ROOT/rules"; exit ;;
    esac\n${stubs.systemctl ?? ""}`);
    host.on("modprobe", 'mkdir -p "$ROOT/sys/module/$1"');
    host.on("rmmod", 'rmdir "$ROOT/sys/module/$1"');
    host.write("/rules", `${theirs}\n`);
    host.write("/enabled", "0\n");
    const { outcome, log } = await apply({ start: ["auditd.service"], modules: ["br_netfilter"], audit: { enable: false, add: [ours], remove: [], compile: false }, writes: [write(daemonJson, "BAD")], docker: restart });
    expect(outcome, log.join("\n")).toBe("went back");
    expect(log).toEqual(expect.arrayContaining(["stopping auditd.service, which did not run before", "unloading br_netfilter"]));
    expect(host.exists("/auditd")).toBe(false);
    expect(host.exists("/sys/module/br_netfilter")).toBe(false);
    expect(host.read("/rules")).toBe(`${theirs}\n`);
    expect(host.read("/enabled")).toBe("0\n");
  });

  it("to audit rules that are switched off", async () => {
    host.on("auditctl", `case "$*" in -s) echo "enabled $(cat "$ROOT/enabled")" ;; "-e "*) echo "$2" >"$ROOT/enabled" ;; esac\n${stubs.auditctl ?? ""}`);
    host.write("/enabled", "0\n");
    const { outcome } = await apply({ audit: { enable: true, add: ["-w /new -p wa -k docker"], remove: [], compile: false }, writes: [write(daemonJson, "BAD")], docker: restart });
    expect(outcome).toBe("went back");
    expect(host.read("/enabled")).toBe("0\n");
  });

  it.each<[string, () => void, Partial<Plan>, string]>([
    ["a rule between containers that stays", () => host.on("iptables", ""), { docker: { ...restart, dropBetweenContainers: true } }, "docker0 to docker0 is dropped still"],
    ["a rule between containers that does not come back", () => undefined, { docker: { ...restart, liftDrop: true } }, "docker0 to docker0 is not dropped any more"],
    ["a service that does not stop again", () => (host.on("sleep", ""), host.on("systemctl", `case "$*" in *auditd*) [ -e "$ROOT/auditd" ] || { : >"$ROOT/auditd"; exit 3; }; exit ;; esac\n${stubs.systemctl ?? ""}`)), { docker: restart, start: ["auditd.service"] }, "auditd.service runs still"],
    ["a limit of a process that was not restarted", () => host.on("prlimit", 'case "$*" in *--raw*) if [ -e "$ROOT/asked" ]; then echo 1 1; else : >"$ROOT/asked"; echo 2 2; fi ;; esac'), { docker: restart, processLimits: [{ unit: "containerd.service", property: "LimitNOFILE", value: "3" }] }, "a limit is not as it was: containerd.service LimitNOFILE 1:1"],
    ["audit rules that are others", () => (audited(), onWayBack('echo "-w /theirs -p wa -k x" >"$ROOT/rules"')), { docker: restart, audit: newRule }, "the kernel has other audit rules:  -w /theirs -p wa -k x"],
    ["audit rules that can't be asked for", () => (audited(), onWayBack(': >"$ROOT/silent"')), { docker: restart, audit: newRule }, "the kernel can't be asked for its audit rules"],
    ["auditing that stays on", () => (audited(), onWayBack('echo 1 >"$ROOT/enabled"')), { docker: restart, audit: { ...newRule, enable: true } }, "auditing is not switched off or on as it was"],
    ["a sysctl that is another one", () => (host.write("/proc/sys/net/bridge/bridge-nf-call-iptables", "1\n"), host.on("auditctl", `[ "$1" != -l ] || if [ -e "$ROOT/asked" ]; then echo 0 >"$ROOT/proc/sys/net/bridge/bridge-nf-call-iptables"; else : >"$ROOT/asked"; fi\n${stubs.auditctl ?? ""}`)), { docker: restart, audit: newRule }, "bridge-nf-call-iptables is not 1"],
    ["a file that was not there", () => onWayBack(': >"$ROOT/etc/new"'), { docker: restart, writes: [write("/etc/new", "new"), write(daemonJson, "BAD")] }, "/etc/new is still there"],
    ["the text of a file", () => (host.write("/etc/a", "old"), onWayBack('echo other >"$ROOT/etc/a"')), { docker: restart, writes: [write("/etc/a", "new"), write(daemonJson, "BAD")] }, "/etc/a has another content, owner or mode"],
    ["the mode of a file", () => (host.write("/etc/a", "old"), onWayBack('chmod 777 "$ROOT/etc/a"')), { docker: restart, writes: [write("/etc/a", "new"), write(daemonJson, "BAD")] }, "/etc/a has another content, owner or mode"],
    ["the mode of a folder", () => (host.write("/etc/docker/theirs", ""), onWayBack('chmod 700 "$ROOT/etc/docker"')), { docker: restart, modes: [{ path: "/etc/docker", mode: "0755", ...mine }] }, "/etc/docker has another owner or mode"],
  ])("and compares %s", async (_, prepare, plan, line) => {
    prepare();
    const { outcome, log } = await apply({ writes: [write(daemonJson, "BAD")], ...plan });
    expect(outcome, log.join("\n")).toBe("broken");
    expect(log.join("\n").replaceAll(host.folder, "")).toContain(line);
  });

  it("when a container that should have survived did not", async () => {
    const survivor = container("web");
    host.container(survivor.id, "false 137");
    const { outcome, log } = await apply({ writes: [write("/etc/a", "a")], docker: restart }, host.observation({ containers: known([survivor]) }));
    expect(outcome).toBe("went back");
    expect(log).toContain(`container web ran before and does not run now`);
    expect(host.exists("/etc/a")).toBe(false);
    expect(host.read(`/containers/${survivor.id}`)).toBe("true 0\n");
  });

  it("to a daemon that was stopped before", async () => {
    host.remove("/running");
    const units = { ...host.observation().units, "docker.service": { LoadState: "loaded", ActiveState: "inactive" } };
    const { outcome } = await apply({ writes: [write(daemonJson, "BAD")], docker: { ...noDocker, how: "start" } }, host.observation({ units }));
    expect(outcome).toBe("went back");
    expect(host.exists("/running")).toBe(false);
  });

  it("and says so when it can't", async () => {
    host.touch("/broken");
    const { outcome, log } = await apply({ writes: [write(daemonJson, "{}")], docker: restart });
    expect(outcome).toBe("broken");
    expect(log).not.toContain("the state of before is back");
    // Half a host is somebody's: destroy has to find it.
    expect(host.read("/var/lib/drydock/owner")).toBe("stack drydock/test\nhost web1\n");
  });

  it("without a trace on a host that nobody kept before", async () => {
    await apply({ writes: [write(daemonJson, "BAD")], docker: restart });
    expect(host.exists("/var/lib/drydock/owner")).toBe(false);
    expect(host.exists("/var/lib/drydock/pristine")).toBe(false);
  });

  it("and stays whose it was", async () => {
    await apply({ writes: [write("/etc/a", "a")] });
    await apply({ writes: [write(daemonJson, "BAD")], docker: restart });
    expect(host.read("/var/lib/drydock/owner")).toBe("stack drydock/test\nhost web1\n");
    expect(host.list("/var/lib/drydock/generations").filter((line) => /generations\/\d+\/$/.test(line))).toHaveLength(1);
  });

  it("from any change of any files", async () => {
    const name = fc.constantFrom("a", "b", "c/d", "c/e", "f/g/h");
    const mode = fc.constantFrom("0600", "0640", "0644", "0755");
    const content = fc.constantFrom("", "x\n", "two\nlines", "EOF\n");
    const files = fc.dictionary(name, fc.record({ content, mode }), { maxKeys: 5 });
    await fc.assert(
      fc.asyncProperty(files, files, fc.uniqueArray(name), async (there, wished, removed) => {
        host.remove("/etc");
        mkdirSync(host.at("/etc"));
        for (const [path, state] of Object.entries(there)) host.write(`/etc/${path}`, state.content, Number.parseInt(state.mode, 8));
        const before = host.list("/etc");
        const writes = [...Object.entries(wished).map(([path, state]) => write(`/etc/${path}`, state.content, state.mode)), write(daemonJson, "BAD")];
        const removes = removed.filter((path) => !(path in wished)).map((path) => `/etc/${path}`);
        const { outcome, log } = await apply({ writes, removes, docker: restart });
        expect(outcome, log.join("\n")).toBe("went back");
        expect(host.list("/etc")).toEqual(before);
      }),
      { numRuns: 8 },
    );
  }, 60_000);
});

describe("the original", () => {
  it("comes back after any number of updates, and the host is nobody's", async () => {
    host.write(daemonJson, "{}", 0o600);
    chmodSync(host.at("/etc/docker"), 0o750);
    const before = host.list("/etc");
    await apply({ writes: [write(daemonJson, "first"), write("/etc/new/a", "a")], modes: [{ path: "/etc/docker", mode: "0755", ...mine }], docker: restart });
    await apply({ writes: [write(daemonJson, "second"), write("/etc/new/b", "b")], removes: ["/etc/new/a"], docker: restart });
    const result = await restore({ docker: restart });
    expect(result.outcome).toBe("done");
    expect(result.log.at(-1)).toBe("every file is as it was before the first update");
    expect(host.list("/etc")).toEqual(before);
    expect(host.exists("/var/lib/drydock")).toBe(false);
  });

  it("of what was right at the first update comes back too, when somebody tampered with it before the second", async () => {
    host.write("/etc/modules-load.d/drydock.conf", "br_netfilter\n");
    const declared = [daemonJson, "/etc/modules-load.d/drydock.conf"];
    await apply({ writes: [write(daemonJson, "{}")], declared, docker: restart });
    host.write("/etc/modules-load.d/drydock.conf", "evil\n");
    await apply({ writes: [write("/etc/modules-load.d/drydock.conf", "br_netfilter\n")], declared });
    host.write("/etc/modules-load.d/drydock.conf", "evil again\n");
    expect((await restore({ docker: restart })).outcome).toBe("done");
    expect(host.list("/etc")).toEqual([expect.stringMatching(/ \/etc\/modules-load.d\/$/), "644 /etc/modules-load.d/drydock.conf: br_netfilter\n"]);
  });

  it("without /etc/docker is one without it again", async () => {
    await apply({ writes: [write(daemonJson, "{}")], declared: ["/etc/docker", daemonJson], docker: restart });
    expect((await restore({ docker: restart })).outcome).toBe("done");
    expect(host.list("/etc")).toEqual([]);
  });

  it("without /etc/docker does not take away what somebody has put there since", async () => {
    await apply({ writes: [write(daemonJson, "{}")], declared: ["/etc/docker", daemonJson], docker: restart });
    host.write("/etc/docker/key.pem", "secret", 0o400);
    expect((await restore({ docker: restart })).outcome).toBe("done");
    expect(host.list("/etc")).toEqual([expect.stringMatching(/ \/etc\/docker\/$/), "400 /etc/docker/key.pem: secret"]);
  });

  it.each([
    ["to a file", "{}"],
    ["to nothing", undefined],
  ])("that was a link %s is that link again, not what it points to", async (_, text) => {
    const observation = { ...host.observation(), files: { [daemonJson]: file(undefined, { kind: "symbolic link" }) } };
    if (text !== undefined) host.write("/elsewhere.json", text);
    mkdirSync(host.at("/etc/docker"));
    symlinkSync("../../elsewhere.json", host.at(daemonJson));
    expect((await apply({ writes: [write(daemonJson, '{"icc":false}')], docker: restart }, observation)).outcome).toBe("done");
    expect(host.exists("/elsewhere.json") ? host.read("/elsewhere.json") : undefined).toBe(text);
    expect((await restore({ docker: restart }, observation)).outcome).toBe("done");
    expect(readlinkSync(host.at(daemonJson))).toBe("../../elsewhere.json");
  });

  it("that can't be put back leaves dockerd and the containers running all the same, and stays for another try", async () => {
    await apply({ writes: [write(daemonJson, "{}")], docker: restart });
    host.on("systemctl", readFileSync(host.at("/bin/systemctl"), "utf8").split("\n").slice(2).join("\n").replace("esac", '  daemon-reload) exit 1 ;;\nesac'));
    const id = "1".repeat(64);
    host.calls();
    expect((await restore({ docker: { ...restart, stop: [id] } })).outcome).toBe("broken");
    expect(host.exists("/running")).toBe(true);
    expect(host.calls()).toContain(`docker start ${id}`);
    expect(host.exists("/var/lib/drydock/pristine")).toBe(true);
    expect(host.exists("/var/lib/drydock/owner")).toBe(true);
  });

  it("whose dockerd does not come up leaves nobody stopped for good: who is started again is noted for the next try", async () => {
    const id = "1".repeat(64);
    await apply({ writes: [write(daemonJson, "{}")], docker: restart });
    host.on("systemctl", readFileSync(host.at("/bin/systemctl"), "utf8").split("\n").slice(2).join("\n").replace('"start docker.service")', '"start docker.service") [ ! -e "$ROOT/late" ] &&'));
    host.touch("/late");
    const { outcome, log } = await restore({ docker: { ...restart, stop: [id] } }, host.observation({ containers: known([container("web", { id })]) }));
    expect(outcome).toBe("broken");
    expect(log).toContain("stopped until this is run again: web");
    host.remove("/late");
    host.calls();
    expect((await restore({ docker: restart })).outcome).toBe("done");
    expect(host.calls()).toContain(`docker start ${id}`);
    expect(host.exists("/var/lib/drydock")).toBe(false);
  });

  it("does not wait for a dockerd that hangs, and its containers are not killed with it", async () => {
    await apply({ writes: [write(daemonJson, "{}")], docker: restart });
    host.on("systemctl", `case "$*" in "stop docker.service") exit 1 ;; esac\n${stubs.systemctl ?? ""}`);
    host.calls();
    expect((await restore({ docker: restart })).outcome).toBe("done");
    expect(host.calls()).toContain("systemctl kill --kill-who=main -s KILL docker.service");
  });

  it("stays away when the engine, maybe a newer one by now, does not take the original daemon.json", async () => {
    host.write(daemonJson, "{}");
    await apply({ writes: [write(daemonJson, '{"icc":false}')], docker: restart });
    host.on("dockerd", 'echo "no longer known: graph" >&2; exit 1');
    host.calls();
    const original = `/var/lib/drydock/pristine/tree${host.at(daemonJson)}`;
    expect(await restore({ docker: restart, validateWith: ["dockerd", "-H", "fd://"] })).toEqual({ outcome: "refused", log: [expect.stringContaining("dockerd does not take the original daemon.json (")] });
    expect(host.exists(original)).toBe(true);
    expect(host.read(daemonJson)).toBe('{"icc":false}');
    expect(host.calls().filter((call) => /^systemctl (start|stop)/.test(call))).toEqual([]);
  });

  it("stays away while a container runs on that no daemon lists: the original dockerd could not stop it", async () => {
    await apply({ writes: [write(daemonJson, "{}")], docker: restart });
    host.process(4711, "/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-id", "1".repeat(64));
    const { outcome, log } = await restore({ docker: restart });
    expect(outcome).toBe("broken");
    expect(log).toContain("container shim 4711 is left over");
    expect(host.read(daemonJson)).toBe("{}");
    expect(host.exists("/running")).toBe(true);
  });

  it("gives containerd, which is not restarted, the limits of its unit back", async () => {
    await apply({ writes: [write(daemonJson, "{}")], docker: restart });
    await restore({ docker: restart });
    expect(host.calls()).toContain(`prlimit --pid ${process.pid} --nofile=1048576`);
    expect(host.read(`/proc/${process.pid}/oom_score_adj`)).toBe("0\n");
  });

  it("is what was there before the first update that succeeded, not before one that failed", async () => {
    host.write(daemonJson, "before the failure");
    await apply({ writes: [write(daemonJson, "BAD")], docker: restart });
    host.write(daemonJson, "{}");
    await apply({ writes: [write(daemonJson, '{"icc":false}')], docker: restart });
    await restore({ docker: restart });
    expect(host.read(daemonJson)).toBe("{}");
  });

  it("is kept over an update that broke and one that went back after it", async () => {
    host.write(daemonJson, "{}");
    host.touch("/broken");
    expect((await apply({ writes: [write(daemonJson, '{"icc":false}')], docker: restart })).outcome).toBe("broken");
    host.remove("/broken");
    expect((await apply({ writes: [write(daemonJson, "BAD")], docker: restart })).outcome).toBe("went back");
    expect(host.read("/var/lib/drydock/pristine/known")).toBe(`${host.at(daemonJson)}\n`);
  });

  it("starts what the first change of userns-remap had stopped", async () => {
    const id = "1".repeat(64);
    await apply({ writes: [write(daemonJson, "{}")], docker: { ...restart, stop: [id], switchesStore: true } });
    host.calls();
    await restore({ docker: restart });
    expect(host.calls()).toContain(`docker start ${id}`);
  });

  it("says which file is not as it was, and what there is of it stays", async () => {
    host.write("/etc/a", "old");
    await apply({ writes: [write("/etc/a", "new")] });
    onWayBack('echo other >"$ROOT/etc/a"');
    const { outcome, log } = await restore({ docker: restart });
    expect(outcome).toBe("broken");
    expect(log.join("\n").replaceAll(host.folder, "")).toContain("not as before: /etc/a has another content, owner or mode");
    expect(host.read(`/var/lib/drydock/pristine/tree${host.at("/etc/a")}`)).toBe("old");
  });

  it("of a host that was right from the start is nothing, and the host is nobody's all the same", async () => {
    host.write("/var/lib/drydock/owner", "stack drydock/test\nhost web1\n");
    expect(await restore()).toEqual({ outcome: "done", log: ["there is nothing to restore"] });
    expect(host.exists("/var/lib/drydock/owner")).toBe(false);
  });
});
