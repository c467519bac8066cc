import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/desired/host-inputs.ts";
import type { EnvironmentFlag } from "../../src/observed/environment-flags.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { commandLineFindings } from "../../src/plan/command-line.ts";
import { defaultHost } from "../support/observation.ts";
import { daemonWish } from "../support/wish.ts";

const daemon = (wished: JsonObject, observation: Observation): string[] => commandLineFindings(daemonWish(wished, observation), observation);

/** A unit with these flags behind the usual ones. */
const startedWith = (flags: string): Partial<Observation> => ({ dockerExecStart: `/usr/sbin/dockerd -H fd:// ${flags}` });

describe("a key that the command line has as well", () => {
  it.each<[string, JsonObject, Partial<Observation>, boolean]>([
    ["a flag", { "log-level": "info" }, startedWith("--log-level=info"), true],
    ["a flag with its value apart", { "log-level": "info" }, startedWith("--log-level info"), true],
    ["a short flag", { "log-level": "info" }, startedWith("-l info"), true],
    ["the shortest flag", { debug: false }, startedWith("-D"), true],
    ["a flag for one of several", { "log-opts": {} }, startedWith("--log-opt max-size=1m"), true],
    ["a flag whose plural is another word", { "insecure-registries": [] }, startedWith("--insecure-registry=reg:5000"), true],
    ["a flag from a variable, seen in the running daemon alone", { dns: [] }, { dockerExecStart: "/usr/sbin/dockerd -H fd:// $DOCKER_OPTS", environmentFlags: unknown("not asked"), processes: { docker: { command: ["/usr/sbin/dockerd", "-H", "fd://", "--dns=192.0.2.1"], startTicks: 1, startedAt: 2000, pid: 500, oomScoreAdjust: "0", openFiles: "1" } } }, true],
    ["a flag that the running daemon still has, and its unit has no more", { dns: [] }, { processes: { docker: { command: ["/usr/sbin/dockerd", "--dns=192.0.2.1"], startTicks: 1, startedAt: 2000, pid: 500, oomScoreAdjust: "0", openFiles: "1" } } }, false],
    ["another flag", { "log-level": "info" }, startedWith("--log-driver=syslog"), false],
    ["the address, which moves to the file", { hosts: ["fd://"] }, startedWith(""), false],
    ["runtimes, which the engine merges", { runtimes: {} }, startedWith("--add-runtime kata=/usr/bin/kata"), false],
  ])("%s", (_, wished, observation, refused) => {
    const texts = daemon(wished, defaultHost(observation));
    const unit = observation.dockerExecStart ?? defaultHost().dockerExecStart;
    const line = unit.includes("$") ? observation.processes?.docker?.command.join(" ") : unit;
    expect(texts).toEqual(refused ? [`daemon.${Object.keys(wished)[0] ?? ""} also stands on the command line of docker.service (${line ?? ""}), and dockerd refuses to start with both; remove it there or here`] : []);
  });

  it.each([
    ["-D", "debug"],
    ["--insecure-registry=reg:5000", "insecure-registries"],
    ["--default-runtime kata", "default-runtime"],
    ["--authorization-plugin=opa", "authorization-plugins"],
    ["--experimental", "experimental"],
  ])("%s sets what must not be set", (flag, key) => {
    expect(daemon({ icc: false }, defaultHost(startedWith(flag)))).toEqual([`${key} stands on the command line of docker.service (/usr/sbin/dockerd -H fd:// ${flag}) and must not be set; remove it there`]);
  });
});

describe("another file than the one we write", () => {
  const has = (file: string, what: string): string[] => [`${file} (${what}): dockerd reads that file, and Drydock writes /etc/docker/daemon.json; move what it has there, and take the flag out`];
  const onLine = (flags: string): string[] => has("docker.service has --config-file on its command line", `/usr/sbin/dockerd -H fd:// ${flags}`);
  it.each<[string, Partial<Observation>, string[]]>([
    ["on the command line", startedWith("--config-file=/etc/docker/prod.json"), onLine("--config-file=/etc/docker/prod.json")],
    ["in a word of its own", startedWith("--config-file /srv/docker.json"), onLine("--config-file /srv/docker.json")],
    ["the last of two, which counts", startedWith("--config-file=/etc/docker/daemon.json --config-file=/srv/docker.json"), onLine("--config-file=/etc/docker/daemon.json --config-file=/srv/docker.json")],
    ["the very one", startedWith("--config-file=/etc/docker/daemon.json"), []],
    ["the very one in a word of its own", startedWith("--config-file /etc/docker/daemon.json"), []],
    ["in a variable", { ...startedWith("$DOCKER_OPTS"), environmentFlags: known<EnvironmentFlag[]>([{ file: "/etc/default/docker", variable: "DOCKER_OPTS", flag: "--config-file" }]) }, has("/etc/default/docker has --config-file for docker.service", "DOCKER_OPTS")],
    ["in a variable that the unit does not use", { ...startedWith(""), environmentFlags: known<EnvironmentFlag[]>([{ file: "/etc/default/docker", variable: "DOCKER_OPTS", flag: "--config-file" }]) }, []],
  ])("is refused: %s", (_, observation, texts) => {
    expect(daemon({ icc: false }, defaultHost(observation))).toEqual(texts);
  });
});

describe("a variable of the unit", () => {
  const has = (flag: string, variable = "DOCKER_OPTS"): Partial<Observation> => ({ ...startedWith("$DOCKER_OPTS"), environmentFlags: known<EnvironmentFlag[]>([{ file: "/etc/default/docker", variable, flag }]) });
  const where = (flag: string): string => `in /etc/default/docker, which docker.service takes its command line from (DOCKER_OPTS: ${flag})`;

  it.each<[string, JsonObject, Partial<Observation>, string[]]>([
    ["has the flag at the next start", { "log-level": "info" }, has("--log-level"), [`daemon.log-level also stands ${where("--log-level")}, and dockerd refuses to start with both; remove it there or here`]],
    ["has a short one", { debug: false }, has("-D"), [`daemon.debug also stands ${where("-D")}, and dockerd refuses to start with both; remove it there or here`]],
    ["has an address, which nobody takes out there", { hosts: ["fd://"] }, has("-H"), [`daemon.hosts also stands ${where("-H")}, and dockerd refuses to start with both; remove it there or here`]],
    ["has what must not be set", {}, has("--insecure-registry"), [`insecure-registries stands ${where("--insecure-registry")} and must not be set; remove it there`]],
    ["is in braces", { "log-level": "info" }, { ...has("--log-level"), dockerExecStart: "/usr/sbin/dockerd ${DOCKER_OPTS}" }, [`daemon.log-level also stands ${where("--log-level")}, and dockerd refuses to start with both; remove it there or here`]],
    ["is another one, which the unit does not use", { "log-level": "info" }, has("--log-level", "OTHER"), []],
    ["has lost what the running daemon still has", { dns: [] }, { ...has("--mtu"), processes: { docker: { command: ["/usr/sbin/dockerd", "--dns=192.0.2.1"], startTicks: 1, startedAt: 2000, pid: 500, oomScoreAdjust: "0", openFiles: "1" } } }, []],
    ["switches the firewall off", { icc: false }, has("--iptables=false"), ["daemon.icc: false needs iptables, and docker.service has --iptables=false, so dockerd would not start; remove it there"]],
  ])("%s", (_, wished, observation, texts) => {
    expect(daemon(wished, defaultHost(observation))).toEqual(texts);
  });
});

describe("icc: false with a firewall that the unit switches off", () => {
  it.each<[string, JsonObject, string, string[]]>([
    ["IPv4", { icc: false }, "--iptables=false", ["daemon.icc: false needs iptables, and docker.service has --iptables=false, so dockerd would not start; remove it there"]],
    ["IPv6", { icc: false, ipv6: true }, "--ip6tables=false", ["daemon.icc: false needs ip6tables, and docker.service has --ip6tables=false, so dockerd would not start; remove it there"]],
    ["IPv6 that nobody uses", { icc: false }, "--ip6tables=false", []],
    ["on", { icc: false }, "--iptables=true", []],
    ["icc as it is", { icc: true }, "--iptables=false", []],
  ])("%s", (_, wished, flags, texts) => {
    expect(daemon(wished, defaultHost(startedWith(flags)))).toEqual(texts);
  });
});
