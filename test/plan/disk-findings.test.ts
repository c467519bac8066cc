import { describe, expect, it } from "vitest";
import type { HostArgs } from "../../src/desired/host-inputs.ts";
import type { Mount, Observation } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import type { Room } from "../../src/observed/room.ts";
import { diskDoubts, diskFindings, placeOfData } from "../../src/plan/disk-findings.ts";
import { emptyPlan, planApply } from "../../src/plan/plan.ts";
import { defaultHost, info, mount, withDaemonJson } from "../support/observation.ts";
import { data, declaredVolume, disk, hostWith } from "../support/volumes.ts";
import { daemonWish, declared, wishFor } from "../support/wish.ts";

function found(observation: Observation, change: Partial<HostArgs> = { daemon: { icc: false } }): string[] {
  const wish = wishFor(declared(change), observation);
  return diskFindings(wish, observation, planApply(wish, observation));
}
const mounted = (...mounts: Mount[]): Partial<Observation> => ({ mounts: known([mount("/", "8:1"), ...mounts]) });
const ro = ["ro", "relatime"];
const mend = (path: string): string => `read-only; look in dmesg whether the kernel did that after an error, and mend that first, else: mount -o remount,rw ${path}`;

describe("a filesystem that can't be written", () => {
  it.each<[string, Observation, string[]]>([
    ["of everything is named once", defaultHost({ mounts: known([mount("/", "8:1", "ext4", ro)]) }), [`/etc, /var/lib, /var/lib/docker are on /dev/8:1, mounted at / ${mend("/")}`]],
    ["of Docker's data", defaultHost(mounted(mount("/var/lib/docker", "8:2", "ext4", ro))), [`/var/lib/docker is on /dev/8:2, mounted at /var/lib/docker ${mend("/var/lib/docker")}`]],
    ["of somebody else is none of ours", defaultHost(mounted(mount("/var/lib/docker-registry", "8:2", "ext4", ro), mount("/usr", "8:3", "ext4", ro))), []],
    ["of what Drydock keeps", defaultHost(mounted(mount("/var/lib/drydock", "8:2", "ext4", ro))), [`/var/lib/drydock is on /dev/8:2, mounted at /var/lib/drydock ${mend("/var/lib/drydock")}`]],
    ["has another one over it", defaultHost(mounted(mount("/etc", "8:2", "ext4", ro), mount("/etc", "0:40", "overlay"))), []],
    ["is where a link leads", defaultHost({ ...mounted(mount("/srv", "8:2", "ext4", ro)), dataPlace: known("/srv/docker") }), [`/srv/docker is on /dev/8:2, mounted at /srv ${mend("/srv")}`]],
    ["is where the user's own data-root is", withDaemonJson({ "data-root": "/srv/docker" }, mounted(mount("/srv", "8:2", "ext4", ro))), [`/srv/docker is on /dev/8:2, mounted at /srv ${mend("/srv")}`]],
  ])("%s", (_, observation, texts) => {
    expect(found(observation)).toEqual(texts);
  });
});

describe("an ext4 with errors", () => {
  it.each<[string, Partial<Observation>, string[]]>([
    ["is refused", { diskErrors: known({ "8:1": 3 }) }, ["/etc, /var/lib, /var/lib/docker are on /dev/8:1, mounted at /, and the kernel has found 3 errors in that ext4 since it was last checked; save its data, then check it: e2fsck -f /dev/8:1 while it is not mounted, for / a boot with fsck.mode=force on the kernel's command line"]],
    ["that is another one is not", { diskErrors: known({ "8:9": 3 }) }, []],
    ["is not known", { diskErrors: unknown("no sysfs") }, []],
  ])("%s", (_, host, texts) => {
    expect(found(defaultHost(host))).toEqual(texts);
  });
});

it("what lies where a volume will be mounted is left behind, whatever is wrong with it", () => {
  const observation = hostWith({}, mounted(mount("/var", "8:2"), mount("/var/lib", "8:3"), mount(data, "8:3")));
  const wish = wishFor(declaredVolume(), observation);
  const errors = { ...observation, diskErrors: known({ "8:3": 1 }) };
  expect(diskFindings(wish, errors, planApply(wish, errors)).map((text) => text.replace(/ (is|are) on .*/, ""))).toEqual(["/var/lib"]);
});

describe("room", () => {
  const room = (...rooms: Partial<Room>[]): Observation => defaultHost({ room: known(rooms.map((one) => ({ path: "/var/lib", bytes: 10 ** 10, inodes: 10 ** 6, allInodes: 2 * 10 ** 6, ...one }))) });
  const mib = 1024 * 1024;

  it.each<[string, Observation, string[]]>([
    ["enough", room({ bytes: 17 * mib, inodes: 256 }), []],
    ["too few bytes", room({ bytes: 1024 }), ["/var/lib: 1.0 KiB are free, and 16.0 MiB are needed, with what is kept of before; free some space first"]],
    ["too few bytes under two names", room({ path: "/etc", bytes: 1024 }, { bytes: 1024 }), ["/etc, /var/lib: 1.0 KiB are free, and 16.0 MiB are needed, with what is kept of before; free some space first"]],
    ["too few inodes", room({ inodes: 255 }), ["/var/lib: 255 inodes of 2000000 are free, and 256 are needed; remove files that nobody needs first (df -i)"]],
    ["inodes that are made as they are needed", room({ inodes: 0, allInodes: 0 }), []],
    ["not known", defaultHost({ room: unknown("no") }), []],
  ])("%s", (_, observation, texts) => {
    expect(found(observation)).toEqual(texts);
  });

  it("is needed for what is written and for what is kept of it", () => {
    const files = { "/etc/audit/rules.d/50-drydock.rules": "#".repeat(3 * mib) };
    expect(found(room({ path: "/etc", bytes: 18 * mib }), { files })).toEqual(["/etc: 18.0 MiB are free, and 19.0 MiB are needed, with what is kept of before; free some space first"]);
    expect(found(room({ path: "/etc", bytes: 20 * mib }), { files })).toEqual([]);
  });
});

describe("a /var/lib/drydock that is a filesystem of its own", () => {
  const mib = 1024 * 1024;
  const own = mounted(mount("/var/lib/drydock", "8:3"));
  const row = (path: string, bytes: number): Room => ({ path, bytes, inodes: 10 ** 6, allInodes: 2 * 10 ** 6 });
  const room = (drydock: number, rest: number): Partial<Observation> => ({ room: known([row("/etc", rest), row("/var/lib", rest), row("/var/lib/drydock", drydock)]) });
  const files = { "/etc/audit/rules.d/50-drydock.rules": "#".repeat(3 * mib) };

  it("has to have room for what is kept, and /var/lib has not", () => {
    expect(found(defaultHost({ ...own, ...room(18 * mib, 20 * mib) }), { files })).toEqual(["/var/lib/drydock: 18.0 MiB are free, and 19.0 MiB are needed, with what is kept of before; free some space first"]);
    expect(found(defaultHost({ ...own, ...room(20 * mib, 19 * mib) }), { files })).toEqual([]);
  });

  it("is named no second time where it is none", () => {
    expect(found(defaultHost(room(1024, 1024)))).toEqual(["/etc, /var/lib: 1.0 KiB are free, and 16.0 MiB are needed, with what is kept of before; free some space first"]);
  });

  it.each<[string, Partial<Observation>, string[]]>([
    ["takes in what a move leaves, as a copy", own, ["/var/lib/drydock: 500 MiB are free, and 1.0 GiB are needed, 1.0 GiB of them for the data of before a move, which are copied there; free some space first"]],
    ["does not where it is none: that is a rename", mounted(), []],
  ])("%s", (_, host, texts) => {
    const observation = hostWith({}, { ...host, ...room(500 * mib, 600 * mib) });
    const wish = wishFor(declaredVolume(), observation);
    expect(diskFindings(wish, observation, planApply(wish, observation))).toEqual(texts);
  });

  it("whose space nobody has asked for is said", () => {
    expect(diskDoubts(defaultHost(own), emptyPlan)).toEqual(["how much space is free in /var/lib/drydock, which is a filesystem of its own (it was not asked for)"]);
    expect(diskDoubts(defaultHost({ ...own, ...room(1, 1) }), emptyPlan)).toEqual([]);
  });
});

describe("a size for each container", () => {
  const daemon = { "storage-opts": ["overlay2.size=10G"] };
  const lacks = (place: string, at: string, what: string): string => `daemon.storage-opts overlay2.size=10G needs xfs with pquota, and ${place}, on the filesystem at ${at}, ${what}, so dockerd would not start; give it a volume with filesystem: xfs and containerSize, or take the option out`;

  it.each<[string, Partial<Observation>, Partial<HostArgs>, string[]]>([
    ["on ext4", {}, { daemon }, [lacks("/var/lib/docker", "/", "is ext4")]],
    ["on xfs without quota", mounted(mount(data, "8:2", "xfs", ["rw", "noquota"])), { daemon }, [lacks(data, data, "is mounted without pquota")]],
    ["on xfs that counts", mounted(mount(data, "8:2", "xfs", ["rw", "prjquota"])), { daemon }, []],
    ["on xfs where the data root leads", { ...mounted(mount("/srv", "8:2", "xfs", ["rw", "prjquota"])), dataPlace: known("/srv/docker") }, { daemon }, []],
    ["in another data root", { ...mounted(mount(data, "8:2", "xfs", ["rw", "prjquota"])), dataPlace: known("/srv/docker") }, { daemon: { ...daemon, "data-root": "/srv/docker" } }, [lacks("/srv/docker", "/", "is ext4")]],
    ["on a volume that brings it", {}, { daemon, volumes: { [data]: { device: "/dev/sdb", filesystem: "xfs", options: "dev,pquota" } } }, []],
    ["on a volume that does not", {}, { daemon, volumes: { [data]: { device: "/dev/sdb", filesystem: "ext4", options: "nodev" } } }, [lacks(data, data, "is ext4")]],
    ["where nobody knows what is mounted", { mounts: unknown("no") }, { daemon }, []],
    ["not asked for", {}, { daemon: { "storage-opts": ["overlay2.override_kernel_check=true"] } }, []],
  ])("%s", (_, host, change, texts) => {
    expect(found(defaultHost(host), change)).toEqual(texts);
  });

  describe("where the engine keeps images in containerd's place", () => {
    const host = defaultHost({ ...mounted(mount(data, "8:2", "xfs", ["rw", "prjquota"])), info: info({ ServerVersion: "29.1.0", DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]] }) });

    it("has no effect, which is said", () => {
      expect(found(host, { daemon })).toEqual([
        "daemon.storage-opts overlay2.size=10G has no effect here: this engine (29.1.0) keeps images and what containers write in /var/lib/containerd, where no container has a size; take volume.containerSize or the option out and give volume.containerd a disk of its own, or set daemon.features.containerd-snapshotter: false (images have to be loaded again then)",
      ]);
    });

    it.each<[string, HostArgs["daemon"]]>([
      ["userns-remap", { "userns-remap": "default" }],
      ["a storage driver of its own", { "storage-driver": "overlay2" }],
      ["the feature switched off", { features: { "containerd-snapshotter": false } }],
    ])("counts with %s, which takes them out of it", (_, more) => {
      expect(found(host, { daemon: { ...daemon, ...more } })).toEqual([]);
    });

    it("counts where the user has switched the feature off himself", () => {
      expect(found(withDaemonJson({ features: { "containerd-snapshotter": false } }, host), { daemon })).toEqual([]);
    });

    it.each<[string, HostArgs["daemon"]]>([
      ["a storage driver that is a snapshotter", { "storage-driver": "overlayfs" }],
      ["a storage driver, where the feature is switched on", { "storage-driver": "overlay2", features: { "containerd-snapshotter": true } }],
    ])("has none with %s", (_, more) => {
      expect(found(host, { daemon: { ...daemon, ...more } })).toHaveLength(1);
    });

    it("has none where the images are to get there, by an engine that can", () => {
      const features = { "containerd-snapshotter": true };
      const graph = (ServerVersion: string): Observation => ({ ...host, info: info({ ServerVersion }) });
      expect(found(graph("28.5.2"), { daemon: { ...daemon, features } })).toHaveLength(1);
      expect(found(graph("20.10.24"), { daemon: { ...daemon, features } })).toEqual([]);
    });
  });
});

it("the wish's own data root counts before the user's", () => {
  const observation = withDaemonJson({ "data-root": "/srv/docker" }, { dataPlace: unknown("cd: can't cd to /mnt/docker") });
  expect(placeOfData(daemonWish({ "data-root": "/mnt/docker" }, observation), observation)).toBe("/mnt/docker");
});

describe("what could not be told", () => {
  it("is said", () => {
    expect(diskDoubts(defaultHost(), emptyPlan)).toEqual([]);
    expect(diskDoubts(defaultHost({ room: unknown("a"), mounts: unknown("b"), diskErrors: unknown("c") }), emptyPlan)).toHaveLength(3);
  });

  it("may be whether data fit, where counting them took too long", () => {
    const observation = hostWith({ data: { bytes: Number.NaN, entries: Number.NaN } });
    const plan = planApply(wishFor(declaredVolume(), observation), observation);
    expect(diskDoubts(observation, plan)).toEqual([`whether ${disk} has room for ${data} (counting what is there took too long; a copy that does not fit ends before Docker is stopped)`]);
  });
});
