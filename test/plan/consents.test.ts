import { describe, expect, it } from "vitest";
import type { HostArgs, JsonObject } from "../../src/desired/host-inputs.ts";
import { scopeDropIn } from "../../src/effect/container-limits.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { consentFindings } from "../../src/plan/consents.ts";
import { planApply } from "../../src/plan/plan.ts";
import { container, defaultHost, file, info, withDaemonJson } from "../support/observation.ts";
import { declaredVolume, device, disk, hostWith, ownUuid, whole } from "../support/volumes.ts";
import { declared, wishFor } from "../support/wish.ts";

function found(args: HostArgs, observation: Observation): string[] {
  const wish = wishFor(args, observation);
  return consentFindings(wish, observation, planApply(wish, observation));
}

const web = container("web");
const busy: Partial<Observation> = { containers: known([web]), info: info({ Containers: 2, Images: 3 }) };

describe("consent", () => {
  const hides = (stops: string): string => `changing userns-remap ${stops}hides 2 containers and 3 images (they stay under /var/lib/docker); to consent, add to this host: allow: [hide-containers]`;
  const stops = "restarting dockerd without live-restore stops web; set daemon.live-restore: true, or consent on this host with: allow: [restart-containers]";

  it.each<[string, Partial<HostArgs>, Partial<Observation>, string[]]>([
    ["images and containers get hidden", { daemon: { "userns-remap": "default" } }, busy, [hides("stops web and ")]],
    ["one of each gets hidden", { daemon: { "userns-remap": "default" } }, { info: info({ Containers: 1, Images: 1 }) }, [hides("").replace("2 containers and 3 images", "1 container and 1 image")]],
    ["nothing runs, but there is something to hide", { daemon: { "userns-remap": "default" } }, { ...busy, containers: known([]) }, [hides("")]],
    ["it was given", { daemon: { "userns-remap": "default" }, allow: ["hide-containers"] }, busy, []],
    ["the data root is another one", { daemon: { "data-root": "/srv/docker" } }, { ...busy, dataPlace: known("/srv/docker") }, [hides("stops web and ").replace("userns-remap", "data-root")]],
    ["both change", { daemon: { "data-root": "/srv/docker", "userns-remap": "default" } }, { ...busy, dataPlace: known("/srv/docker") }, [hides("stops web and ").replace("userns-remap", "data-root and userns-remap")]],
    ["images are in containerd's own place", { daemon: { "userns-remap": "default" } }, { info: info({ Containers: 0, Images: 3, DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]] }) }, ["changing userns-remap hides 0 containers and 3 images (they stay under /var/lib/docker, images in /var/lib/containerd, since with userns-remap this engine keeps none there); to consent, add to this host: allow: [hide-containers]"]],
    ["another one was given, which stays in the list", { daemon: { "userns-remap": "default" }, allow: ["restore-original", "restart-containers"] }, busy, [hides("stops web and ").replace("[hide-containers]", "[hide-containers, restart-containers, restore-original]")]],
    ["there is nothing to hide", { daemon: { "userns-remap": "default" } }, { info: info({ Images: 0 }) }, []],
    ["containers stop", { daemon: { "log-level": "info" } }, busy, [stops]],
    ["containers stop, and one of them goes with it", { daemon: { "log-level": "info" } }, { ...busy, containers: known([web, container("job", { autoRemove: true })]) }, [stops.replace("stops web", "stops web, job; containers that were run with --rm do not come back, job")]],
    ["containers may stop", { daemon: { "log-level": "info" }, allow: ["restart-containers"] }, busy, []],
    ["addresses move to the file, without live-restore in effect", { daemon: { hosts: ["fd://"], "live-restore": true } }, busy, [stops]],
    ["containers survive", { daemon: { "log-level": "info", "live-restore": true } }, busy, []],
  ])("is asked for when %s", (_, args, host, texts) => {
    expect(found(declared(args), defaultHost(host))).toEqual(texts);
  });
});

describe("limits of each container", () => {
  const dropIn = declared({ files: { [scopeDropIn]: "[Scope]\nTasksMax=512\n" } });
  const using = (pids: Record<string, string>): Observation => {
    const running = Object.keys(pids).map((name) => container(name));
    return defaultHost({ containers: known(running), info: info({ Containers: 1 }), cgroups: Object.fromEntries(running.map(({ id, name }) => [`docker-${id}.scope`, { "pids.max": "max", "pids.current": pids[name] ?? "" }])) });
  };
  const text = (name: string, used: number) => `${name} uses ${used} processes, and TasksMax=512 leaves it 512: limits hold for running containers at once; raise the limit for this host, or consent on this host with: allow: [restart-containers]`;

  it("need consent for each container that uses more: they hold at once", () => {
    expect(found(dropIn, using({ web: "600", api: "700", db: "500" }))).toEqual([text("web", 600), text("api", 700)]);
    expect(found({ ...dropIn, allow: ["restart-containers"] }, using({ web: "600" }))).toEqual([]);
  });

  it("need it as well when somebody lifted them and a container has used that", () => {
    const files = { [scopeDropIn]: file("[Scope]\nTasksMax=512\n") };
    expect(found(dropIn, { ...using({ web: "600" }), files })).toEqual([text("web", 600)]);
    expect(found(dropIn, { ...using({ web: "500" }), files })).toEqual([]);
  });
});

describe("several disruptions in one update", () => {
  const adopted = (change: Partial<Observation>) => hostWith({ device: device({ signatures: [{ ...whole, uuid: ownUuid }] }) }, { ...busy, ...change });
  const all = "allow: [hide-containers, restart-containers]";

  it("are all told, each with the one line that consents to all of them", () => {
    expect(found(declaredVolume(), adopted({}))).toEqual([
      `${disk} carries data of before, which would hide 1.0 GiB of now under /var/lib/docker, with 2 containers and 3 images (they are kept aside); to consent to all of this, add to this host: ${all}`,
      `moving /var/lib/docker stops web, which are started again after it; to consent to all of this, add to this host: ${all}`,
    ]);
  });

  it("are told one by one where one word is enough for them", () => {
    const texts = found(declaredVolume("ext4", { daemon: { "userns-remap": "default" } }), adopted({}));
    expect(texts.map((text) => text.replace(/ (carries|stops) .*; /, " … "))).toEqual([`${disk} … to consent, add to this host: allow: [hide-containers]`, "changing userns-remap … to consent, add to this host: allow: [hide-containers]"]);
  });

  it("are told without those that were consented to", () => {
    expect(found(declaredVolume("ext4", { allow: ["hide-containers"] }), adopted({}))).toEqual([`moving /var/lib/docker stops web, which are started again after it; to consent, add to this host: ${all}`]);
  });

  it("the line is enough", () => {
    expect(found(declaredVolume("ext4", { allow: ["hide-containers", "restart-containers"] }), adopted({}))).toEqual([]);
  });
});

describe("while dockerd is stopped", () => {
  const stopped = { units: { ...defaultHost().units, "docker.service": { LoadState: "loaded", ActiveState: "inactive" } }, info: unknown("docker.service is inactive"), containers: unknown("docker.service is inactive") };
  const text = (keys: string) => `docker.service does not run, so what a change of ${keys} would hide is not known; start it first: systemctl start docker`;
  const ranges = { users: ["dockremap"], subordinateUids: "dockremap:100000:65536\n", subordinateGids: "dockremap:100000:65536\n" };

  it.each<[string, JsonObject, Observation, string[]]>([
    ["userns-remap is not switched on: nobody knows what it would hide", { "userns-remap": "default" }, defaultHost(stopped), [text("userns-remap")]],
    ["it is not switched off", { icc: false }, withDaemonJson({ "userns-remap": "default" }, { ...stopped, applied: { keys: "userns-remap" } }), [text("userns-remap")]],
    ["the user's own stays on", { icc: false }, withDaemonJson({ "userns-remap": "default" }, stopped), []],
    ["it may stay as it is", { icc: false, "userns-remap": "default" }, withDaemonJson({ "userns-remap": "default" }, { ...stopped, ...ranges }), []],
    ["no other store is chosen", { "data-root": "/srv/docker", "storage-driver": "vfs", features: { "containerd-snapshotter": true } }, defaultHost(stopped), [text("data-root and features and storage-driver")]],
    ["a store that is named as it is stays", { icc: false, "data-root": "/var/lib/docker", features: { buildkit: true } }, defaultHost(stopped), []],
    ["the user's own data-root stays", { icc: false }, withDaemonJson({ "data-root": "/srv/docker" }, stopped), []],
  ])("%s", (_, daemon, observation, texts) => {
    expect(found(declared({ daemon }), observation)).toEqual(texts);
  });
});
