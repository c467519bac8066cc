import { expect, it } from "vitest";
import { evaluateHost } from "../../src/cis/evaluate.ts";
import { inWords } from "../../src/cis/daemon-checks.ts";
import type { Verdict } from "../../src/cis/verdict.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { seccompFile } from "../../src/config/seccomp.ts";
import { container, defaultHost, file, info, noIcc, withDaemonJson, withUnreadDaemonJson } from "../support/observation.ts";
import { declared, wishFor } from "../support/wish.ts";

const resultFor = (id: string, observation: Observation) => {
  const result = evaluateHost(observation).find((candidate) => candidate.id === id);
  if (!result) throw new Error(`no control ${id}`);
  return result;
};

const stopped: Partial<Observation> = { processes: {}, info: unknown("docker.service is inactive"), containers: unknown("docker.service is inactive"), bridgeOptions: unknown("docker.service is inactive") };

const withFlag = (flag: string, change: Partial<Observation> = {}): Observation => {
  const host = defaultHost(change);
  const line = `/usr/sbin/dockerd -H fd:// ${flag}`;
  return {
    ...host,
    units: { ...host.units, "docker.service": { ...host.units["docker.service"], ExecStart: `{ path=/usr/sbin/dockerd ; argv[]=${line} ; ignore_errors=no }` } },
    processes: { docker: { command: line.split(" "), startTicks: 1, startedAt: 2000, pid: 500, oomScoreAdjust: "-500", openFiles: "1" } },
  };
};

const cases: [id: string, what: string, observation: Observation, verdict: Verdict][] = [
  ["2.1", "root is left to the reader", defaultHost(), "manual"],
  ["2.1", "rootless passes", defaultHost({ info: info({ SecurityOptions: ["name=rootless"] }) }), "pass"],
  ["2.2", "the default forwards", defaultHost(), "fail"],
  ["2.2", "file and kernel agree", withDaemonJson({ icc: false }, noIcc), "pass"],
  ["2.2", "a flag of the unit is as good as the file", withFlag("--icc=false", noIcc), "pass"],
  ["2.2", "an ACCEPT put in front in the kernel", withDaemonJson({ icc: false }, { ...noIcc, iptables: known(["-P FORWARD DROP", "-A FORWARD -i docker0 -o docker0 -j ACCEPT", "-A FORWARD -i docker0 -o docker0 -j DROP"]) }), "fail"],
  ["2.2", "the file was changed behind the daemon's back", withDaemonJson({ icc: true }, noIcc), "fail"],
  ["2.2", "the daemon did not read it yet", withUnreadDaemonJson({ icc: false }), "pending"],
  ["2.2", "the bridge stays while a container runs", withDaemonJson({ icc: false }, { containers: known([container("web")]) }), "pending"],
  ["2.2", "the word false in another place", withDaemonJson({ icc: true, label: "false" }), "fail"],
  ["2.2", "a file that is no JSON", withBrokenDaemonJson(), "unknown"],
  ["2.3", "the default is info", defaultHost(), "pass"],
  ["2.3", "debug in the file wins", withDaemonJson({ debug: true }, { info: info({ Debug: true }) }), "fail"],
  ["2.3", "another level", withDaemonJson({ "log-level": "error" }), "fail"],
  ["2.3", "-l on the command line", withFlag("-l debug"), "fail"],
  ["2.4", "the default", defaultHost(), "pass"],
  ["2.4", "switched off", withDaemonJson({ iptables: false }, { iptables: known(["-P FORWARD ACCEPT"]) }), "fail"],
  ["2.4", "somebody flushed the kernel's rules", defaultHost({ iptables: known(["-P FORWARD ACCEPT"]) }), "fail"],
  ["2.5", "loopback alone", defaultHost(), "pass"],
  ["2.5", "an empty list", withDaemonJson({ "insecure-registries": [] }), "pass"],
  ["2.5", "one in file and daemon", withDaemonJson({ "insecure-registries": ["r.example:5000"] }, { info: info({ RegistryConfig: { InsecureRegistryCIDRs: ["127.0.0.0/8"], IndexConfigs: { "r.example:5000": { Secure: false } } } }) }), "fail"],
  ["2.5", "gone from the file, still in the daemon", withUnreadDaemonJson({}, { info: info({ RegistryConfig: { InsecureRegistryCIDRs: ["127.0.0.0/8"], IndexConfigs: { "r.example:5000": { Secure: false } } } }) }), "pending"],
  ["2.6", "overlay2", defaultHost(), "pass"],
  ["2.6", "aufs", defaultHost({ info: info({ Driver: "aufs" }) }), "fail"],
  ["2.7", "no TCP", defaultHost(), "not applicable"],
  ["2.7", "TCP without client verification", withFlag("-H tcp://0.0.0.0:2375"), "fail"],
  ["2.7", "tls is not tlsverify", withDaemonJson({ hosts: ["tcp://0.0.0.0:2376"], tls: true }), "fail"],
  ["2.7", "TCP with client verification", withDaemonJson({ hosts: ["tcp://0.0.0.0:2376", "fd://"], tlsverify: true }), "pass"],
  ["2.7", "an address without a scheme is TCP", withFlag("-H :2375"), "fail"],
  ["2.8", "left to the reader", defaultHost(), "manual"],
  ["2.8", "set", withDaemonJson({ "default-ulimits": { nofile: { Name: "nofile", Soft: 1024, Hard: 65536 } } }), "pass"],
  ["2.9", "the default", defaultHost(), "fail"],
  ["2.9", "on", withDaemonJson({ "userns-remap": "default" }, { info: info({ SecurityOptions: ["name=userns"], DockerRootDir: "/var/lib/docker/100000.100000" }), subordinateUids: "dockremap:100000:65536\n" }), "pass"],
  ["2.9", "root switches it off with a warning only", withDaemonJson({ "userns-remap": "root" }), "fail"],
  ["2.10", "the default", defaultHost(), "pass"],
  ["2.10", "another parent nobody confirmed", withDaemonJson({ "cgroup-parent": "other.slice" }), "fail"],
  ["2.11", "the default", defaultHost(), "pass"],
  ["2.11", "changed", withDaemonJson({ "storage-opts": ["dm.basesize=20G"] }), "fail"],
  ["2.12", "none", defaultHost(), "fail"],
  ["2.12", "in file and daemon", withDaemonJson({ "authorization-plugins": ["opa"] }, { info: info({ Plugins: { Authorization: ["opa"] } }) }), "pass"],
  ["2.12", "an empty list is none", withDaemonJson({ "authorization-plugins": [] }), "fail"],
  ["2.13", "json-file", defaultHost(), "fail"],
  ["2.13", "local is not remote", withDaemonJson({ "log-driver": "local" }, { info: info({ LoggingDriver: "local" }) }), "fail"],
  ["2.13", "syslog", withDaemonJson({ "log-driver": "syslog" }, { info: info({ LoggingDriver: "syslog" }) }), "pass"],
  ["2.13", "a container made before", withDaemonJson({ "log-driver": "syslog" }, { info: info({ LoggingDriver: "syslog" }), containers: known([container("old", { logDriver: "json-file" })]) }), "pending"],
  ["2.14", "the default", defaultHost(), "fail"],
  ["2.14", "on", withDaemonJson({ "no-new-privileges": true }, { info: info({ SecurityOptions: ["name=no-new-privileges"] }) }), "pass"],
  ["2.14", "not read yet", withUnreadDaemonJson({ "no-new-privileges": true }), "pending"],
  ["2.15", "the default", defaultHost(), "fail"],
  ["2.15", "on", withDaemonJson({ "live-restore": true }, { info: info({ LiveRestoreEnabled: true }) }), "pass"],
  ["2.15", "a Swarm node", defaultHost({ info: info({ Swarm: { LocalNodeState: "active" } }) }), "not applicable"],
  ["2.16", "the default", defaultHost(), "fail"],
  ["2.16", "read from the file, nothing published", withDaemonJson({ "userland-proxy": false }), "pass"],
  ["2.16", "a published port with its proxy", withDaemonJson({ "userland-proxy": false }, { dockerProxies: known(2) }), "fail"],
  ["2.16", "not read yet, a proxy runs", withUnreadDaemonJson({ "userland-proxy": false }, { dockerProxies: known(2) }), "pending"],
  ["2.16", "touched after the start, but a port is published without a proxy", withUnreadDaemonJson({ "userland-proxy": false }, { containers: known([container("web", { ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "8080" }] } })]) }), "pass"],
  ["2.17", "the engine's own, by its old name", defaultHost(), "pass"],
  ["2.17", "the engine's own, by its new name", defaultHost({ info: info({ SecurityOptions: ["name=seccomp,profile=builtin"] }) }), "pass"],
  ["2.17", "off", withDaemonJson({ "seccomp-profile": "unconfined" }, { info: info({ SecurityOptions: ["name=seccomp,profile=unconfined"] }) }), "fail"],
  ["2.17", "a kernel without it", defaultHost({ info: info({ SecurityOptions: [] }) }), "fail"],
  ["2.17", "a custom one nobody declared", withDaemonJson({ "seccomp-profile": "/etc/docker/s.json" }, { info: info({ SecurityOptions: ["name=seccomp,profile=/etc/docker/s.json"] }) }), "manual"],
  ["2.18", "the default", defaultHost(), "pass"],
  ["2.18", "on", withDaemonJson({ experimental: true }, { info: info({ ExperimentalBuild: true }) }), "fail"],
  ...["2.1", "2.3", "2.4", "2.5", "2.6", "2.17", "2.18"].map((id): (typeof cases)[number] => [id, "a stopped daemon proves nothing", defaultHost(stopped), "unknown"]),
];

it.each(cases)("%s: %s", (id, _what, observation, verdict) => {
  expect(resultFor(id, observation)).toMatchObject({ id, verdict });
});

it("names what a pending control waits for", () => {
  expect(resultFor("2.14", withUnreadDaemonJson({ "no-new-privileges": true })).evidence).toBe(
    "waits for a restart of docker.service: daemon.json was changed after dockerd started",
  );
  expect(resultFor("2.2", withDaemonJson({ icc: false }, { containers: known([container("web")]) })).evidence).toBe(
    "waits for a restart of docker.service while no container runs (web)",
  );
});

it.each<[string, number, Verdict]>([
  ["that the daemon has read", 1000, "pass"],
  ["that was edited since", 2500, "fail"],
])("2.17, a profile of the stack file %s: %s", (_, changedAt, verdict) => {
  const custom = info({ SecurityOptions: [`name=seccomp,profile=${seccompFile}`] });
  const host = withDaemonJson({ "seccomp-profile": seccompFile }, { info: custom });
  const observation = { ...host, files: { ...host.files, [seccompFile]: file("{}\n", { changedAt }) } };
  const wish = wishFor(declared({ daemon: { "seccomp-profile": seccompFile }, files: { [seccompFile]: "{}\n" } }), observation);
  expect(evaluateHost(observation, wish).find(({ id }) => id === "2.17")).toMatchObject({ verdict, declared: seccompFile });
});

it("shows the three truths in the words of the file", () => {
  expect(resultFor("2.2", defaultHost())).toMatchObject({
    setting: "icc",
    onDisk: "true",
    inEffect: "true",
    evidence: "icc: the files say true, the running daemon has true",
  });
});

it.each([
  [undefined, "not set"],
  ["", "off"],
  [[], "none"],
  [["a", "b"], "a, b"],
  [false, "false"],
  [{ nofile: { Name: "nofile", Soft: 1024, Hard: 65536 } }, "nofile=1024:65536"],
])("writes %j as %s", (value, words) => {
  expect(inWords(value)).toBe(words);
});

function withBrokenDaemonJson(): Observation {
  const host = withDaemonJson({}, noIcc);
  const broken = host.files["/etc/docker/daemon.json"];
  if (broken?.known) broken.value.text = "{ icc: false";
  return host;
}
