import { describe, expect, it } from "vitest";
import type { HostArgs, JsonObject } from "../../src/desired/host-inputs.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { needDoubts, needFindings } from "../../src/plan/need-findings.ts";
import { needName, needsOf } from "../../src/plan/needs.ts";
import { planApply } from "../../src/plan/plan.ts";
import { container, defaultHost, info, lacking, met, withDaemonJson } from "../support/observation.ts";
import { declared, rendered, wishFor } from "../support/wish.ts";

function found(change: Partial<HostArgs>, observation: Observation): string[] {
  const wish = wishFor(declared(change), observation);
  return needFindings(wish, observation, planApply(wish, observation));
}
const doubts = (change: Partial<HostArgs>, observation: Observation): string[] => needDoubts(wishFor(declared(change), observation), observation);

const modules = { files: { "/etc/modules-load.d/drydock.conf": "# for bridges\nbr_netfilter\n" } };
const collector = (address: string): JsonObject => ({ "log-driver": "syslog", "log-opts": { "syslog-address": address } });

describe("what a wish needs", () => {
  it.each<[string, Partial<HostArgs>, string[]]>([
    ["nothing", {}, []],
    ["a firewall", { daemon: { icc: false } }, ["program iptables"]],
    ["a firewall for iptables", { daemon: { iptables: true } }, ["program iptables"]],
    ["no iptables with nftables", { daemon: { icc: false, "firewall-backend": "nftables" } }, []],
    ["modules", modules, ["module br_netfilter"]],
    ["a collector", { daemon: collector("tcp://logs.example") }, ["tcp logs.example 514"]],
    ["a socket", { daemon: { "log-driver": "syslog" } }, ["socket /dev/log"]],
    ["nothing of a driver that is the user's", { daemon: { "log-opts": { "syslog-address": "tcp://logs.example" } } }, []],
    ["plugins", { daemon: { "authorization-plugins": ["opa", "example/authz:1.0"] } }, ["plugin opa", "plugin example/authz:1.0"]],
    ["a log driver that is none of Docker's own", { daemon: { "log-driver": "loki" } }, ["plugin loki"]],
    ["no other log driver", { daemon: { "log-driver": "logentries" } }, []],
    ["no name that could lead elsewhere, or be two lines", { daemon: { "authorization-plugins": ["../x", "a\ntcp 192.0.2.1 1", "/x"] } }, []],
  ])("%s", (_, change, needs) => {
    expect(needsOf(declared(change)).map(needName)).toEqual(needs);
  });

  it("by the profile strict", () => {
    expect(needsOf(rendered()).map(needName)).toEqual(["program iptables", "module br_netfilter", "socket /dev/log"]);
  });
});

describe("a firewall", () => {
  it("that is not installed", () => {
    const host = defaultHost({ needs: lacking("program iptables", "it is not installed") });
    expect(found({ daemon: { icc: false } }, host)).toEqual(["dockerd needs iptables for daemon.icc: false and daemon.iptables: true, and it is not installed, so it would not start; install it (apt-get install iptables, dnf install iptables-nft)"]);
    expect(found({ daemon: { icc: true } }, host)).toEqual([]);
  });
});

describe("a kernel module", () => {
  const why = "FATAL: Module br_netfilter not found in directory /lib/modules/6.1.0";
  const needs = lacking("module br_netfilter", why);
  it.each<[string, Partial<Observation>, string[]]>([
    ["that can't be loaded", { bridgeNetfilter: false, needs }, [`daemon.icc: false and daemon.userland-proxy: false need the kernel module br_netfilter, which can't be loaded (${why}), so dockerd would not start; install the modules of this kernel (or boot the one that is installed), or set both to true`]],
    ["that the kernel works with already", { bridgeNetfilter: true, needs }, []],
    ["that can be loaded", { bridgeNetfilter: false }, []],
  ])("%s", (_, host, texts) => {
    expect(found(modules, defaultHost(host))).toEqual(texts);
  });
});

describe("a collector that does not answer", () => {
  const daemon = collector("tcp+tls://logs.example:6514");
  const needs = lacking("tcp logs.example 6514", "Connection refused");
  const because = "the collector of daemon.log-driver syslog, logs.example:6514, does not answer this host (Connection refused)";
  const remedy = "start it, open the way to it, or log to a local socket that forwards (syslog-address: unixgram:///dev/log)";
  const web = container("web");
  const busy = { needs, containers: known([web, container("old", { logDriver: "json-file" })]), info: info({ Containers: 2, LoggingDriver: "syslog" }) };

  it.each<[string, JsonObject, Observation, string[]]>([
    ["is refused when it is new", daemon, defaultHost({ needs }), [`${because}, so no new container would start, and none again after a boot; ${remedy}`]],
    ["is refused when its options change", daemon, withDaemonJson(collector("tcp://logs.example:514"), { needs }), [`${because}, so no new container would start, and none again after a boot; ${remedy}`]],
    ["is no reason to refuse something else", { ...daemon, "live-restore": true }, withDaemonJson(daemon, busy), []],
    ["is one when containers that log there would stop for it", { ...daemon, "log-level": "info" }, withDaemonJson(daemon, busy), [`${because}, so web would stop and not start again; ${remedy}`]],
    ["is none for containers that log elsewhere", { ...daemon, "log-level": "info" }, withDaemonJson(daemon, { ...busy, containers: known([container("old", { logDriver: "json-file" })]) }), []],
  ])("%s", (_, wished, observation, texts) => {
    expect(found({ daemon: wished }, observation)).toEqual(texts);
  });

  it("has its address in brackets when that is IPv6", () => {
    expect(found({ daemon: collector("tcp://[2001:db8::1]:514") }, defaultHost({ needs: lacking("tcp 2001:db8::1 514", "Network is unreachable") }))[0]).toMatch(/, \[2001:db8::1\]:514, does not answer this host \(Network is unreachable\)/);
  });
});

describe("a socket to log to", () => {
  const text = "daemon.log-driver syslog writes to /dev/log, and it is not there, so dockerd or its containers would not start; start what makes it (systemd-journald, rsyslog, …), or take another log-driver";
  const needs = lacking("socket /dev/log", "it is not there");

  it("is missing", () => {
    expect(found({ daemon: { "log-driver": "syslog" } }, defaultHost({ needs }))).toEqual([text]);
  });

  it("is missing for a restart that is about something else", () => {
    const host = withDaemonJson({ "log-driver": "syslog" }, { needs, info: info({ LoggingDriver: "syslog" }) });
    expect(found({ daemon: { "log-driver": "syslog", "log-level": "info" } }, host)).toEqual([text]);
  });

  it("is not needed when dockerd stays as it is", () => {
    const host = withDaemonJson({ "log-driver": "syslog" }, { needs, info: info({ LoggingDriver: "syslog" }) });
    expect(found({ daemon: { "log-driver": "syslog" }, files: { "/etc/tmpfiles.d/drydock.conf": "d /run/x 0711 root root -\n" } }, host)).toEqual([]);
  });
});

describe("an authorization plugin", () => {
  const daemon = { "authorization-plugins": ["opa"] };
  it.each<[string, Partial<Observation>, string[]]>([
    ["is not there", { needs: lacking("plugin opa", "it is not installed") }, ["daemon.authorization-plugins names opa, and it is not installed (looked for in /run/docker/plugins, /etc/docker/plugins, /usr/lib/docker/plugins and docker plugin ls), so dockerd would end; install and start it first, or take it out"]],
    ["is not there, and dockerd has just answered through it", { needs: lacking("plugin opa", "it is not installed"), info: info({ Plugins: { Authorization: ["opa"] } }) }, []],
    ["is there", { needs: met("plugin opa") }, []],
  ])("%s", (_, host, texts) => {
    expect(found({ daemon }, defaultHost(host))).toEqual(texts);
  });
});

describe("a log driver that Docker does not have", () => {
  const needs = lacking("plugin jounald", "it is not installed");
  const text = "daemon.log-driver jounald is none that Docker has by itself, and as a plugin it is not installed (looked for in /run/docker/plugins, /etc/docker/plugins, /usr/lib/docker/plugins and docker plugin ls), so dockerd would not start; install and start it first, or take another log-driver";
  it.each<[string, JsonObject, Observation, string[]]>([
    ["is refused", { "log-driver": "jounald" }, defaultHost({ needs }), [text]],
    ["is there as a plugin", { "log-driver": "loki" }, defaultHost({ needs: met("plugin loki") }), []],
    ["matters only when dockerd starts anew", { "log-driver": "jounald", "live-restore": true }, withDaemonJson({ "log-driver": "jounald" }, { needs, info: info({ LoggingDriver: "jounald" }) }), []],
  ])("%s", (_, daemon, observation, texts) => {
    expect(found({ daemon }, observation)).toEqual(texts);
  });
});

describe("what could not be told", () => {
  it.each<[string, Partial<HostArgs>, string]>([
    ["a program", { daemon: { icc: false } }, "whether iptables is installed"],
    ["a module", modules, "whether the kernel module br_netfilter can be loaded"],
    ["a socket", { daemon: { "log-driver": "journald" } }, "whether /run/systemd/journal/socket is there"],
    ["a collector", { daemon: collector("tcp://192.0.2.1:514") }, "whether 192.0.2.1:514 answers"],
    ["a plugin", { daemon: { "authorization-plugins": ["opa"] } }, "whether the plugin opa is there"],
    ["a log driver", { daemon: { "log-driver": "loki" } }, "whether the plugin loki is there"],
  ])("%s", (_, change, text) => {
    const blind = defaultHost({ needs: {}, bridgeNetfilter: false });
    expect(found(change, blind)).toEqual([]);
    expect(doubts(change, blind)).toEqual([`${text} (it was not asked for)`]);
    const [need] = needsOf(declared(change)).map(needName);
    expect(doubts(change, { ...blind, needs: { [need ?? ""]: unknown("no bash") } })).toEqual([`${text} (no bash)`]);
    expect(doubts(change, { ...blind, needs: met(need ?? "") })).toEqual([]);
  });

  it("is none where the kernel works with the module already", () => {
    expect(doubts(modules, defaultHost({ needs: {}, bridgeNetfilter: true }))).toEqual([]);
  });
});
