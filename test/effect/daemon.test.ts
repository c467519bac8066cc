import { describe, expect, it } from "vitest";
import type { Json } from "../../src/desired/host-inputs.ts";
import { configurationInEffect, daemonKeyInEffect, daemonWishedInEffect, remappedTo } from "../../src/effect/daemon.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { defaultHost, file, info, noIcc } from "../support/observation.ts";

const remapped = (change: Partial<Observation> = {}): Observation =>
  defaultHost({ info: info({ SecurityOptions: ["name=userns"], DockerRootDir: "/var/lib/docker/165536.165536" }), subordinateUids: "ops:100000:65536\ndockremap:165536:65536\n", ...change });
const running = (...flags: string[]): Observation["processes"] => ({ docker: { command: ["/usr/bin/dockerd", ...flags], startTicks: 1, startedAt: 2000, pid: 500, oomScoreAdjust: "0", openFiles: "1" } });

const nftables = (change: Partial<Observation>): Observation => defaultHost({ info: info({ ServerVersion: "29.1.0", FirewallBackend: { Driver: "nftables" } }), ...change });

describe("what the running daemon is asked for each key", () => {
  it.each<[string, Json, Observation, Json]>([
    ["icc", false, defaultHost(), true],
    ["icc", false, defaultHost(noIcc), false],
    ["icc", false, defaultHost({ iptables: unknown("iptables: not found"), bridgeOptions: known({ "com.docker.network.bridge.enable_icc": "false" }) }), false],
    ["icc", false, defaultHost({ iptables: unknown("iptables: not found"), bridgeOptions: unknown("no") }), "unknown: iptables: not found"],
    // Chains of iptables may be left from before: dockerd's word counts there.
    ["icc", false, nftables({ bridgeOptions: known({ "com.docker.network.bridge.enable_icc": "true" }), iptables: known(["-P FORWARD DROP"]) }), true],
    ["icc", false, nftables({ bridgeOptions: known({ "com.docker.network.bridge.enable_icc": "false" }), iptables: known(["-P FORWARD ACCEPT"]) }), false],
    ["icc", false, nftables({ bridgeOptions: unknown("no") }), "unknown: not asked: dockerd works by nftables"],
    ["userns-remap", "default", defaultHost(), ""],
    ["userns-remap", "default", remapped(), "default"],
    ["userns-remap", "dockremap", remapped(), "dockremap"],
    // The daemon runs with the ranges of another user.
    ["userns-remap", "ops", remapped(), "165536.165536"],
    ["userns-remap", "dockremap", remapped({ subordinateUids: "" }), "165536.165536"],
    ["userns-remap", "do.kremap", remapped(), "165536.165536"],
    ["live-restore", true, defaultHost(), false],
    ["live-restore", true, defaultHost({ info: info({ LiveRestoreEnabled: true }) }), true],
    ["no-new-privileges", true, defaultHost({ info: info({ ServerVersion: "24.0.7" }) }), false],
    ["no-new-privileges", true, defaultHost({ info: info({ ServerVersion: "24.0.7", SecurityOptions: ["name=no-new-privileges"] }) }), true],
    // Older engines do not report it.
    ["no-new-privileges", true, defaultHost(), true],
    ["userland-proxy", false, defaultHost(), false],
    ["userland-proxy", false, defaultHost({ dockerProxies: known(2) }), true],
    ["userland-proxy", false, defaultHost({ dockerProxies: unknown("no") }), "unknown: no"],
    ["userland-proxy", false, defaultHost({ processes: running("--userland-proxy=false"), dockerProxies: known(2) }), false],
    ["userland-proxy", false, defaultHost({ processes: running("--userland-proxy-path=/usr/bin/docker-proxy") }), false],
    ["iptables", true, defaultHost(), true],
    ["iptables", true, defaultHost({ iptables: known(["-P FORWARD ACCEPT"]) }), false],
    ["iptables", true, defaultHost({ iptables: known(["-N DOCKER", "-P FORWARD ACCEPT"]) }), false],
    ["iptables", true, defaultHost({ iptables: unknown("no") }), "unknown: no"],
    // Chains of an earlier dockerd stay until the next boot.
    ["iptables", false, defaultHost(), false],
    ["iptables", true, nftables({ iptables: known(["-P FORWARD ACCEPT"]) }), true],
    ["log-driver", "syslog", defaultHost(), "json-file"],
    ["insecure-registries", [], defaultHost(), []],
    ["insecure-registries", [], defaultHost({ info: info({ RegistryConfig: { InsecureRegistryCIDRs: ["::1/128", "127.0.0.0/8", "10.0.0.0/8"], IndexConfigs: { "docker.io": { Secure: true }, "reg:5000": { Secure: false } } } }) }), ["10.0.0.0/8", "reg:5000"]],
    // dockerd keeps a set, and tells networks and names apart.
    ["insecure-registries", ["reg:5000", "10.0.0.0/8", "a:5000"], defaultHost({ info: info({ RegistryConfig: { InsecureRegistryCIDRs: ["10.0.0.0/8", "127.0.0.0/8"], IndexConfigs: { "a:5000": { Secure: false }, "reg:5000": { Secure: false } } } }) }), ["reg:5000", "10.0.0.0/8", "a:5000"]],
    ["default-cgroupns-mode", "private", defaultHost(), "private"],
    ["default-cgroupns-mode", "private", defaultHost({ info: info({ SecurityOptions: [] }) }), "host"],
    ["default-runtime", "runc", defaultHost({ info: info({ DefaultRuntime: "kata" }) }), "kata"],
    ["authorization-plugins", [], defaultHost({ info: info({ Plugins: { Authorization: ["opa"] } }) }), ["opa"]],
    ["experimental", false, defaultHost({ info: info({ ExperimentalBuild: true }) }), true],
    ["debug", false, defaultHost({ info: info({ Debug: true }) }), true],
    ["storage-driver", "overlay2", defaultHost({ info: info({ Driver: "btrfs" }) }), "btrfs"],
    ["live-restore", true, defaultHost({ info: unknown("docker.service is inactive") }), "unknown: docker.service is inactive"],
  ])("%s: %j", (key, wished, observation, inEffect) => {
    expect(daemonKeyInEffect(key, wished, observation)).toEqual(inEffect);
  });

  it.each(["log-opts", "default-ulimits", "log-level"])("nobody can be asked about %s", (key) => {
    expect(daemonKeyInEffect(key, {}, defaultHost())).toBeUndefined();
    expect(daemonWishedInEffect({ [key]: "x" })).not.toHaveProperty(key);
  });

  it("a security key that nobody wishes is asked for its default: a reload may have taken it up from a file that was put back at once", () => {
    expect(daemonWishedInEffect({ icc: false, debug: true })).toEqual({ "authorization-plugins": [], debug: true, "default-runtime": "runc", experimental: false, icc: false, "insecure-registries": [], "seccomp-profile": "builtin" });
  });

  it("the default host has all of these defaults", () => {
    for (const [key, value] of Object.entries(daemonWishedInEffect({}))) expect([key, daemonKeyInEffect(key, value, defaultHost())]).toEqual([key, value]);
  });
});

describe("the user namespace", () => {
  it.each([
    [["name=userns"], "/var/lib/docker/165536.165536", "165536.165536"],
    [["name=userns"], "/var/lib/docker", "unknown"],
    [["name=usernsish"], "/var/lib/docker/1.1", undefined],
    [[], "/var/lib/docker/100000.100000", undefined],
  ])("of %j under %s is %s", (SecurityOptions, DockerRootDir, ids) => {
    const fact = info({ SecurityOptions, DockerRootDir });
    expect(fact.known && remappedTo(fact.value)).toBe(ids);
  });
});

describe("whether the daemon read daemon.json as it is", () => {
  const digest = (text: string): string => `digest of ${text}`;
  // The daemon started at 2000.
  const withFile = (changedAt: number, change: Partial<Observation> = {}): Observation => defaultHost({ files: { "/etc/docker/daemon.json": file("{}", { changedAt }) }, ...change });

  it.each<[string, Observation, string]>([
    ["older than the daemon", withFile(1999), "as on disk"],
    ["changed while the daemon ran", withFile(2001), "daemon.json was changed after dockerd started"],
    // Seconds are too coarse to say which of both was first.
    ["changed in the second in which it started", withFile(2000), "daemon.json was changed after dockerd started"],
    ["the very text that the last apply loaded", withFile(2500, { applied: { daemon: "500:1", configuration: "digest of {}" } }), "as on disk"],
    ["another text than the last apply loaded, with an old date", withFile(1, { applied: { daemon: "500:1", configuration: "digest of other" } }), "daemon.json was changed after dockerd read it"],
    ["noted by the last apply for a process of before", withFile(2500, { applied: { daemon: "499:1", configuration: "digest of {}" } }), "daemon.json was changed after dockerd started"],
    ["noted for the same pid of before a boot", withFile(2500, { applied: { daemon: "500:9", configuration: "digest of {}" } }), "daemon.json was changed after dockerd started"],
    ["not there", defaultHost(), "as on disk"],
    ["not there any more", defaultHost({ applied: { daemon: "500:1", configuration: "digest of {}" } }), "daemon.json was changed after dockerd read it"],
    ["not readable", defaultHost({ files: { "/etc/docker/daemon.json": unknown("Input/output error") } }), "unknown: Input/output error"],
    ["read by nobody", defaultHost({ processes: {} }), "unknown: dockerd is not running"],
  ])("%s", (_, observation, answer) => {
    expect(configurationInEffect(observation, digest)).toBe(answer);
  });
});
