import { describe, expect, it } from "vitest";
import type { HostArgs, JsonObject } from "../../src/desired/host-inputs.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { scopeDropIn } from "../../src/effect/container-limits.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { planApply } from "../../src/plan/plan.ts";
import { doubts, findings } from "../../src/plan/preflight.ts";
import { auditRulesFile, daemonJson } from "../../src/plan/wish.ts";
import { container, defaultHost, file, info, noIcc, withDaemonJson } from "../support/observation.ts";
import { declared, owner, wishFor } from "../support/wish.ts";

function found(change: Partial<HostArgs>, observation: Observation): string[] {
  const wish = wishFor(declared(change), observation);
  return findings(wish, observation, planApply(wish, observation), owner);
}
const daemon = (wished: JsonObject, observation: Observation = defaultHost()): string[] => found({ daemon: wished }, observation);

const full = known([{ path: "/etc", bytes: 0, inodes: 9, allInodes: 0 }]);

const rule = "-a always,exit -F arch=b64 -F path=/run/docker.sock -F perm=wa -F key=docker";
const audit: Partial<HostArgs> = { files: { [auditRulesFile]: `# head\n${rule}\n` } };

it("nothing is wrong with a default host and a usual wish", () => {
  expect(found({ ...audit, daemon: { icc: false, "live-restore": true } }, defaultHost())).toEqual([]);
});

describe("a host that Drydock is not made for", () => {
  it.each<[Partial<Observation>, string]>([
    [{ kernel: "FreeBSD 14.1" }, "this is FreeBSD 14.1; Drydock serves Linux hosts with systemd; take this host out of the stack file"],
    [{ init: "sleep" }, "process 1 is sleep, not systemd; Drydock serves hosts that systemd runs; if this is a container, connect to the machine around it, else take this host out of the stack file"],
    [{ dockerPath: "/snap/bin/docker" }, "Docker is a snap here: it can't read /etc/docker/daemon.json, and no-new-privileges breaks it; install the engine's packages instead"],
    [{ info: info({ SecurityOptions: ["name=seccomp", "name=rootless"] }) }, "this is rootless Docker, which has its own configuration; Drydock hardens the system-wide engine; install that one, or take this host out of the stack file"],
    [{ units: { "docker.service": { LoadState: "not-found" } } }, "there is no docker.service here; install Docker 20.10 or newer first"],
    [{ dockerPath: "" }, "there is no docker.service here; install Docker 20.10 or newer first"],
    [{ info: info({ ServerVersion: "19.03.15" }) }, "Docker 19.03.15 is too old; update Docker to 20.10 or newer first"],
  ])("%j", (host, text) => {
    // Nothing else is judged there, however much is wrong.
    expect(daemon({ icc: false, tlskey: "/gone" }, defaultHost(host))).toEqual([text]);
  });
});

describe("a machine of somebody else", () => {
  const text = "this machine is kept by stack drydock/other as host web9; one machine can't have two names (to rename it, remove web9 in one update, which leaves its hardening, and add web1 in the next)";
  it.each<[string, Observation["owner"], string[]]>([
    ["another stack", { stack: "drydock/other", host: "web9" }, [text]],
    ["another name", { stack: "drydock/test", host: "web9" }, [text.replace("drydock/other", "drydock/test")]],
    ["this very one", owner, []],
    ["nobody", undefined, []],
  ])("%s", (_, holder, texts) => {
    expect(daemon({}, defaultHost({ owner: holder }))).toEqual(texts);
    expect(daemon({ icc: false }, defaultHost({ owner: holder }))).toEqual(texts);
  });
});

describe("the engine", () => {
  it("is too old for a key", () => {
    expect(daemon({ "default-network-opts": {} }, defaultHost({ info: info({ ServerVersion: "23.0.6" }) }))).toEqual(["daemon.default-network-opts needs Docker 24.0, here is 23.0.6, which would refuse to start; remove the key or update Docker"]);
  });

  it("is too new for a key", () => {
    expect(daemon({ "api-cors-header": "*" }, defaultHost({ info: info({ ServerVersion: "28.5.2" }) }))).toEqual(["daemon.api-cors-header is unknown to Docker from 28.0 on, here is 28.5.2, which would refuse to start; remove the key"]);
  });

  it("is a swarm node, where live-restore ends it", () => {
    expect(daemon({ "live-restore": true }, defaultHost({ info: info({ Swarm: { LocalNodeState: "active" } }) }))).toEqual(["this is a swarm node (docker info: Swarm.LocalNodeState active), and dockerd refuses to start with live-restore there; set daemon.live-restore: false for it"]);
  });

  it("runs and does not answer, so nobody knows what would stop or be hidden", () => {
    expect(daemon({ icc: false }, defaultHost({ info: unknown("docker-info ended with exit status 124") }))).toEqual(["dockerd runs and does not answer (docker-info ended with exit status 124), so what a change would stop or hide is not known; restart docker.service first"]);
  });

  it.each(["activating", "deactivating"])("is %s", (ActiveState) => {
    const units = { ...defaultHost().units, "docker.service": { LoadState: "loaded", ActiveState } };
    expect(daemon({ icc: false }, defaultHost({ units, info: unknown(`docker.service is ${ActiveState}`) }))).toEqual([`docker.service is ${ActiveState}, so what a change would stop or hide is not known; wait until it has ended, or see why it does not: journalctl -u docker`]);
  });

  it("reloads, and runs", () => {
    const units = { ...defaultHost().units, "docker.service": { LoadState: "loaded", ActiveState: "reloading" } };
    expect(daemon({ icc: false, "live-restore": true }, defaultHost({ units }))).toEqual([]);
  });

  it("answers, but for its containers", () => {
    expect(daemon({ "log-level": "info" }, defaultHost({ containers: unknown("containers ended with exit status 124") }))[0]).toMatch(/^dockerd runs and does not answer \(containers ended with exit status 124\), /);
  });

  it("may be stopped", () => {
    const units = { ...defaultHost().units, "docker.service": { LoadState: "loaded", ActiveState: "inactive" } };
    expect(daemon({ icc: false }, defaultHost({ units, info: unknown("docker.service is inactive") }))).toEqual([]);
  });
});

describe("daemon.json", () => {
  it("can't be read", () => {
    expect(daemon({ icc: false }, defaultHost({ files: { [daemonJson]: file("[]") } }))).toEqual(['/etc/docker/daemon.json can\'t be read as JSON ("not a JSON object"); repair it or move it away']);
  });

  it("is in a folder that is a link, which whoever has its target could change", () => {
    const files = { ...defaultHost().files, "/etc/docker": file(undefined, { kind: "symbolic link", mode: "0777" }) };
    expect(daemon({ icc: false }, defaultHost({ files }))).toEqual(["/etc/docker is a symbolic link, which Drydock does not follow; make it a folder"]);
  });

  it("remaps to ids that somebody else has", () => {
    const ranges = { subordinateUids: "dockremap:100000:65536\nops:165000:65536\n", subordinateGids: "dockremap:100000:65536\n", users: ["root", "dockremap"], info: info({ Images: 0 }) };
    expect(daemon({ "userns-remap": "default" }, defaultHost(ranges))).toEqual(["/etc/subuid: dockremap:100000:65536 and ops:165000:65536 overlap; containers would share ids with another user, so give them ranges of their own"]);
    expect(daemon({ "userns-remap": "default" }, defaultHost({ ...ranges, subordinateUids: ranges.subordinateGids, subordinateGids: ranges.subordinateUids }))[0]).toMatch(/^\/etc\/subgid: /);
  });
});

describe("a listener that systemd hands over", () => {
  const socket = (LoadState: string): Observation => defaultHost({ units: { ...defaultHost().units, "docker.socket": { LoadState, ActiveState: "inactive" } } });

  it.each<[string, string[], Observation, string[]]>([
    ["is there", ["fd://"], defaultHost(), []],
    ["is masked", ["fd://"], socket("masked"), ["daemon.hosts has fd://, which systemd hands to dockerd, and docker.socket is masked, so dockerd would not start; run: systemctl unmask docker.socket, or take unix:///run/docker.sock instead"]],
    ["is not there", ["fd://"], socket("not-found"), ["daemon.hosts has fd://, which systemd hands to dockerd, and docker.socket is not-found, so dockerd would not start; take unix:///run/docker.sock instead"]],
    ["is not asked for", ["unix:///run/docker.sock"], socket("masked"), []],
  ])("%s", (_, hosts, observation, texts) => {
    expect(daemon({ hosts }, observation)).toEqual(texts);
  });
});

describe("the clock", () => {
  it.each([
    [0, undefined],
    [300, undefined],
    [-300, undefined],
    [301, "5 minutes ahead of"],
    [-3600, "60 minutes behind"],
  ])("that is %d s ahead", (clockAhead, how) => {
    const texts = daemon({ icc: false }, defaultHost({ clockAhead, now: 1_795_000_000 }));
    expect(texts).toEqual(how === undefined ? [] : [`the clock here is ${how} the one of the machine that runs this (it says 2026-11-18T11:06:40Z); set the one that is wrong, e.g. with: timedatectl set-ntp true`]);
  });

  it("that nobody has compared refuses nothing", () => {
    expect(daemon({ icc: false }, defaultHost({ clockAhead: undefined }))).toEqual([]);
  });
});

describe("sshd", () => {
  const broken = { sshd: known({ reads: false as const, said: "/etc/ssh/sshd_config: line 3: Bad configuration option: Foo" }) };

  it("that would lock us out is refused where something would be changed", () => {
    expect(daemon({ icc: false }, defaultHost(broken))).toEqual([expect.stringContaining("sshd can't read its configuration")]);
    expect(daemon({ icc: false }, withDaemonJson({ icc: false }, { ...noIcc, ...broken }))).toEqual([]);
  });
});

describe("what could not be told", () => {
  const doubtsOf = (observation: Observation, wished: JsonObject = { icc: false }): string[] => {
    const wish = wishFor(declared({ daemon: wished }), observation);
    return doubts(wish, observation, planApply(wish, observation));
  };

  it("is said, and refuses nothing", () => {
    const blind = defaultHost({ needs: {}, room: unknown("room was not asked for"), diskErrors: unknown("no sysfs"), mounts: unknown("no /proc"), sshd: unknown("there is no /usr/sbin/sshd") });
    expect(daemon({ icc: false }, blind)).toEqual([]);
    expect(doubtsOf(blind)).toEqual(["whether iptables is installed (it was not asked for)", "which filesystems are mounted, and how (no /proc)", "how much space is free (room was not asked for)", "whether an ext4 has errors (no sysfs)", "whether sshd would let us in again (there is no /usr/sbin/sshd)"]);
  });

  it("is what only dockerd knows, while it is stopped", () => {
    const stopped = { info: unknown("docker.service is inactive"), units: { ...defaultHost().units, "docker.service": { LoadState: "loaded", ActiveState: "inactive" } } };
    expect(doubtsOf(defaultHost(stopped), { "live-restore": true, "log-format": "json", "default-network-opts": {} })).toEqual([
      "whether this engine knows daemon.log-format, daemon.default-network-opts (docker.service is inactive)",
      "whether this is a swarm node, where dockerd does not start with live-restore (docker.service is inactive)",
    ]);
    const limited = wishFor(declared({ files: { [scopeDropIn]: "[Scope]\nTasksMax=512\n" } }), defaultHost(stopped));
    expect(doubts(limited, defaultHost(stopped), planApply(limited, defaultHost(stopped)))).toEqual(["whether limits for each container have an effect, which its cgroup driver decides (docker.service is inactive)"]);
  });

  it("is nothing on a host that answers, and on one where there is nothing to do", () => {
    expect(doubtsOf(defaultHost())).toEqual([]);
    expect(doubtsOf(withDaemonJson({ icc: true }, { needs: {}, room: unknown("no") }), { icc: true })).toEqual([]);
  });
});

describe("limits for each container", () => {
  const dropIn: Partial<HostArgs> = { files: { [scopeDropIn]: "[Scope]\nTasksMax=512\n" } };
  it("are refused with the cgroup driver that makes no scopes: they would have no effect", () => {
    const cgroupfs = defaultHost({ info: info({ CgroupDriver: "cgroupfs" }) });
    expect(found(dropIn, cgroupfs)).toEqual(['the cgroup driver here is cgroupfs, with which limits for each container have no effect; set daemon.exec-opts: ["native.cgroupdriver=systemd"], or limits.tasksMax and limits.memoryMax to null']);
    expect(found({ daemon: { icc: false } }, cgroupfs)).toEqual([]);
  });
});

describe("key files", () => {
  const key = "/etc/docker/key.pem";
  it.each<[string, JsonObject, Observation["files"], string[]]>([
    ["missing", { tlskey: key }, {}, [`daemon.tlskey names ${key}, which is not there; put it there, or take the setting out`]],
    ["unreadable", { tlskey: key }, { [key]: unknown("Input/output error") }, [`daemon.tlskey names ${key}, which can't be read: Input/output error; mend that, or name another one`]],
    ["for the group as well", { tlskey: key }, { [key]: file(undefined, { mode: "0440" }) }, [`daemon.tlskey: ${key} has mode 0440, and at most 400 is safe; run: chown root:root ${key} && chmod 400 ${key}`]],
    ["for writing", { tlscert: key }, { [key]: file(undefined, { mode: "0644" }) }, [`daemon.tlscert: ${key} has mode 0644, and at most 444 is safe; run: chown root:root ${key} && chmod 444 ${key}`]],
    ["somebody's", { "log-opts": { "syslog-tls-key": key } }, { [key]: file(undefined, { mode: "0400", owner: "ops" }) }, [`daemon.log-opts.syslog-tls-key: ${key} belongs to ops:root; run: chown root:root ${key} && chmod 400 ${key}`]],
    ["just right", { tlskey: key, tlscert: key, tlscacert: key }, { [key]: file(undefined, { mode: "0400" }) }, []],
  ])("%s", (_, wished, files, texts) => {
    expect(daemon(wished, defaultHost({ files }))).toEqual(texts);
  });
});

describe("auditing", () => {
  it.each<[string, Partial<Observation>, string]>([
    ["auditd is not there", { units: { ...defaultHost().units, "auditd.service": { LoadState: "not-found", ActiveState: "inactive" } }, auditStatus: unknown("auditctl: not found") }, "auditd is not installed, so nothing can be audited; install it (apt-get install auditd, dnf install audit) or set audit: false"],
    ["the kernel can't be asked", { auditStatus: unknown("Operation not permitted") }, "the kernel can't be asked about auditing (auditctl -s: Operation not permitted), so no rule could be proven; mend that until auditctl -s answers root there, or set audit: false"],
    ["auditd is masked", { units: { ...defaultHost().units, "auditd.service": { LoadState: "masked", ActiveState: "inactive" } } }, "auditd is masked, so nothing can be audited; run: systemctl unmask auditd, or set audit: false"],
  ])("is refused when %s", (_, host, text) => {
    expect(found(audit, defaultHost(host))).toEqual([text]);
  });

  it("is refused when compiling would lose rules", () => {
    expect(found(audit, defaultHost({ auditRulesOnlyCompiled: ["-w /home -p wa"] }))).toEqual([
      "/etc/audit/audit.rules has rules that no file of /etc/audit/rules.d has, and compiling those would lose them (-w /home -p wa); move them to a file of rules.d",
    ]);
  });

  it("is not refused for our own rules, of which somebody took the file away", () => {
    expect(found(audit, defaultHost({ auditRulesOnlyCompiled: ["-w /etc/docker -p wa -k docker"], applied: { generation: "0002" } }))).toEqual([]);
  });

  it("is not asked of a host without that layer", () => {
    expect(daemon({ icc: false }, defaultHost({ auditStatus: unknown("no") }))).toEqual([]);
  });
});

it("a host that is right already is refused nothing but another owner", () => {
  const right = withDaemonJson({ icc: true }, { room: full, info: info({ Swarm: { LocalNodeState: "active" } }) });
  expect(daemon({ icc: true }, right)).toEqual([]);
});

it("what needs consent is refused without it", () => {
  expect(daemon({ "log-level": "info" }, defaultHost({ containers: known([container("web")]) }))).toEqual([expect.stringContaining("allow: [restart-containers]")]);
});

it("everything is said at once", () => {
  expect(found({ ...audit, daemon: { "live-restore": true, tlskey: "/k" } }, defaultHost({ info: info({ Swarm: { LocalNodeState: "active" } }), auditStatus: unknown("no"), room: full, owner: { stack: "a", host: "b" } }))).toHaveLength(5);
});
