import { describe, expect, it } from "vitest";
import type { HostInputs } from "../../src/desired/host-inputs.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { differences } from "../../src/plan/describe.ts";
import { auditCandidates, daemonConfigurationOn, foreignDaemonKeys, hostFacts, modeOf, observedInputs, oldDataOn } from "../../src/plan/seen.ts";
import { auditRulesFile, daemonJson } from "../../src/plan/wish.ts";
import { container, defaultHost, file, info, noIcc, withDaemonJson } from "../support/observation.ts";
import { hardenedArgs, recorded } from "../support/recorded.ts";
import { daemonWish, declared, rendered, wishFor } from "../support/wish.ts";
import { volumeFiles } from "../../src/desired/volumes.ts";
import { data, declaredVolume, disk, hostWith, moved, ownUuid, volume } from "../support/volumes.ts";
import { planApply } from "../../src/plan/plan.ts";

const hardened = recorded("hardened");
const wish = wishFor(hardenedArgs(), hardened);

/** The recorded host after somebody was at it. */
const with_ = (change: Partial<Observation>): Observation => ({ ...hardened, ...change });
const withFile = (path: string, text: string | undefined): Observation => {
  const files = { ...hardened.files };
  if (text === undefined) Reflect.deleteProperty(files, path);
  else files[path] = file(text, { mode: path === auditRulesFile ? "0640" : "0644" });
  return with_({ files });
};
const textOf = (path: string): string => {
  const there = hardened.files[path];
  return there?.known ? (there.value.text ?? "") : "";
};
const infoWith = (change: object): Observation => with_({ info: hardened.info.known ? known({ ...hardened.info.value, ...change }) : hardened.info });
const scope = Object.keys(hardened.cgroups).find((name) => name.startsWith("docker-")) ?? "";
const dropIn = "/etc/systemd/system/docker.service.d/50-drydock.conf";

describe("a host that is as wished", () => {
  it("is seen exactly as the wish for it", () => {
    expect(observedInputs(wish, hardened)).toEqual(wish);
  });
});

describe("drift shows", () => {
  it.each<[string, Observation, string[]]>([
    ["a changed key", withFile(daemonJson, textOf(daemonJson).replace('"icc": false', '"icc": true')), ["daemon.icc: true => false", "inEffect.configuration: daemon.json was changed after dockerd read it"]],
    ["a security key that was added", withFile(daemonJson, textOf(daemonJson).replace("{", '{ "seccomp-profile": "unconfined",')), ['daemon.seccomp-profile: "unconfined" => nothing', "inEffect.configuration: daemon.json was changed after dockerd read it"]],
    ["daemon.json that is gone", withFile(daemonJson, undefined), ["daemon.icc: nothing => false", 'modes./etc/docker/daemon.json: "absent" => "root:root 0644"']],
    ["daemon.json that is no JSON", withFile(daemonJson, "{"), ["daemon.(unreadable): "]],
    ["a changed file", withFile(dropIn, "[Service]\n"), [`files.${dropIn}: has another text`]],
    ["a file that is gone", withFile(dropIn, undefined), [`files.${dropIn}: nothing => 4 lines`]],
    ["a file under our names", with_({ files: { ...hardened.files, "/etc/systemd/system/x-drydock.conf": file("x\n") }, strayFiles: [...hardened.strayFiles, "/etc/systemd/system/x-drydock.conf"] }), ['files./etc/systemd/system/x-drydock.conf: 1 lines => nothing']],
    ["another mode", with_({ files: { ...hardened.files, [dropIn]: file(textOf(dropIn), { mode: "0666" }) } }), [`modes.${dropIn}: "root:root 0666" => "root:root 0644"`]],
    ["another owner", with_({ files: { ...hardened.files, [dropIn]: file(textOf(dropIn), { owner: "ops" }) } }), [`modes.${dropIn}: "ops:root 0644" => "root:root 0644"`]],
    ["a stopped daemon", with_({ units: { ...hardened.units, "docker.service": { ActiveState: "inactive" } } }), ['inEffect.services.docker.service: "inactive" => "active"']],
    ["live-restore that is off", infoWith({ LiveRestoreEnabled: false }), ["inEffect.daemon.live-restore: false => true"]],
    ["another log driver", infoWith({ LoggingDriver: "json-file" }), ['inEffect.daemon.log-driver: "json-file" => "syslog"']],
    ["an ACCEPT in front of Docker's rules", with_({ iptables: known(["-P FORWARD DROP", "-N DOCKER", "-A FORWARD -o docker0 -j DOCKER", "-A FORWARD -i docker0 -o docker0 -j ACCEPT"]) }), ["inEffect.daemon.icc: true => false"]],
    ["an audit rule that was taken out", with_({ auditRules: hardened.auditRules.known ? known(hardened.auditRules.value.slice(1)) : hardened.auditRules }), ["inEffect.audit: + -a always,exit -F arch=b64 -F path=/usr/bin/dockerd"]],
    ["auditing that is off", with_({ auditStatus: known({ enabled: "0" }) }), ["inEffect.audit: - auditing is off (auditctl -s: enabled 0)"]],
    ["a limit of the slice", with_({ cgroups: { ...hardened.cgroups, "drydock-containers.slice": { ...hardened.cgroups["drydock-containers.slice"], "pids.max": "max" } } }), ['inEffect.limits.drydock-containers.slice TasksMax: "max" => "75%"']],
    ["a limit of a container", with_({ cgroups: { ...hardened.cgroups, [scope]: { ...hardened.cgroups[scope], "pids.max": "max" } } }), ['inEffect.limits.docker-.scope TasksMax: "max" => "512"']],
    ["what could not be asked", with_({ info: unknown("docker-info ended with exit status 124") }), ['inEffect.daemon.live-restore: "unknown: docker-info ended with exit status 124" => true']],
  ])("%s", (_, observation, lines) => {
    const found = differences(wish, observedInputs(wish, observation));
    expect(found.length).toBeGreaterThan(0);
    for (const line of lines) expect(found.some((text) => text.startsWith(line)), `${line}\n  in:\n${found.join("\n")}`).toBe(true);
  });
});

describe("what waits is no drift", () => {
  it("audit rules in a kernel that takes none before the next boot", () => {
    expect(differences(wish, observedInputs(wish, with_({ auditStatus: known({ enabled: "2" }), auditRules: known([]) })))).toEqual([]);
  });

  it("docker0 that stays closed when icc is wished again: dockerd does not make it anew while containers run", () => {
    const wished = { icc: true, "live-restore": true };
    const host = withDaemonJson(wished, { ...noIcc, containers: known([container("web")]), info: info({ LiveRestoreEnabled: true }) });
    expect(differences(daemonWish(wished, host), observedInputs(daemonWish(wished, host), host))).toEqual([]);
  });

  it("the user's own keys", () => {
    const observation = withDaemonJson({ dns: ["192.0.2.1"], icc: false });
    expect(observedInputs(wishFor(declared({ daemon: { icc: false } })), observation).daemon).toEqual({ icc: false });
    expect(foreignDaemonKeys({ icc: false }, { icc: true, dns: [], debug: true, bip: "x", "(unreadable)": "y" })).toEqual(["bip", "dns"]);
  });
});

describe("daemon.json as an object", () => {
  it.each<[string, Observation, object]>([
    ["not there", defaultHost(), {}],
    ["empty", defaultHost({ files: { [daemonJson]: file("\n") } }), {}],
    ["an object", withDaemonJson({ icc: false }), { icc: false }],
    ["a list", defaultHost({ files: { [daemonJson]: file("[1]") } }), { "(unreadable)": "not a JSON object" }],
    ["null", defaultHost({ files: { [daemonJson]: file("null") } }), { "(unreadable)": "not a JSON object" }],
    ["not readable", defaultHost({ files: { [daemonJson]: unknown("Input/output error") } }), { "(unreadable)": "Input/output error" }],
    ["a folder", defaultHost({ files: { [daemonJson]: file(undefined, { kind: "directory" }) } }), {}],
  ])("%s", (_, observation, object) => {
    expect(daemonConfigurationOn(observation)).toEqual(object);
  });

  it("that is cut off says so", () => {
    expect(Object.keys(daemonConfigurationOn(defaultHost({ files: { [daemonJson]: file('{"icc":') } })))).toEqual(["(unreadable)"]);
  });
});

describe("owner and mode", () => {
  it.each([
    [file("x"), "root:root 0644"],
    [file("", { kind: "regular empty file" }), "root:root 0644"],
    [file(undefined, { kind: "directory", mode: "0755" }), "root:root 0755"],
    [file(undefined, { kind: "symbolic link", mode: "0777" }), "root:root 0777 (a symbolic link)"],
    [unknown("Permission denied"), "unknown: Permission denied"],
    [undefined, "absent"],
  ])("%j", (state, text) => {
    expect(modeOf(defaultHost({ files: state ? { "/x": state } : {} }), "/x")).toBe(text);
  });
});

describe("the facts of a host", () => {
  it("are what its units start, and which audited paths are missing", () => {
    expect(hostFacts(defaultHost({ present: ["/etc/docker"] }), declared({ files: { [auditRulesFile]: ["/etc/sysconfig/docker", "/etc/docker"].map((path) => `-a always,exit -F arch=b64 -F path=${path} -F perm=wa -F key=docker\n`).join("") } }))).toEqual({
      starts: ["/usr/sbin/dockerd", "/usr/bin/containerd"],
      dockerExecStart: "/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock",
      missing: ["/etc/sysconfig/docker"],
    });
  });

  it("remember a missing path when its rule is gone from the file, or nobody would look for it again", () => {
    const rule = "-a always,exit -F arch=b64 -F path=/etc/sysconfig/docker -F perm=wa -F key=docker\n";
    const args = declared({ files: { [auditRulesFile]: `# head\n${rule}` } });
    const inputs: HostInputs = wishFor(args, defaultHost());
    expect(inputs.files[auditRulesFile]).not.toContain("sysconfig");
    expect(auditCandidates(inputs)).toEqual(["/etc/sysconfig/docker"]);
  });

  it("name nothing that a stopped unit would start", () => {
    expect(hostFacts(defaultHost({ units: {} }), declared()).starts).toEqual([]);
  });
});

it("a security key that nobody wishes shows when the running daemon has it, whatever the file says", () => {
  const host = defaultHost({ info: info({ Debug: true }) });
  const wish = wishFor(declared({ daemon: { icc: true } }), host);
  expect(wish.inEffect.daemon.debug).toBe(false);
  expect(observedInputs(wish, host).inEffect.daemon).toEqual({ ...wish.inEffect.daemon, debug: true });
});

it("an engine that is not asked for a key answers nothing about it", () => {
  expect(observedInputs(wishFor(declared({ daemon: { icc: true } })), defaultHost()).inEffect.daemon).not.toHaveProperty("live-restore");
});

describe("a volume", () => {
  it("that is as wished is seen as the wish for it", () => {
    const observation = moved();
    const wished = wishFor(declaredVolume(), observation);
    expect(observedInputs(wished, observation).inEffect).toEqual(wished.inEffect);
    expect(observedInputs(wished, observation)).toMatchObject({ volumes: { [data]: volume() }, host: { filesystems: { [data]: ownUuid } } });
  });

  it.each<[string, Observation, string]>([
    ["is not mounted", hostWith(), '"not mounted"'],
    ["is mounted without nodev", moved({}, { options: ["rw"] }), `"ext4, UUID=${ownUuid}, at boot"`],
    ["could not be looked at", moved({ mounts: unknown("no such file") }), '"unknown: no such file"'],
  ])("that %s is drift", (_, observation, text) => {
    expect(differences(wishFor(declaredVolume(), observation), observedInputs(wishFor(declaredVolume(), observation), observation))).toContain(`inEffect.mounts.${data}: ${text} => "ext4, UUID=${ownUuid}, nodev, at boot"`);
  });

  it("keeps its files when it is not declared any more: Docker would start on the empty folder below", () => {
    const ours = Object.fromEntries(volumeFiles.map((path) => [path, file("x\n")]));
    const observation = defaultHost({ files: { ...defaultHost().files, ...ours }, strayFiles: [...volumeFiles] });
    const wished = wishFor(declared(), observation);
    expect(observedInputs(wished, observation).files).toEqual({});
    expect(planApply(wished, observation).removes).toEqual([]);
  });

  it("that is declared has its files compared like any other", () => {
    const args = rendered({ volume: { device: disk } }, "baseline");
    const observation = moved({ files: Object.fromEntries(volumeFiles.map((path) => [path, file("[Unit]\n")])), strayFiles: [...volumeFiles] });
    expect(planApply(wishFor(args, observation), observation).writes.map(({ path }) => path)).toEqual(expect.arrayContaining(volumeFiles.filter((path) => !path.endsWith("containerd.mount"))));
  });

  it.each<[string, Observation["oldData"], string]>([
    ["nothing", [], "none"],
    ["one", [{ name: "docker", bytes: 1.5 * 2 ** 30, where: "aside" }], "docker: 1.5 GiB"],
    ["both, one of unknown size", [{ name: "containerd", bytes: Number.NaN, where: "below" }, { name: "docker", bytes: 10, where: "aside" }], "containerd: of unknown size, docker: 10 bytes"],
  ])("has left %s", (_, oldData, text) => {
    expect(oldDataOn(defaultHost({ oldData }))).toBe(text);
  });
});
