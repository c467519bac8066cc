import { describe, expect, it } from "vitest";
import type { HostArgs, JsonObject } from "../../src/desired/host-inputs.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { known } from "../../src/observed/records.ts";
import { containerdData } from "../../src/desired/volumes.ts";
import { scopeDropIn } from "../../src/effect/container-limits.ts";
import { describeChange, describeCost } from "../../src/plan/describe.ts";
import { auditWaits } from "../../src/plan/pending.ts";
import { planApply } from "../../src/plan/plan.ts";
import { observedInputs } from "../../src/plan/seen.ts";
import { auditRulesFile } from "../../src/plan/wish.ts";
import { container, defaultHost, file, info, noIcc, withDaemonJson } from "../support/observation.ts";
import { hardenedArgs, recorded } from "../support/recorded.ts";
import { declared, wishFor } from "../support/wish.ts";
import { copy, declaredVolume, device, facts, hostWith, moved, volume, whole } from "../support/volumes.ts";

function report(args: HostArgs, observation: Observation, newFiles?: "named"): string {
  const wish = wishFor(args, observation);
  return describeChange(planApply(wish, observation), wish, observedInputs(wish, observation), observation, newFiles);
}

function cost(daemon: JsonObject, observation: Observation, rest: Partial<HostArgs> = {}): string[] {
  const wish = wishFor(declared({ daemon, ...rest }), observation);
  return describeCost(planApply(wish, observation), wish, observation);
}

describe("a change in words", () => {
  it("names a new file where its text is kept beside it, and shows what comes in place of another text", () => {
    const [created, replaced] = ["/etc/systemd/system/docker.service.d/50-drydock.conf", "/etc/modules-load.d/drydock.conf"];
    const host = withDaemonJson({});
    const observation = { ...host, files: { ...host.files, [replaced]: file("old\n") } };
    const args = declared({ daemon: { "log-level": "info" }, files: { [created]: "[Service]\nLimitNOFILE=1024\n", [replaced]: "br_netfilter\n" }, modes: { [created]: "root:root 0644", [replaced]: "root:root 0644" } });
    const kept = report(args, observation, "named");
    expect(kept).toContain(`+++ ${created}\tnew file\n`);
    expect(kept).not.toContain("+LimitNOFILE");
    expect(kept).toContain("-old\n+br_netfilter");
    expect(kept).toContain('+  "log-level": "info"');
    expect(report(args, observation)).toContain("+LimitNOFILE=1024");
  });

  it("is a diff of each file, and a line for what no file says", () => {
    const dropIn = "/etc/systemd/system/docker.service.d/50-drydock.conf";
    const old = "/etc/systemd/system/drydock-old.slice";
    const host = withDaemonJson({ "icc": true, "log-level": "debug" });
    const observation = { ...host, files: { ...host.files, [old]: file("[Slice]\nTasksMax=5\n") }, strayFiles: [old] };
    const args = declared({
      daemon: { "icc": false, "live-restore": true },
      files: { [dropIn]: "[Service]\nOOMScoreAdjust=-500\nLimitNOFILE=1024\n" },
      modes: { "/etc/docker": "root:root 0750", [dropIn]: "root:root 0644" },
    });
    expect(report(args, observation)).toMatchInlineSnapshot(`
      "--- /etc/docker/daemon.json
      +++ /etc/docker/daemon.json
      @@ -1,4 +1,4 @@
       {
      -  "icc": true,
      -  "log-level": "debug"
      +  "icc": false,
      +  "live-restore": true
       }
      --- /etc/systemd/system/docker.service.d/50-drydock.conf	new file
      +++ /etc/systemd/system/docker.service.d/50-drydock.conf
      @@ -0,0 +1,3 @@
      +[Service]
      +OOMScoreAdjust=-500
      +LimitNOFILE=1024
      --- /etc/systemd/system/drydock-old.slice
      +++ /etc/systemd/system/drydock-old.slice	removed
      @@ -1,2 +0,0 @@
      -[Slice]
      -TasksMax=5
      modes./etc/docker: "root:root 0755" => "root:root 0750"
      inEffect.daemon.icc: true => false
      inEffect.daemon.live-restore: false => true
      inEffect.limits.docker.service LimitNOFILE: "1048576" => "1024""
    `);
  });

  it.each(["debian-12", "debian-13"] as const)("is nothing for a %s that is as wished", (release) => {
    expect(report(hardenedArgs(release), recorded("hardened", release))).toBe("");
  });

  it("counts audit rules, which the diff of their file has one by one", () => {
    expect(report(hardenedArgs(), recorded("default"))).toMatch(/^inEffect\.audit: \d+ rules are loaded into the kernel, 0 taken out$/m);
  });

  it("never shows what the user's own keys hold: a proxy's address may have a password in it", () => {
    const observation = withDaemonJson({ "icc": true, "http-proxy": "http://ops:hunter2@proxy:3128", "proxies": { default: { httpProxy: "hunter2" } } });
    const text = report(declared({ daemon: { "icc": false, "iptables": true } }), observation);
    expect(text).toContain('-  "icc": true');
    expect(text).not.toContain("hunter2");
  });
});

describe("the cost in words", () => {
  const web = container("web");
  const busy: Partial<Observation> = { containers: known([web]), info: info({ Containers: 2, Images: 3 }) };

  it.each<[string, string[], string[]]>([
    ["nothing", cost({}, defaultHost()), ["nothing restarts"]],
    ["a reload", cost({ "live-restore": true }, defaultHost(busy)), ["dockerd reloads its configuration (live-restore); no container notices"]],
    ["a restart of an idle engine", cost({ "log-level": "info" }, defaultHost()), ["dockerd restarts (log-level)"]],
    ["a restart that containers survive", cost({ "log-level": "info", "live-restore": true }, defaultHost({ ...busy, info: info({ LiveRestoreEnabled: true }) })), ["dockerd restarts (live-restore, log-level)", "containers keep running: web"]],
    ["a restart that they survive by a reload before it", cost({ "log-level": "info", "live-restore": true }, defaultHost(busy)), ["dockerd restarts (live-restore, log-level), after a reload that switches live-restore on", "containers keep running: web"]],
    ["a key of somebody else's", cost({ "dns": ["192.0.2.2"], "log-level": "info" }, withDaemonJson({ "dns": ["192.0.2.1"], "log-level": "warn", "mtu": 1400 }, { applied: { keys: "log-level,icc" } })), ['daemon.dns is replaced, which Drydock had not set: it was ["192.0.2.1"]', "dockerd restarts (dns, log-level)"]],
    ["a restart that ends one for good", cost({ "log-level": "info" }, defaultHost({ ...busy, containers: known([container("job", { autoRemove: true })]) })), ["dockerd restarts (log-level)", "containers are stopped and started again: job", "containers that were run with --rm do not come back, job: Docker removes them when they stop, with their anonymous volumes"]],
    ["a restart that stops them", cost({ "log-level": "info" }, defaultHost(busy)), ["dockerd restarts (log-level)", "containers are stopped and started again: web"]],
    [
      "another store",
      cost({ "userns-remap": "default", "live-restore": true }, defaultHost({ ...busy, containers: known([web, container("db", { running: false })]), images: known(["app:2", "web:1"]) })),
      ["dockerd restarts (live-restore, userns-remap)", "containers stop: web", "userns-remap changes: 2 containers and 3 images under /var/lib/docker are hidden, not lost; images have to be loaded again", "hidden from then on: container web, container db, image app:2, image web:1"],
    ],
    [
      "userns-remap where images are in containerd's store",
      cost({ "userns-remap": "default", "live-restore": true }, defaultHost({ info: info({ ServerVersion: "29.1.0", Images: 1, LiveRestoreEnabled: true, DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]] }) })),
      ["dockerd restarts (live-restore, userns-remap)", "userns-remap changes: 0 containers and 1 image under /var/lib/docker are hidden, not lost; images have to be loaded again", "with userns-remap this engine keeps no images in /var/lib/containerd: they are below /var/lib/docker from then on"],
    ],
    ["audit rules that the kernel takes no more", cost({}, defaultHost({ auditStatus: known({ enabled: "2" }) }), { files: { [auditRulesFile]: "-w /etc/docker -p wa -k docker\n" } }), [auditWaits]],
    [
      "another data root",
      cost({ "data-root": "/srv/docker", "live-restore": true }, defaultHost({ ...busy, dataPlace: known("/srv/docker") })),
      ["dockerd restarts (data-root, live-restore)", "containers stop: web", "data-root changes: 2 containers and 3 images under /var/lib/docker are hidden, not lost; images have to be loaded again", "hidden from then on: container web"],
    ],
    [
      "another storage driver",
      cost({ "storage-driver": "fuse-overlayfs", "live-restore": true }, defaultHost(busy)),
      ["dockerd restarts (live-restore, storage-driver)", "containers stop: web", "storage-driver changes: 2 containers and 3 images under /var/lib/docker are hidden, not lost; images have to be loaded again", "hidden from then on: container web"],
    ],
    ["the storage driver by its name", cost({ "storage-driver": "overlay2", "live-restore": true }, defaultHost({ ...busy, info: info({ LiveRestoreEnabled: true }) })), ["dockerd restarts (live-restore, storage-driver)", "containers keep running: web"]],
    [
      "containerd's image store",
      cost({ "features": { "containerd-snapshotter": true }, "live-restore": true }, defaultHost({ ...busy, info: info({ ServerVersion: "28.5.2", Containers: 2, Images: 3 }) })),
      ["dockerd restarts (features, live-restore)", "containers stop: web", "features changes: 2 containers and 3 images under /var/lib/docker are hidden, not lost; images have to be loaded again", "hidden from then on: container web"],
    ],
    [
      "limits, which running containers get at once",
      cost({}, defaultHost(busy), { files: { [scopeDropIn]: "[Scope]\nMemoryMax=50%\nTasksMax=512\n" } }),
      ["running containers get these limits at once, unless they have some of their own: MemoryMax=50%, TasksMax=512"],
    ],
    ["limits where nothing runs", cost({}, defaultHost(), { files: { [scopeDropIn]: "[Scope]\nTasksMax=512\n" } }), ["nothing restarts"]],
    ["a closed bridge", cost({ "icc": false, "live-restore": true }, withDaemonJson({ "icc": false, "live-restore": true }, { ...busy, info: info({ LiveRestoreEnabled: true }) })), ["containers on docker0 can't reach each other from then on, running ones included"]],
    ["a module", cost({}, defaultHost({ bridgeNetfilter: false }), { files: { "/etc/modules-load.d/drydock.conf": "br_netfilter\n" } }), ["kernel modules are loaded: br_netfilter"]],
    ["a bridge that stays closed while containers run", cost({ "icc": true, "live-restore": true }, withDaemonJson({ "icc": false, "live-restore": true }, { ...busy, ...noIcc, info: info({ LiveRestoreEnabled: true }) })), ["dockerd restarts (icc)", "containers keep running: web", "containers on docker0 can't reach each other yet (icc): that waits for dockerd, which makes it anew when it starts while no container runs"]],
    ["a stopped auditd", cost({}, defaultHost({ units: { ...defaultHost().units, "auditd.service": { LoadState: "loaded", ActiveState: "inactive" } } }), { files: { [auditRulesFile]: "" } }), ["auditd.service is started"]],
    ["a stopped engine", cost({}, defaultHost({ units: { "docker.service": { ActiveState: "inactive" } } })), ["dockerd is started"]],
  ])("%s", (_, said, expected) => {
    expect(said).toEqual(expected);
  });
});

describe("a volume in words", () => {
  const said = (observation: Observation, args: HostArgs = declaredVolume()): string[] => {
    const wish = wishFor(args, observation);
    return describeCost(planApply(wish, observation), wish, observation);
  };
  const move = (from: string): string => `1.0 GiB under /var/lib/docker move to /dev/disk/by-id/virtio-data, ${from}: copied while Docker runs, and once more, with what has changed, while it is stopped; then every byte is compared`;
  const restart = "dockerd restarts (/var/lib/docker)";
  const busy = { containers: known([container("web")]), info: info({ Containers: 1 }) };
  const containerds = defaultHost({ volumes: { [containerdData]: known({ ...facts(), place: containerdData }) } });

  it.each<[string, string[], string[]]>([
    ["a move", said(hostWith()), [move("which is empty and gets ext4"), restart]],
    ["a move of containerd's data", said(containerds, declared({ volumes: { [containerdData]: volume() } })), [move("which is empty and gets ext4").replaceAll("/lib/docker", "/lib/containerd"), "containerd stops while its data move, and starts again", restart.replaceAll("/lib/docker", "/lib/containerd")]],
    ["a move to xfs", said(hostWith(), declaredVolume("xfs")), [move("which is empty and gets xfs"), restart]],
    ["a move that goes on", said(hostWith({ device: device({ signatures: [copy] }) })), [move("where a copy was begun"), restart]],
    ["a move that stops containers", said(hostWith({}, busy)), [move("which is empty and gets ext4"), restart, "containers are stopped and started again: web"]],
    ["a filesystem that is whole", said(hostWith({ device: device({ signatures: [whole] }) })), ["Docker stops, and /var/lib/docker is the ext4 on /dev/disk/by-id/virtio-data from then on, with the data on it", restart]],
    ["a mount that is mended", said(moved(busy, { boot: "disabled" })), ["/var/lib/docker gets the options and the place at boot that are wished; nothing stops"]],
    ["a mount that is right", said(moved(busy)), ["nothing restarts"]],
    ["old data that go", said(moved({ ...busy, oldData: [{ name: "docker", bytes: 5, where: "aside" }] }), declaredVolume("ext4", { allow: ["remove-old-data"] })), ["what was there before a move is removed at the end"]],
  ])("%s", (_, cost, expected) => {
    expect(cost).toEqual(expected);
  });

  it("is a line of what is mounted, and one of what is left", () => {
    const wish = (observation: Observation) => report(declaredVolume("ext4", { allow: ["remove-old-data"] }), observation);
    expect(wish(hostWith())).toContain('inEffect.mounts./var/lib/docker: "not mounted" => "ext4, UUID=');
    expect(wish(moved({ oldData: [{ name: "docker", bytes: 1.5 * 2 ** 30, where: "aside" }] }))).toBe("inEffect.oldData: docker: 1.5 GiB => none");
    expect(wish(moved())).toBe("");
  });
});
