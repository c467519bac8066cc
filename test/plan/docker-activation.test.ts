import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/desired/host-inputs.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { stopOrder, unitFlags } from "../../src/plan/docker-activation.ts";
import { isEmpty, planApply } from "../../src/plan/plan.ts";
import { digest } from "../../src/plan/seen.ts";
import { container, defaultHost, file, info, noIcc, withDaemonJson, withUnreadDaemonJson } from "../support/observation.ts";
import { daemonWish, declared, wishFor } from "../support/wish.ts";

const planFor = (wished: JsonObject, observation: Observation = defaultHost()) => planApply(daemonWish(wished, observation), observation).docker;
const web = container("web", { startedAt: "2026-11-01T00:00:00Z" });
const db = container("db", { startedAt: "2026-11-02T00:00:00Z" });
const old = container("old", { running: false });
const busy: Partial<Observation> = { containers: known([web, db, old]), info: info({ Containers: 3 }) };
const liveRestoreOn = info({ LiveRestoreEnabled: true, Containers: 3 });
const nftables = info({ LiveRestoreEnabled: true, Containers: 3, FirewallBackend: { Driver: "nftables" } });

describe("what brings a changed key into effect", () => {
  it.each<[string, JsonObject, Observation, string, string[]]>([
    ["nothing has to", { icc: true }, withDaemonJson({ icc: true }), "nothing", []],
    ["a reload, where the engine can", { "live-restore": true }, defaultHost(), "reload", ["live-restore"]],
    ["a reload for several of these", { "live-restore": true, labels: ["a=b"] }, defaultHost(), "reload", ["labels", "live-restore"]],
    ["a restart as soon as one key needs it", { "live-restore": true, "log-level": "info" }, defaultHost(), "restart", ["live-restore", "log-level"]],
    // A reload keeps the old value of a key that is gone.
    ["a restart for a key that goes", {}, withDaemonJson({ debug: true }), "restart", ["debug"]],
    ["a reload for what the running daemon has lost", { "live-restore": true }, withDaemonJson({ "live-restore": true }), "reload", ["live-restore"]],
    ["a restart for what it has otherwise", { "log-driver": "syslog" }, withDaemonJson({ "log-driver": "syslog" }), "restart", ["log-driver"]],
    ["a restart for a file that it did not read", { icc: true }, withUnreadDaemonJson({ icc: true, dns: [] }), "restart", ["daemon.json was changed after dockerd started"]],
    ["a restart for docker0 that waits to be opened, once no container runs", { icc: true }, withDaemonJson({ icc: true }, noIcc), "restart", ["icc"]],
    ["nothing as long as containers run", { icc: true }, withDaemonJson({ icc: true }, { ...noIcc, ...busy }), "nothing", []],
    // What it runs with now is not known, so a reload of some keys would not make it known.
    ["a restart for a file that it did not read and that changes again", { "live-restore": true, "log-opts": {} }, withUnreadDaemonJson({ "log-opts": {} }), "restart", ["live-restore", "daemon.json was changed after dockerd started"]],
    ["a start of one that is stopped", { icc: true }, defaultHost({ units: { "docker.service": { ActiveState: "inactive" } }, info: unknown("docker.service is inactive") }), "start", []],
  ])("%s", (_, wished, observation, how, because) => {
    const plan = planFor(wished, observation);
    expect(plan.how).toBe(how);
    expect(plan.because).toEqual(expect.arrayContaining(because));
  });

  it("is a restart when the addresses on the command line change", () => {
    const plan = planFor({ hosts: ["fd://"] });
    expect(plan).toMatchObject({ how: "restart", because: ["hosts"] });
  });

  it("is nothing when dockerd still runs with the text that is put back", () => {
    const text = '{\n  "icc": true,\n  "log-level": "info"\n}\n';
    const tampered = withUnreadDaemonJson({ "icc": true, "log-level": "debug", "hosts": ["tcp://0.0.0.0:2375"] }, { applied: { daemon: "500:1", configuration: digest(text) } });
    const plan = planApply(daemonWish({ icc: true, "log-level": "info" }, tampered), tampered);
    expect(plan.writes.map((write) => write.text)).toEqual([text]);
    expect(plan.docker).toMatchObject({ how: "nothing", because: [] });
  });

  it.each<[string, JsonObject]>([
    ["one that a reload loads is another", { "icc": true, "labels": ["c=d"], "log-level": "info" }],
    ["one that a reload loads is gone", { "icc": true, "log-level": "info" }],
  ])("is a restart when the tampered file may have been loaded: %s", (_, tampered) => {
    const text = '{\n  "icc": true,\n  "labels": [\n    "a=b"\n  ],\n  "log-level": "info"\n}\n';
    const host = withUnreadDaemonJson(tampered, { applied: { daemon: "500:1", configuration: digest(text) } });
    const plan = planApply(daemonWish({ icc: true, "labels": ["a=b"], "log-level": "info" }, host), host);
    expect(plan.writes.map((write) => write.text)).toEqual([text]);
    // `labels` tells nobody what the daemon has.
    expect(plan.docker.how).toBe("restart");
    expect(plan.docker.because).toContain("labels");
  });

  it("is nothing for what could not be asked: it may be asked the next time", () => {
    const wished = { icc: true, iptables: true, "userland-proxy": false, "live-restore": true };
    const silent = { iptables: unknown("iptables: timed out"), bridgeOptions: unknown("no"), dockerProxies: unknown("no") };
    const host = withDaemonJson(wished, { ...silent, info: info({ LiveRestoreEnabled: true }) });
    expect(planFor(wished, host)).toMatchObject({ how: "nothing", because: [] });
    expect(planFor(wished, withDaemonJson(wished, { info: unknown("docker-info ended with exit status 124") }))).toMatchObject({ how: "nothing", because: [] });
  });

  it("is nothing while only other files change", () => {
    const observation = defaultHost();
    expect(planApply(wishFor(declared({ files: { "/etc/modules-load.d/drydock.conf": "x\n" } }), observation), observation).docker.how).toBe("nothing");
  });
});

describe("running containers", () => {
  it("survive a restart when live-restore is switched on before it", () => {
    expect(planFor({ "live-restore": true, "log-level": "info" }, defaultHost(busy))).toMatchObject({ how: "restart", liveRestoreFirst: true, stop: [] });
  });

  it.each<[string, JsonObject, Partial<Observation>]>([
    ["it is on already", { "live-restore": true, "log-level": "info" }, { ...busy, info: liveRestoreOn }],
    ["nothing runs", { "live-restore": true, "log-level": "info" }, { info: info() }],
    ["a reload is enough", { "live-restore": true }, busy],
    ["it is not wished", { "log-level": "info" }, busy],
  ])("need no live-restore before the restart when %s", (_, wished, observation) => {
    expect(planFor(wished, defaultHost(observation)).liveRestoreFirst).toBe(false);
  });

  it("stop without live-restore, the last one that was started first", () => {
    expect(planFor({ "log-level": "info" }, defaultHost(busy)).stop).toEqual([db.id, web.id]);
    expect(stopOrder(defaultHost({ containers: known([db, web]) }))).toEqual([db.id, web.id]);
  });

  it("stop when the addresses move to the file and live-restore is not in effect: a reload of both is refused by dockerd", () => {
    expect(planFor({ "live-restore": true, hosts: ["fd://"] }, defaultHost(busy))).toMatchObject({ how: "restart", liveRestoreFirst: false, stop: [db.id, web.id] });
    expect(planFor({ "live-restore": true, hosts: ["fd://"] }, defaultHost({ ...busy, info: liveRestoreOn }))).toMatchObject({ how: "restart", liveRestoreFirst: false, stop: [] });
  });

  it("survive by a live-restore of the user's own", () => {
    expect(planFor({ "log-level": "info" }, withDaemonJson({ "live-restore": true }, { ...busy, info: liveRestoreOn }))).toMatchObject({ how: "restart", stop: [] });
    // Who wishes the opposite gets it.
    expect(planFor({ "live-restore": false, "log-level": "info" }, withDaemonJson({ "live-restore": true }, { ...busy, info: liveRestoreOn })).stop).toEqual([db.id, web.id]);
  });

  it("stop when userns-remap changes, live-restore or not: they would run on as orphans", () => {
    for (const observation of [defaultHost({ ...busy, info: liveRestoreOn }), defaultHost(busy)]) {
      expect(planFor({ "userns-remap": "default", "live-restore": true }, observation)).toMatchObject({ how: "restart", switchesStore: true, liveRestoreFirst: false, stop: [db.id, web.id] });
    }
  });
});

describe("userns-remap", () => {
  const remapped = (user: string, subordinateUids: string): Observation =>
    withDaemonJson({ "userns-remap": user }, { info: info({ SecurityOptions: ["name=seccomp,profile=default", "name=userns"], DockerRootDir: "/var/lib/docker/100000.100000" }), subordinateUids, subordinateGids: subordinateUids, users: ["root", "dockremap", "other"] });
  const ranges = "dockremap:100000:65536\nother:200000:65536\n";

  it.each<[string, JsonObject, Observation, boolean]>([
    ["goes on", { "userns-remap": "default" }, defaultHost(), true],
    ["goes off", { "live-restore": true }, { ...remapped("dockremap", ranges), applied: { keys: "userns-remap" } }, true],
    ["was taken out of the file, and dockerd does not know yet", { "live-restore": true }, withUnreadDaemonJson({}, { info: remapped("dockremap", ranges).info }), true],
    ["is the user's own, and stays on", { "live-restore": true }, remapped("dockremap", ranges), false],
    ["is a flag of the unit, and stays on", { "live-restore": true }, { ...remapped("dockremap", ranges), files: {} }, false],
    ["stays off", { "live-restore": true }, defaultHost(), false],
    ["is off by an empty text", { "userns-remap": "" }, defaultHost(), false],
    ["stays on", { "userns-remap": "dockremap" }, remapped("dockremap", ranges), false],
    ["goes to another user", { "userns-remap": "other" }, remapped("dockremap", ranges), true],
  ])("%s: another store is %s", (_, wished, observation, switches) => {
    expect(planFor(wished, observation).switchesStore).toBe(switches);
  });

  it("restarts dockerd for new ranges alone", () => {
    const observation = remapped("dockremap", "dockremap:100000:65536\n");
    expect(planFor({ "userns-remap": "dockremap" }, { ...observation, subordinateGids: "" })).toMatchObject({ how: "restart", because: ["subordinate ids"] });
  });
});

describe("data-root", () => {
  /** A daemon with its data in one folder, and where the wished folder really is. */
  const data = (root: string, place: string, change: Partial<Observation> = {}): Observation =>
    defaultHost({ info: info({ DockerRootDir: root, LiveRestoreEnabled: true }), containers: known([web]), dataPlace: known(place), ...change });
  const set: Partial<Observation> = { files: { "/etc/docker/daemon.json": file('{"data-root":"/srv/docker","live-restore":true}') } };
  const remapped: Partial<Observation> = { info: info({ SecurityOptions: ["name=userns"], DockerRootDir: "/srv/docker/100000.100000" }), subordinateUids: "dockremap:100000:65536\n" };

  // With live-restore containers would run on, and the daemon that starts on the other folder does not know them.
  it.each<[string, JsonObject, Observation, boolean]>([
    ["goes elsewhere", { "data-root": "/srv/docker", "live-restore": true }, data("/var/lib/docker", "/srv/docker"), true],
    ["goes elsewhere below a user namespace", { "data-root": "/srv/other", "userns-remap": "dockremap" }, data("", "/srv/other", remapped), true],
    ["is wished no more", { "live-restore": true }, data("/srv/docker", "/var/lib/docker", { ...set, applied: { keys: "data-root,live-restore" } }), true],
    ["goes to a folder that is not there yet", { "data-root": "/srv/docker" }, data("/var/lib/docker", "", { dataPlace: unknown("can't cd to /srv/docker") }), true],
    ["stays", { "data-root": "/srv/docker", "log-level": "info" }, data("/srv/docker", "/srv/docker", set), false],
    ["is named as it is", { "data-root": "/var/lib/docker" }, data("/var/lib/docker", "/var/lib/docker"), false],
    ["is a link to where it is", { "data-root": "/docker" }, data("/srv/docker", "/srv/docker"), false],
    ["is the user's own", { "live-restore": true, "log-level": "info" }, data("/srv/docker", "/var/lib/docker", set), false],
  ])("%s: another store is %s", (_, wished, observation, switches) => {
    const plan = planFor(wished, observation);
    expect(plan.switchesStore).toBe(switches);
    if (switches) expect(plan).toMatchObject({ how: "restart", liveRestoreFirst: false, stop: [web.id] });
  });
});

describe("a storage driver that is the engine's own choice again", () => {
  const features = { "containerd-snapshotter": true };
  const containerds: [string, string][] = [["driver-type", "io.containerd.snapshotter.v1"]];
  const runs = (ServerVersion: string, Driver: string, DriverStatus: [string, string][], own: JsonObject, keys: string): Observation =>
    withDaemonJson({ ...own, "live-restore": true }, { info: info({ ServerVersion, Driver, DriverStatus, LiveRestoreEnabled: true }), containers: known([web]), applied: { keys } });

  // The daemon that starts on the other one does not know the containers that run on.
  it.each<[string, JsonObject, Observation, boolean]>([
    ["is another one without the feature", {}, runs("28.5.2", "overlayfs", containerds, { features }, "features,live-restore"), true],
    ["is another one where other features take the place of the user's", { features: { cdi: true } }, runs("28.5.2", "overlayfs", containerds, { features }, ""), true],
    ["may be another one from 29 on, where one was in use before", {}, runs("29.1.0", "overlayfs", containerds, { features }, "features,live-restore"), true],
    ["may be another one without the snapshotter's name", {}, runs("29.1.0", "overlayfs", containerds, { "storage-driver": "overlayfs" }, "storage-driver,live-restore"), true],
    ["is never vfs", {}, runs("20.10.24", "vfs", [], { "storage-driver": "vfs" }, "storage-driver,live-restore"), true],
    ["is what it finds", {}, runs("20.10.24", "overlay2", [], { "storage-driver": "overlay2" }, "storage-driver,live-restore"), false],
    ["is what it has where the feature was unknown to it", {}, runs("20.10.24", "overlay2", [], { features }, "features,live-restore"), false],
    ["stays the user's", {}, runs("28.5.2", "overlayfs", containerds, { features }, ""), false],
    ["is what 29 has chosen by itself before", {}, runs("29.1.0", "overlayfs", containerds, {}, ""), false],
  ])("%s: another store is %s", (_, wished, observation, switches) => {
    const plan = planFor({ "live-restore": true, "log-level": "info", ...wished }, observation);
    expect(plan.switchesStore).toBe(switches);
    if (switches) expect(plan).toMatchObject({ how: "restart", liveRestoreFirst: false, stop: [web.id] });
  });
});

describe("the rule that drops what goes between containers", () => {
  const surviving: JsonObject = { icc: false, "live-restore": true };
  it.each<[string, JsonObject, Observation, boolean]>([
    ["is needed when containers survive the restart, since the bridge stays as it is", surviving, defaultHost({ ...busy, info: liveRestoreOn }), true],
    ["is not when no container runs: the bridge is built anew", surviving, defaultHost({ info: liveRestoreOn }), false],
    ["is not when they stop", { icc: false }, defaultHost(busy), false],
    ["is not for a bridge that drops by itself", { ...surviving, "log-level": "info" }, defaultHost({ ...busy, ...noIcc, info: liveRestoreOn }), false],
    ["is needed without a restart when somebody opened the kernel", surviving, withDaemonJson(surviving, { ...busy, info: liveRestoreOn, bridgeOptions: noIcc.bridgeOptions ?? known({}) }), true],
    ["is not when all is right", surviving, withDaemonJson(surviving, { ...busy, ...noIcc, info: liveRestoreOn }), false],
    ["is not where dockerd works by nftables, where no rule of ours would be asked", surviving, defaultHost({ ...busy, info: nftables }), false],
    ["is not there even when the bridge is open without a restart", surviving, withDaemonJson(surviving, { ...busy, info: nftables, iptables: known(["-P FORWARD ACCEPT"]) }), false],
    ["is not when icc is wished", { icc: true, "live-restore": true }, defaultHost({ ...busy, info: liveRestoreOn }), false],
  ])("%s", (_, wished, observation, drops) => {
    expect(planFor(wished, observation).dropBetweenContainers).toBe(drops);
  });
});

describe("that rule, once it is there", () => {
  const ours = "-A FORWARD -i docker0 -o docker0 -m comment --comment drydock -j DROP";
  const closed = known(["-P FORWARD DROP", "-N DOCKER", ours, "-A FORWARD -o docker0 -j DOCKER", "-A FORWARD -i docker0 -o docker0 -j ACCEPT"]);
  it.each<[string, JsonObject, Observation, boolean]>([
    ["goes when icc is wished again", { icc: true }, withDaemonJson({ icc: true }, { iptables: closed }), true],
    ["goes when nobody says anything about icc", {}, defaultHost({ iptables: closed }), true],
    ["stays while icc is off", { icc: false }, withDaemonJson({ icc: false }, { iptables: closed }), false],
    ["is not somebody else's", { icc: true }, withDaemonJson({ icc: true }, { iptables: known([ours.replace(" -m comment --comment drydock", "")]) }), false],
  ])("%s", (_, wished, observation, lifts) => {
    const plan = planApply(daemonWish(wished, observation), observation);
    expect(plan.docker.liftDrop).toBe(lifts);
    expect(isEmpty(plan)).toBe(!lifts);
  });
});

describe("the unit's own flags", () => {
  it.each([
    ["/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock", ["-H", "fd://", "--containerd=/run/containerd/containerd.sock"]],
    ["/usr/sbin/dockerd -H fd:// $DOCKER_OPTS ${MORE}", ["-H", "fd://"]],
    ["/usr/bin/dockerd", []],
    ["", []],
  ])("%j", (line, flags) => {
    expect(unitFlags(line)).toEqual(flags);
  });
});

it("a file that is unreadable is a change of all that is wished", () => {
  const observation = defaultHost({ files: { "/etc/docker/daemon.json": file("{") } });
  expect(planFor({ "live-restore": true }, observation).because).toEqual(["(unreadable)", "live-restore"]);
});
