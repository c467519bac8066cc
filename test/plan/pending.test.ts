import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/desired/host-inputs.ts";
import { scopeDropIn } from "../../src/effect/container-limits.ts";
import type { Container, Observation } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { pendingOn } from "../../src/plan/pending.ts";
import { auditRulesFile } from "../../src/plan/wish.ts";
import { container, defaultHost, info, noIcc } from "../support/observation.ts";
import { hardenedArgs, recorded } from "../support/recorded.ts";
import { daemonWish, declared, wishFor } from "../support/wish.ts";

const host = (web: Container, change: Partial<Observation> = {}): Observation => defaultHost({ containers: known([web]), ...change });

it("nothing waits on the recorded host that was hardened before its container was made", () => {
  expect(pendingOn(wishFor(hardenedArgs(), recorded("hardened")), recorded("hardened"))).toEqual([]);
});

it("on the recorded default host its container would wait for what is fixed when it is made", () => {
  expect(pendingOn(wishFor(hardenedArgs(), recorded("default")), recorded("default"))).toContain("container web keeps log-driver json-file, the right to gain privileges until it is made again");
});

describe("a container that runs keeps what it was made with", () => {
  it.each<[string, JsonObject, Observation, string[]]>([
    ["another log driver", { "log-driver": "syslog" }, host(container("web", { logDriver: "json-file" })), ["container web keeps log-driver json-file until it is made again"]],
    ["the same log driver", { "log-driver": "syslog" }, host(container("web")), []],
    ["the right to gain privileges", { "no-new-privileges": true }, host(container("web", { pid: 900 }), { noNewPrivileges: known([901]) }), ["container web keeps the right to gain privileges until it is made again"]],
    ["no such right", { "no-new-privileges": true }, host(container("web", { pid: 900 }), { noNewPrivileges: known([900]) }), []],
    ["a right that nobody could ask for", { "no-new-privileges": true }, host(container("web"), { noNewPrivileges: unknown("no") }), []],
    ["the host's cgroups", { "default-cgroupns-mode": "private" }, host(container("web", { cgroupnsMode: "" })), ["container web keeps cgroup namespace host until it is made again"]],
    ["the host's cgroups, being privileged", { "default-cgroupns-mode": "private" }, host(container("web", { cgroupnsMode: "host", privileged: true })), []],
    ["anything, being stopped", { "log-driver": "syslog" }, host(container("web", { logDriver: "json-file", running: false })), []],
    ["several things", { "log-driver": "syslog", "no-new-privileges": true }, host(container("web", { logDriver: "none" })), ["container web keeps log-driver none, the right to gain privileges until it is made again"]],
  ])("%s", (_, wished, observation, texts) => {
    expect(pendingOn(daemonWish(wished), observation)).toEqual(texts);
  });
});

describe("docker0", () => {
  const busy = (change: Partial<Observation>): Observation => host(container("web", { logDriver: "json-file" }), change);
  const byUs = known(["-P FORWARD ACCEPT", "-A FORWARD -i docker0 -o docker0 -m comment --comment drydock -j DROP"]);
  const nftables: Partial<Observation> = { bridgeOptions: known({ "com.docker.network.bridge.enable_icc": "false" }), info: info({ ServerVersion: "29.1.0", FirewallBackend: { Driver: "nftables" } }) };
  const waits = ["containers on docker0 can't reach each other yet (icc): that waits for dockerd, which makes it anew when it starts while no container runs"];

  it.each<[string, JsonObject, Observation, string[]]>([
    ["waits while it is closed, containers run and icc is wished", { icc: true }, busy(noIcc), waits],
    ["waits by dockerd's own word where that works by nftables", { icc: true }, busy(nftables), waits],
    ["waits for the next boot where dockerd takes no rule away", { icc: true, iptables: false }, defaultHost(noIcc), ["containers on docker0 can't reach each other yet (icc): that waits for the next boot"]],
    ["does not wait for somebody else's rule", { icc: true }, busy({ iptables: known(["-P FORWARD DROP"]) }), []],
    ["does not wait when no container runs: a restart opens it", { icc: true }, defaultHost(noIcc), []],
    ["does not wait for us to take our own rule away", { icc: true }, busy({ iptables: byUs }), []],
    ["does not wait when it is open", { icc: true }, busy({}), []],
    ["does not wait when nobody asks for icc", {}, busy(noIcc), []],
    ["does not wait when it is to be closed", { icc: false }, busy(noIcc), []],
  ])("%s", (_, wished, observation, texts) => {
    expect(pendingOn(daemonWish(wished), observation)).toEqual(texts);
  });
});

describe("a limit of each container", () => {
  const wish = wishFor(declared({ files: { [scopeDropIn]: "[Scope]\nTasksMax=512\nMemoryMax=1G\n" } }));
  const limited = (own: Partial<Container>, pids: string): Observation => {
    const web = container("web", own);
    return host(web, { cgroups: { [`docker-${web.id}.scope`]: { "pids.max": pids, "memory.max": String(2 ** 30) } } });
  };

  it.each([
    ["waits where the container asked for more itself", limited({ pidsLimit: 4096 }, "4096"), ["container web keeps its own TasksMax 4096 until it is made again"]],
    ["does not wait where it holds", limited({}, "512"), []],
    ["does not wait where the container asked for less", limited({ pidsLimit: 100 }, "100"), []],
    // It holds for running containers at once, so somebody lifted it: that is drift.
    ["does not wait where somebody lifted it", limited({}, "max"), []],
  ])("%s", (_, observation, texts) => {
    expect(pendingOn(wish, observation)).toEqual(texts);
  });
});

describe("audit rules", () => {
  const rule = "-a always,exit -F arch=b64 -F path=/run/docker.sock -F perm=wa -F key=docker";
  const wish = wishFor(declared({ files: { [auditRulesFile]: `# head\n${rule}\n` } }));

  it.each([
    ["wait for a reboot in a kernel that takes none", "2", [], ["1 audit rules wait for a reboot: the kernel takes no changes (auditctl -s: enabled 2)"]],
    ["do not wait when it has them", "2", [rule.replace("b64", "b64 -S all")], []],
    ["do not wait for a kernel that takes them: that is drift", "1", [], []],
  ])("%s", (_, enabled, rules, texts) => {
    expect(pendingOn(wish, defaultHost({ auditStatus: known({ enabled }), auditRules: known(rules) }))).toEqual(texts);
  });

  it("of a host without that layer are nobody's", () => {
    expect(pendingOn(wishFor(declared()), defaultHost({ auditStatus: known({ enabled: "2" }) }))).toEqual([]);
  });
});

describe("what a move has left", () => {
  const oldData: Observation["oldData"] = [{ name: "containerd", bytes: 2 ** 20, where: "aside" }, { name: "docker", bytes: 1.5 * 2 ** 30, where: "aside" }];
  const text = "the data from before the move (containerd: 1.0 MiB, docker: 1.5 GiB) are kept in /var/lib/drydock/old-data; to have them removed, add to this host: allow: [remove-old-data]";

  it.each<[string, Parameters<typeof declared>[0], string[]]>([
    ["waits for somebody who does not need it any more", {}, [text]],
    ["does not wait where somebody has said so: that is drift", { allow: ["remove-old-data"] }, []],
  ])("%s", (_, args, texts) => {
    expect(pendingOn(wishFor(declared(args)), defaultHost({ oldData }))).toEqual(texts);
  });

  it("does not wait where there is nothing", () => {
    expect(pendingOn(wishFor(declared()), defaultHost())).toEqual([]);
  });
});
