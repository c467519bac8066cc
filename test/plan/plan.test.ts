import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HostInputs, Json, JsonObject } from "../../src/desired/host-inputs.ts";
import { securityKeys } from "../../src/desired/security-keys.ts";
import { scopeDropIn } from "../../src/effect/container-limits.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { known } from "../../src/observed/records.ts";
import { daemonJsonText, isEmpty, planApply, type Plan } from "../../src/plan/plan.ts";
import { daemonConfigurationOn } from "../../src/plan/seen.ts";
import { auditRulesFile, daemonJson } from "../../src/plan/wish.ts";
import { container, defaultHost, file, info, withDaemonJson } from "../support/observation.ts";
import { hardenedArgs, recorded } from "../support/recorded.ts";
import { daemonWish, declared, wishFor } from "../support/wish.ts";

/** The host after the plan's files, and only these. */
function afterFiles(plan: Plan, observation: Observation): Observation {
  const files = { ...observation.files };
  for (const { path, text, owner, group, mode } of plan.writes) files[path] = file(text, { owner, group, mode });
  for (const path of plan.removes) Reflect.deleteProperty(files, path);
  for (const { path, owner, group, mode } of plan.modes) {
    const before = files[path];
    if (before?.known) files[path] = known({ ...before.value, owner, group, mode });
  }
  return { ...observation, files, strayFiles: observation.strayFiles.filter((path) => !plan.removes.includes(path)) };
}

const key = fc.constantFrom("icc", "live-restore", "labels", "log-opts", "hosts", "insecure-registries", "runtimes", "bip", "debug", "userns-remap");
const value = fc.oneof(fc.boolean(), fc.constantFrom<Json>("x", "", 5, [], ["a"], {}, { a: "b" }));
const daemon: fc.Arbitrary<JsonObject> = fc.dictionary(key, value, { maxKeys: 6, noNullPrototype: true });
const path = fc.constantFrom("/etc/modules-load.d/drydock.conf", "/etc/systemd/system/docker.service.d/50-drydock.conf", "/etc/systemd/system/drydock-containers.slice");
const mode = fc.constantFrom("root:root 0644", "root:root 0600", "root:docker 0640");

describe("a plan", () => {
  it.each(["debian-12", "debian-13"] as const)("is empty for the recorded %s that was hardened by the same wish", (release) => {
    const host = recorded("hardened", release);
    const plan = planApply(wishFor(hardenedArgs(release), host), host);
    expect(plan).toMatchObject({ writes: [], removes: [], modes: [], docker: { how: "nothing", because: [] } });
    expect(isEmpty(plan)).toBe(true);
  });

  it("takes no process that runs the open files that it may have beyond its unit's soft limit", () => {
    const { processes, ...rest } = recorded("default");
    const host: Observation = { ...rest, processes: { ...processes, ...(processes.containerd ? { containerd: { ...processes.containerd, openFiles: "1073741816" } } : {}) } };
    const args = hardenedArgs();
    expect(wishFor(args, host).inEffect.limits["containerd.service LimitNOFILE"]).toBe("1024:1048576");
    expect(planApply(wishFor(args, host), host).processLimits).toContainEqual({ unit: "containerd.service", property: "LimitNOFILE", value: "1048576" });
  });

  it("leaves no file to do when its files are in place", () => {
    fc.assert(
      fc.property(
        daemon,
        fc.oneof(daemon.map((onDisk) => JSON.stringify(onDisk)), fc.constantFrom(undefined, "", "\n")),
        fc.dictionary(path, fc.constantFrom("a\n", "b\n", ""), { noNullPrototype: true }),
        fc.dictionary(path, fc.constantFrom("a\n", "c\n"), { noNullPrototype: true }),
        mode,
        (wished, onDisk, files, there, ownership) => {
          const existing = Object.fromEntries(Object.entries(there).map(([name, text]) => [name, file(text)]));
          const host = defaultHost({ files: { ...existing, ...(onDisk === undefined ? {} : { [daemonJson]: file(onDisk) }) }, strayFiles: Object.keys(there) });
          const modes = Object.fromEntries([...Object.keys(files), daemonJson].map((name) => [name, ownership]));
          const wish = wishFor(declared({ daemon: wished, files, modes }), host);
          const after = afterFiles(planApply(wish, host), host);
          expect(planApply(wish, after)).toMatchObject({ writes: [], removes: [], modes: [] });
        },
      ),
    );
  });

  it("only sets modes of what is there afterwards", () => {
    fc.assert(
      fc.property(daemon, fc.boolean(), (wished, exists) => {
        const host = exists ? withDaemonJson({}) : defaultHost();
        const wish = wishFor(declared({ daemon: wished, modes: { "/etc/docker": "root:root 0750", [daemonJson]: "root:root 0600" } }), host);
        const plan = planApply(wish, host);
        const there = new Set([...Object.keys(host.files), ...plan.writes.map((write) => write.path)]);
        // chown of what is not there would end the whole transaction.
        expect(plan.modes.filter((change) => !there.has(change.path))).toEqual([]);
      }),
    );
  });

  it("puts a link in a file's place out of the way", () => {
    const host = defaultHost({ files: { [daemonJson]: file('{\n  "icc": false\n}\n', { kind: "symbolic link", mode: "0777" }) } });
    expect(planApply(daemonWish({ icc: false }, host), host).writes.map((write) => write.path)).toEqual([daemonJson]);
  });

  it("names every path that is wished, right already or not: what it was first must be known when a later update changes it", () => {
    const files = { [auditRulesFile]: "# head\n" };
    const host = withDaemonJson({ icc: false }, { files: { [auditRulesFile]: file(files[auditRulesFile]) } });
    const wish = wishFor(declared({ daemon: { icc: false }, files, modes: { "/etc/docker": "root:root 0755" } }), host);
    expect(planApply(wish, host).declared).toEqual([auditRulesFile, "/etc/docker", daemonJson].sort());
  });

  it("puts a container's limits down again that somebody lifted, and is not empty for that alone", () => {
    const web = container("web");
    const lifted = (pids: string): Observation => defaultHost({ containers: known([web]), cgroups: { [`docker-${web.id}.scope`]: { "pids.max": pids } }, files: { [scopeDropIn]: file("[Scope]\nTasksMax=512\n") } });
    const planOf = (observation: Observation): Plan => planApply(wishFor(declared({ files: { [scopeDropIn]: "[Scope]\nTasksMax=512\n" } })), observation);
    expect(planOf(lifted("max"))).toMatchObject({ writes: [], daemonReload: false, scopeLimits: [{ scope: `docker-${web.id}.scope`, file: "pids.max", value: "512" }], docker: { how: "nothing" } });
    expect(isEmpty(planOf(lifted("max")))).toBe(false);
    expect(isEmpty(planOf(lifted("512")))).toBe(true);
  });

  it("takes away Drydock's files that nobody wishes", () => {
    const old = "/etc/systemd/system/drydock-old.slice";
    const plan = planApply(wishFor(declared()), defaultHost({ files: { [old]: file("old") }, strayFiles: [old] }));
    expect(plan.removes).toEqual([old]);
    expect(plan.daemonReload).toBe(true);
  });

  it("refuses an ownership that it can't read", () => {
    expect(() => planApply(wishFor(declared({ modes: { [daemonJson]: "root 644" } })), withDaemonJson({}))).toThrow('"root 644" is not of the form owner:group mode, e.g. root:root 0644');
  });

  it.each<[string, Partial<Observation>, Partial<HostInputs>, Partial<Plan>]>([
    ["a unit file that systemd did not read again", { units: { "docker.service": { ActiveState: "active", NeedDaemonReload: "yes" } } }, {}, { daemonReload: true }],
    ["auditd that does not run", { units: { "docker.service": { ActiveState: "active" }, "auditd.service": { ActiveState: "failed" } } }, { inEffect: { services: { "docker.service": "active", "auditd.service": "active" }, configuration: "as on disk", daemon: {}, limits: {} } }, { start: ["auditd.service"] }],
    ["br_netfilter that is not loaded", { bridgeNetfilter: false, files: { "/etc/modules-load.d/drydock.conf": file("br_netfilter\n") } }, { files: { "/etc/modules-load.d/drydock.conf": "br_netfilter\n" } }, { modules: ["br_netfilter"], writes: [] }],
  ])("mends %s", (_, host, wish, part) => {
    expect(planApply({ ...wishFor(declared()), ...wish }, defaultHost(host))).toMatchObject(part);
  });

  it("checks with the engine's own tool where it has one", () => {
    const host = (ServerVersion: string): Observation => defaultHost({ info: info({ ServerVersion }) });
    const wish = daemonWish({ icc: false });
    expect(planApply(wish, host("20.10.24")).validateWith).toBeUndefined();
    expect(planApply(wish, host("23.0.0")).validateWith).toEqual(["/usr/sbin/dockerd", "-H", "fd://", "--containerd=/run/containerd/containerd.sock"]);
    // The addresses of daemon.json stand alone then.
    expect(planApply(daemonWish({ hosts: ["fd://"] }), host("23.0.0")).validateWith).toEqual(["/usr/sbin/dockerd"]);
  });
});

describe("audit rules", () => {
  const rule = (name: string): string => `-a always,exit -F arch=b64 -F path=${name} -F perm=wa -F key=docker`;
  const inKernel = (name: string): string => rule(name).replace("arch=b64", "arch=b64 -S all");
  const wish = wishFor(declared({ files: { [auditRulesFile]: `${rule("/etc/docker")}\n${rule("/run/docker.sock")}\n` } }));

  it("are loaded and taken out one by one, and other people's stay", () => {
    const host = defaultHost({ files: { [auditRulesFile]: file(`${rule("/old")}\n${rule("/etc/docker")}\n`) }, auditRules: known([inKernel("/old"), inKernel("/etc/docker"), "-w /home -p wa -k home"]) });
    expect(planApply(wish, host).audit).toEqual({ enable: false, add: [rule("/run/docker.sock")], remove: [rule("/old")], compile: true });
  });

  describe("that somebody took out of our file, or with it,", () => {
    const compiled = { auditRules: known([inKernel("/old"), inKernel("/etc/docker"), "-w /home -p wa -k home"]), auditRulesOnlyCompiled: ["-D", "-b 8192", rule("/old"), rule("/etc/docker")] };

    it("leave the kernel where they are not wished any more", () => {
      expect(planApply(wish, defaultHost({ ...compiled, applied: { generation: "0002" } })).audit).toMatchObject({ add: [rule("/run/docker.sock")], remove: [rule("/old")], compile: true });
      const edited = { [auditRulesFile]: file(`${rule("/etc/docker")}\n`) };
      expect(planApply(wish, defaultHost({ ...compiled, files: edited, applied: { generation: "0002" } })).audit.remove).toEqual([rule("/old")]);
    });

    it("are somebody else's where nothing of ours was ever compiled", () => {
      expect(planApply(wish, defaultHost(compiled)).audit.remove).toEqual([]);
    });
  });

  it("that are off are switched on", () => {
    expect(planApply(wish, defaultHost({ auditStatus: known({ enabled: "0" }) })).audit.enable).toBe(true);
  });

  it("wait for the next boot in a kernel that takes none, and the file is written for it", () => {
    const plan = planApply(wish, defaultHost({ auditStatus: known({ enabled: "2" }) }));
    expect(plan.audit).toEqual({ enable: false, add: [], remove: [], compile: true });
    expect(plan.writes.map((write) => write.path)).toEqual([auditRulesFile]);
  });

  it("in the kernel and on disk are nothing to do", () => {
    const host = defaultHost({ files: { [auditRulesFile]: file(wish.files[auditRulesFile]) }, auditRules: known([inKernel("/run/docker.sock"), inKernel("/etc/docker")]) });
    expect(planApply(wish, host).audit).toEqual({ enable: false, add: [], remove: [], compile: false });
  });
});

describe("the text of daemon.json", () => {
  const answeredFor = (wished: JsonObject, onDisk: JsonObject): JsonObject => Object.fromEntries(Object.entries(onDisk).filter(([name]) => name in wished || name in securityKeys));

  it("has every wished key, every foreign one as it was, and no security key that nobody wishes", () => {
    fc.assert(
      fc.property(daemon, daemon, (wished, onDisk) => {
        const text = daemonJsonText(wished, onDisk, answeredFor(wished, onDisk));
        const written = JSON.parse(text) as JsonObject;
        const foreign = Object.fromEntries(Object.entries(onDisk).filter(([name]) => !(name in wished) && !(name in securityKeys)));
        expect(written).toEqual({ ...foreign, ...wished });
        expect(Object.keys(written)).toEqual(Object.keys(written).sort());
      }),
    );
  });

  it("is one key a line, for docker-bench and for people", () => {
    expect(daemonJsonText({ icc: false, "log-driver": "syslog" }, { dns: ["192.0.2.1"], debug: true }, { debug: true })).toBe('{\n  "dns": [\n    "192.0.2.1"\n  ],\n  "icc": false,\n  "log-driver": "syslog"\n}\n');
  });

  it("does not carry the reason why the old one could not be read", () => {
    const host = defaultHost({ files: { [daemonJson]: file("{ no") } });
    expect(JSON.parse(daemonJsonText({ icc: false }, daemonConfigurationOn(host), {}))).toEqual({ icc: false });
  });
});
