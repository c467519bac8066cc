import { describe, expect, it } from "vitest";
import { seccompFile } from "../../src/config/seccomp.ts";
import type { HostArgs } from "../../src/desired/host-inputs.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { describeCost, differences } from "../../src/plan/describe.ts";
import { pendingOn } from "../../src/plan/pending.ts";
import { isEmpty, planApply } from "../../src/plan/plan.ts";
import { findings } from "../../src/plan/preflight.ts";
import { digest, observedInputs } from "../../src/plan/seen.ts";
import { apparmor, container, defaultHost, file, info } from "../support/observation.ts";
import { declared, owner, wishFor } from "../support/wish.ts";

const path = "/etc/apparmor.d/drydock-web";
const web: Partial<HostArgs> = { files: { [path]: "profile\n" } };
const right = { "drydock-web": { mode: "enforce", asOnDisk: true } };

/** A host with the profile on disk. */
const host = (state: Parameters<typeof apparmor>[0], change: Partial<Observation> = {}): Observation => {
  const { files } = defaultHost();
  return defaultHost({ files: { ...files, [path]: file("profile\n") }, strayFiles: [path], apparmor: apparmor(state), ...change });
};
const planned = (args: Partial<HostArgs>, observation: Observation) => planApply(wishFor(declared(args), observation), observation);
const found = (args: Partial<HostArgs>, observation: Observation) => {
  const wish = wishFor(declared(args), observation);
  return findings(wish, observation, planApply(wish, observation), owner);
};

describe("a wished profile", () => {
  it("that is right needs nothing", () => {
    expect(isEmpty(planned(web, host({ profiles: right })))).toBe(true);
  });

  it.each<[string, Observation, { load: string[]; unload: string[]; enable: boolean }]>([
    ["new", defaultHost(), { load: ["drydock-web"], unload: [], enable: false }],
    ["edited", host({ profiles: right }, { files: { [path]: file("other\n") } }), { load: ["drydock-web"], unload: [], enable: false }],
    ["not loaded", host({}), { load: ["drydock-web"], unload: [], enable: false }],
    ["in complain mode", host({ profiles: { "drydock-web": { mode: "complain", asOnDisk: true } } }), { load: ["drydock-web"], unload: [], enable: false }],
    ["with another text in the kernel", host({ profiles: { "drydock-web": { mode: "enforce", asOnDisk: false } } }), { load: ["drydock-web"], unload: [], enable: false }],
    ["that the next boot would not load", host({ profiles: right, boot: "disabled" }), { load: [], unload: [], enable: true }],
    ["that can't be asked about", host({}, { apparmor: unknown("gone") }), { load: [], unload: [], enable: false }],
    ["with a neighbour that nobody wished", host({ profiles: { ...right, "drydock-x": { mode: "enforce", asOnDisk: undefined } } }), { load: [], unload: ["drydock-x"], enable: false }],
  ])("%s", (_, observation, profiles) => {
    expect(planned(web, observation).profiles).toEqual({ replaced: [], ...profiles });
  });

  it("with a new text that somebody runs with is told to hold for him at once, not so one that only a stopped container has", () => {
    const edited = { files: { ...defaultHost().files, [path]: file("other\n") } };
    const stopped = { containers: known([container("web", { running: false, securityOpt: ["apparmor=drydock-web"] })]) };
    const labels = { 900: "drydock-web (enforce)" };
    expect(planned(web, host({ profiles: right, labels }, edited)).profiles).toMatchObject({ load: ["drydock-web"], replaced: ["drydock-web"] });
    expect(planned(web, host({ profiles: right }, { ...edited, ...stopped })).profiles.replaced).toEqual([]);
    // Not in the kernel, so it is new to it.
    expect(planned(web, host({ labels }, edited)).profiles.replaced).toEqual([]);
  });

  it("shows as drift with what is there instead", () => {
    const observation = host({ profiles: { "drydock-web": { mode: "complain", asOnDisk: true }, "drydock-x": { mode: "enforce", asOnDisk: true } } });
    const wish = wishFor(declared(web), observation);
    expect(differences(wish, observedInputs(wish, observation))).toEqual(['inEffect.apparmor.drydock-web: "complain" => "enforce"', 'inEffect.apparmor.drydock-x: "enforce" => nothing']);
  });

  it("shows a link that keeps it from being loaded, and has it removed", () => {
    const link = "/etc/apparmor.d/disable/drydock-web";
    const observation = host({ profiles: right }, { strayFiles: [path, link] });
    observation.files[link] = file(undefined, { kind: "symbolic link" });
    const wish = wishFor(declared(web), observation);
    expect(observedInputs(wish, observation).files[link]).toBe("(a symbolic link)");
    expect(planApply(wish, observation).removes).toEqual([link]);
  });

  it("has the link of apparmor.service kept as it is, before somebody takes it away and a later update makes it again", () => {
    expect(planned(web, host({ profiles: right })).declared).toContain("/etc/systemd/system/sysinit.target.wants/apparmor.service");
  });

  it.each<[string, Observation, string[]]>([
    ["new", defaultHost(), ["containers made with --security-opt apparmor=NAME can have these profiles: drydock-web; those that exist keep the one they were made with"]],
    ["replaced under a container", host({ profiles: { "drydock-web": { mode: "complain", asOnDisk: true } }, labels: { 900: "drydock-web (complain)" } }, { containers: known([container("app")]) }), ["the new text of a profile holds at once for container app (drydock-web)"]],
    ["not loaded at boot", host({ profiles: right, boot: "disabled" }), ["apparmor.service is enabled, so that profiles are loaded at boot"]],
  ])("costs, %s", (_, observation, cost) => {
    const wish = wishFor(declared(web), observation);
    expect(describeCost(planApply(wish, observation), wish, observation)).toEqual(cost);
  });
});

describe("a host that can't have profiles", () => {
  it.each<[string, Observation["apparmor"], string]>([
    ["no AppArmor in the kernel", apparmor({ enabled: false }), "this kernel has no AppArmor, or it is switched off, so profiles would confine nothing; set apparmor: null for this host (SELinux does that work on Red Hat's), or boot with apparmor=1"],
    ["no parser", apparmor({ tool: false }), "apparmor_parser is not installed, so no profile can be loaded; install it (apt-get install apparmor) or set apparmor: null for this host"],
    ["an old one", apparmor({ abi: false }), "AppArmor here is older than 3.0 (/etc/apparmor.d/abi/3.0 is not there), which Drydock's profiles are written for; update apparmor or set apparmor: null for this host"],
    ["a masked unit", apparmor({ boot: "masked" }), "apparmor.service is masked, so no profile would be loaded at boot; run: systemctl unmask apparmor.service"],
    ["one that can't be asked", unknown("Permission denied"), "AppArmor can't be asked (Permission denied), so no profile can be proven; mend that, or set apparmor: null for this host"],
  ])("%s", (_, state, text) => {
    expect(found({ ...web, daemon: { icc: false } }, defaultHost({ apparmor: state }))).toEqual([text]);
    expect(found({ daemon: { icc: false } }, defaultHost({ apparmor: state }))).toEqual([]);
  });
});

describe("a profile that is wished no more", () => {
  it("goes, file and all", () => {
    const plan = planned({}, host({ profiles: right }));
    expect(plan).toMatchObject({ removes: [path], profiles: { load: [], unload: ["drydock-web"] } });
    expect(found({}, host({ profiles: right }))).toEqual([]);
  });

  it("stays while a container has it, though stopped, and the finding says what to do", () => {
    const containers = known([container("app", { running: false, securityOpt: ["apparmor=drydock-web"] })]);
    expect(found({}, host({ profiles: right }, { containers }))).toEqual([
      "profile drydock-web is to go, and container app has it: without it a running process is confined no more, and docker exec and start fail; remove that first, or make it again with another --security-opt apparmor=…, or keep the profile",
    ]);
  });

  it("stays also when it is not loaded: a container that has it could not start again", () => {
    const containers = known([container("app", { running: false, securityOpt: ["apparmor=drydock-web"] })]);
    expect(found({}, host({}, { containers }))).toEqual([expect.stringMatching(/^profile drydock-web is to go, and container app has it: /)]);
  });

  it("stays while nobody can say which containers have it", () => {
    expect(found({}, host({ profiles: right }, { containers: unknown("docker.service is inactive") }))).toEqual([
      "profile drydock-web is to go, and which containers have it can't be asked (docker.service is inactive); start docker.service first",
    ]);
  });
});

describe("a seccomp profile", () => {
  const text = '{ "defaultAction": "SCMP_ACT_ALLOW" }\n';
  const args: Partial<HostArgs> = { daemon: { "seccomp-profile": seccompFile, "live-restore": true }, files: { [seccompFile]: text } };
  const reading = (change: Partial<Observation>, onDisk = text): Observation => {
    const custom = info({ SecurityOptions: [`name=seccomp,profile=${seccompFile}`], LiveRestoreEnabled: true });
    const files = { "/etc/docker/daemon.json": file(JSON.stringify(args.daemon)), [seccompFile]: file(onDisk) };
    return defaultHost({ info: custom, files, ...change });
  };

  it("that the daemon has read needs nothing", () => {
    expect(isEmpty(planned(args, reading({})))).toBe(true);
  });

  it("that changes under the same path restarts the daemon: it reads the file only when it starts", () => {
    expect(planned(args, reading({}, "{}\n")).docker).toMatchObject({ how: "restart", because: ["seccomp profile"] });
  });

  it("that somebody edited is put back without a restart, if the daemon still has what it read", () => {
    const applied = { daemon: "500:1", seccomp: digest(text), configuration: digest(JSON.stringify(args.daemon)) };
    const observation = reading({ applied }, "{}\n");
    const plan = planned(args, observation);
    expect(plan.docker.how).toBe("nothing");
    expect(plan.writes.map((write) => write.path)).toEqual([seccompFile]);
    const wish = wishFor(declared(args), observation);
    expect(differences(wish, observedInputs(wish, observation))).toEqual([`files.${seccompFile}: has another text`, "inEffect.seccomp: the profile was changed after dockerd read it"]);
  });

  it("waits for containers that run with an older filter", () => {
    const observation = reading({ containers: known([container("app")]), applied: { "seccomp-since": "9999999999" } });
    expect(pendingOn(wishFor(declared(args), observation), observation)).toEqual(["container app keeps its older seccomp filter until it is started again"]);
  });

  it("that the running daemon has and nobody wished is drift, whatever the file says", () => {
    const observation = defaultHost({ info: info({ SecurityOptions: [] }) });
    expect(planned({ daemon: {} }, observation).docker).toMatchObject({ how: "restart", because: ["seccomp-profile"] });
  });
});
