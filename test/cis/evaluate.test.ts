import { describe, expect, it } from "vitest";
import { docker16 } from "../../src/cis/docker-1.6.ts";
import { auditedPaths, evaluateHost, statPaths, summarize } from "../../src/cis/evaluate.ts";
import { remappedTo } from "../../src/effect/daemon.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import type { HostInputs } from "../../src/desired/host-inputs.ts";
import { daemonJsonText } from "../../src/plan/plan.ts";
import { digest } from "../../src/plan/seen.ts";
import { defaultHost, info, withUnreadDaemonJson, mount } from "../support/observation.ts";

describe("the benchmark as data", () => {
  it("has every control of 1.1, 2 and 3 once, in order", () => {
    const sections: [string, number][] = [["1.1", 18], ["2", 18], ["3", 24]];
    const ids = sections.flatMap(([section, last]) => Array.from({ length: last }, (_, i) => `${section}.${i + 1}`));
    expect(docker16.controls.map(({ id }) => id)).toEqual(ids);
  });

  it("needs no path that nobody looks at", () => {
    const paths = docker16.controls.flatMap(({ check }) => ((check.kind === "owner" || check.kind === "mode") && "path" in check.of ? [check.of.path] : []));
    expect(statPaths).toEqual(expect.arrayContaining(paths));
    expect(auditedPaths).toContain("/usr/bin/dockerd");
  });
});

describe("a default Debian host", () => {
  it("fails what docker-bench warns of", () => {
    expect(summarize(evaluateHost(defaultHost()))).toEqual({
      passed: 21,
      failed: 17,
      pending: 0,
      manual: 2,
      notApplicable: 20,
      unknown: 0,
      failing: [
        "1.1.1 a separate partition for containers has been created",
        "1.1.3 auditing is configured for the Docker daemon",
        "1.1.4 auditing is configured for Docker files and directories - /run/containerd",
        "1.1.5 auditing is configured for Docker files and directories - /var/lib/docker",
        "1.1.6 auditing is configured for Docker files and directories - /etc/docker",
        "1.1.7 auditing is configured for Docker files and directories - docker.service",
        "1.1.8 auditing is configured for Docker files and directories - containerd.sock",
        "1.1.9 auditing is configured for Docker files and directories - docker.socket",
        "1.1.10 auditing is configured for Docker files and directories - /etc/default/docker",
        "1.1.14 auditing is configured for Docker files and directories - /usr/bin/containerd",
        "2.2 network traffic is restricted between containers on the default bridge",
        "2.9 user namespace support is enabled",
        "2.12 authorization for Docker client commands is enabled",
        "2.13 centralized and remote logging is configured",
        "2.14 containers are restricted from acquiring new privileges",
        "2.15 live restore is enabled",
        "2.16 Userland Proxy is disabled",
      ],
    });
  });
});

describe("a host that could not be read in part", () => {
  it("never passes for what is not known", () => {
    const nothing = unknown("the host did not say");
    const blind = defaultHost({
      info: nothing, bridgeOptions: nothing, containers: nothing, auditStatus: nothing, auditRules: nothing, auditRulesOnDisk: nothing,
      iptables: nothing, dockerProxies: nothing, mounts: nothing, dockerGroup: nothing, registryCertificates: nothing, processes: {}, units: {},
      files: Object.fromEntries(statPaths.map((path) => [path, nothing])),
    });
    expect(evaluateHost(blind).filter(({ verdict }) => verdict === "pass")).toEqual([]);
  });
});

describe("a daemon.json that somebody changed behind the daemon's back", () => {
  const daemon = { "default-ulimits": { nofile: { Name: "nofile", Soft: 1024, Hard: 65536 } }, "log-level": "info" };
  const wish: HostInputs = {
    connection: { host: "192.0.2.10", port: 22 }, allow: [], daemon, files: {}, modes: {}, reachable: "yes",
    host: { missing: [], starts: [], dockerExecStart: "" },
    inEffect: { services: {}, configuration: "as on disk", daemon: {}, limits: {} },
  };
  const applied = (text: string) => ({ daemon: "500:1", configuration: digest(text) });
  const changed = (by: object, text: string) => withUnreadDaemonJson({ ...daemon, ...by }, { applied: applied(text) });
  const verdicts = (observation: Observation) => Object.fromEntries(evaluateHost(observation, wish).map(({ id, verdict }) => [id, verdict]));
  const written = daemonJsonText(daemon, {}, {});

  it("leaves the controls alone that the change is not about", () => {
    expect(verdicts(changed({ "insecure-registries": ["r.example"] }, written))).toMatchObject({ "2.3": "pass", "2.5": "fail", "2.8": "pass" });
    expect(verdicts(changed({ "log-level": "debug" }, written))).toMatchObject({ "2.3": "fail", "2.8": "pass" });
  });

  it("counts a key of the user's that was there then", () => {
    const withLabels = daemonJsonText(daemon, { labels: ["a=b"] }, {});
    expect(verdicts(changed({ labels: ["a=b"], experimental: true }, withLabels))).toMatchObject({ "2.8": "pass" });
  });

  it("does not call pending what the daemon has read and does not do", () => {
    const liveRestore = { ...daemon, "live-restore": true };
    const reloaded = withUnreadDaemonJson({ ...liveRestore, experimental: true }, { applied: applied(daemonJsonText(liveRestore, {}, {})) });
    const results = evaluateHost(reloaded, { ...wish, daemon: liveRestore });
    expect(results.find(({ id }) => id === "2.15")).toMatchObject({ verdict: "fail", evidence: "live-restore: the files say true, the running daemon has false" });
  });

  it("waits for a restart when nobody knows what the daemon has read", () => {
    expect(verdicts(changed({}, "another text"))).toMatchObject({ "2.3": "pending", "2.8": "pending" });
  });
});

describe("1.1.1, the data root's partition", () => {
  const partition = (change: Partial<Observation>) => evaluateHost(defaultHost(change)).find(({ id }) => id === "1.1.1");
  const root = mount("/", "8:1");
  const inContainerd = info({ DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]] });
  const remapped = info({ SecurityOptions: ["name=userns"], DockerRootDir: "/var/lib/docker/100000.100000" });

  it.each([
    ["shares the root filesystem", { mounts: known([root]) }, "fail", "/var/lib/docker is no filesystem of its own"],
    ["has its own", { mounts: known([root, mount("/var/lib/docker", "8:16")]) }, "pass", "/var/lib/docker is its own filesystem, device /dev/8:16"],
    ["is bound onto itself by dockerd", { mounts: known([root, mount("/var/lib/docker", "8:1")]) }, "fail", "/var/lib/docker is no filesystem of its own"],
    ["has its own, below it userns-remap", { info: remapped, mounts: known([root, mount("/var/lib/docker", "8:16")]) }, "pass", "/var/lib/docker is its own filesystem, device /dev/8:16"],
    ["has its own, and images fill the other one", { info: inContainerd, mounts: known([root, mount("/var/lib/docker", "8:16")]) }, "fail", "/var/lib/containerd, where this engine keeps images, is no filesystem of its own"],
    ["has its own, and so have the images", { info: inContainerd, mounts: known([root, mount("/var/lib/docker", "8:16"), mount("/var/lib/containerd", "8:17")]) }, "pass", "/var/lib/docker is its own filesystem, device /dev/8:16; /var/lib/containerd is its own filesystem, device /dev/8:17"],
    ["was not looked at", { mounts: unknown("no /proc") }, "unknown", "no /proc"],
  ] as const)("%s", (_what, change, verdict, evidence) => {
    expect(partition(change)).toMatchObject({ verdict, evidence });
  });

  it("stands on the remapped root being recognised", () => {
    expect(remapped.known && remappedTo(remapped.value)).toBe("100000.100000");
  });
});

describe("1.1.2, the group docker", () => {
  const users = (members: string[]) => evaluateHost(defaultHost({ dockerGroup: known(members) })).find(({ id }) => id === "1.1.2");

  it("passes without members, and names them otherwise", () => {
    expect(users([])).toMatchObject({ verdict: "pass" });
    expect(users(["ops", "ci"])).toMatchObject({ verdict: "manual", evidence: "getent group docker: ops, ci; each of them is as good as root" });
  });
});
