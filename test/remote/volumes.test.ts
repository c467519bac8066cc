/** Moves to filesystems of their own, as transactions on a host that is a folder; disks are folders, too. */

import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Observation } from "../../src/observed/observation.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { VolumeStep } from "../../src/plan/volumes.ts";
import { removeOldData, restoreOriginal, type TransactionResult } from "../../src/remote/apply.ts";
import { applyAndConfirm } from "../support/confirmed.ts";
import { FakeRoot, mine } from "../support/fake-root.ts";
import { disk, format, labelOf, step, uuid, volumeWrites, withDisks } from "../support/fake-volumes.ts";
import { emptyPlan, noDocker } from "../support/plan.ts";
import { snapshot } from "../support/trees.ts";

const connection = { host: "192.0.2.10", port: 22 };
const owner = { stack: "drydock/test", host: "web1" };
const [web, db] = ["1".repeat(64), "2".repeat(64)] as const;
const data = "/var/lib/docker";
const unit = "/etc/systemd/system/var-lib-docker.mount";
const dropIn = "/etc/systemd/system/docker.service.d/40-drydock-volume.conf";

let host: FakeRoot;
beforeEach(() => {
  host = new FakeRoot();
  withDisks(host);
  host.write("/etc/docker/daemon.json", "{}\n");
  host.write(`${data}/overlay2/a/diff/file`, "one\n", 0o640);
  host.write(`${data}/volumes/db/_data/table`, "\0".repeat(100_000));
  format(host, "");
  host.remove("/labels/docker");
});
afterEach(() => void vi.unstubAllEnvs());

async function move(steps: VolumeStep[] = [step()], change: Partial<Plan> = {}, observation: Observation = host.observation()): Promise<TransactionResult> {
  const result = await applyAndConfirm(connection, emptyPlan({ volumes: steps, writes: volumeWrites(...steps), daemonReload: true, docker: { ...noDocker, how: "restart", stop: [web, db] }, ...change }), observation, owner);
  return { ...result, log: result.log.map((line) => line.replaceAll(host.folder, "")).filter((line) => !line.startsWith("installing ")) };
}

/** What changed the machine: nothing that only asks. */
const deeds = (): string[] => host.calls().filter((call) => /^(mkfs|mount |umount|e2label|xfs_|unshare)|^systemctl (-q enable|-q disable|start|stop|reload)|^docker (stop|start)/.test(call));

const copying = ["copying /var/lib/docker to /dev/disk/by-id/docker while Docker runs", `stopping container ${web}`, `stopping container ${db}`, "stopping dockerd", "copying what has changed in /var/lib/docker", "comparing every byte of /var/lib/docker with its copy"];
const wentBack = ["failed; going back to the state of before", "restarting dockerd with the old configuration", "the state of before is back"];

/** Docker runs on the folder of before, with its containers, and nothing of ours is in the way. */
function expectBefore(): void {
  expect(host.exists("/running")).toBe(true);
  for (const id of [web, db]) expect(host.read(`/containers/${id}`)).toBe("true 0\n");
  expect(host.read(`${data}/overlay2/a/diff/file`)).toBe("one\n");
  expect(host.exists(unit)).toBe(false);
  expect(host.exists(dropIn)).toBe(false);
  expect(host.exists("/var/lib/drydock/stopped")).toBe(false);
  expect(host.exists("/var/lib/drydock/volumes")).toBe(false);
}

describe("a move", () => {
  it("makes the filesystem, copies, compares, mounts, sets the old data aside, and has stopped Docker only for the end", async () => {
    const before = snapshot(host.at(data));
    const { outcome, log } = await move();
    expect(log).toEqual(["making ext4 on /dev/disk/by-id/docker", ...copying, "mounting /dev/disk/by-id/docker at /var/lib/docker", "restarting dockerd", "setting the old data of /var/lib/docker aside"]);
    expect(outcome).toBe("done");
    expect(deeds()).toEqual([
      `mkfs.ext4 -q -I 256 -L drydock-copy -U ${uuid} /dev/disk/by-id/docker`,
      "mount -t ext4 -o nodev /dev/disk/by-id/docker /var/lib/drydock/volumes/docker",
      `docker stop ${web}`,
      `docker stop ${db}`,
      "systemctl stop docker.socket",
      "systemctl stop docker.service",
      // What is compared is read from the disk.
      "umount /var/lib/drydock/volumes/docker",
      "mount -t ext4 -o nodev /dev/disk/by-id/docker /var/lib/drydock/volumes/docker",
      "systemctl -q enable var-lib-docker.mount",
      "umount /var/lib/drydock/volumes/docker",
      "systemctl start var-lib-docker.mount",
      "e2label /dev/disk/by-id/docker drydock-data",
      "systemctl stop docker.socket",
      "systemctl stop docker.service",
      "systemctl start docker.socket",
      "systemctl start docker.service",
      ...[db, web, db, web].map((id) => `docker start ${id}`),
      expect.stringMatching(/^unshare --mount --propagation private sh -euc /),
      "umount --lazy /var/lib/docker",
    ]);
    expect(snapshot(disk(host))).toEqual(before);
    expect(snapshot(host.at("/var/lib/drydock/old-data/docker"))).toEqual(before);
    expect(host.list("/below")).toEqual(["755 /below/_var_lib_docker/"]);
    expect(host.read("/var/lib/drydock/old-data/docker.size")).toBe("4096\n");
    expect(host.exists(`${data}/.drydock-copying`)).toBe(false);
    expect(host.exists("/var/lib/drydock/stopped")).toBe(false);
    expect(host.exists("/var/lib/drydock/volumes")).toBe(false);
  });

  it("to xfs marks it with xfs's own tools", async () => {
    const { outcome } = await move([step({ filesystem: "xfs", options: "nodev,pquota" })]);
    expect(outcome).toBe("done");
    expect(deeds()).toEqual(expect.arrayContaining([`mkfs.xfs -q -L drydock-copy -m uuid=${uuid} /dev/disk/by-id/docker`, "mount -t xfs -o nodev,pquota /dev/disk/by-id/docker /var/lib/drydock/volumes/docker", "xfs_io -c label -s drydock-data /var/lib/docker"]));
    expect(labelOf(host)).toBe("drydock-data");
  });

  it("goes on with a copy that was cut off, and makes no filesystem again", async () => {
    format(host, "drydock-copy");
    writeFileSync(join(disk(host), "left over"), "x");
    mkdirSync(join(disk(host), ".drydock-copying"));
    const { outcome, log } = await move([step({ format: false })]);
    expect([outcome, log[0]]).toEqual(["done", copying[0]]);
    expect(deeds().filter((call) => call.startsWith("mkfs"))).toEqual([]);
    expect(snapshot(disk(host))).toEqual(snapshot(host.at("/var/lib/drydock/old-data/docker")));
    expect(labelOf(host)).toBe("drydock-data");
  });

  it("of nothing mounts an empty filesystem, and keeps nothing", async () => {
    host.remove(data);
    const { outcome } = await move();
    expect(outcome).toBe("done");
    expect(labelOf(host)).toBe("drydock-data");
    expect(host.exists("/var/lib/drydock/old-data")).toBe(false);
  });

  it("of containerd's data stops containerd, and starts it before dockerd", async () => {
    host.write("/var/lib/containerd/io.containerd.content/blob", "x");
    format(host, "", "containerd");
    host.remove("/labels/containerd");
    const { outcome } = await move([step({ mountPoint: "/var/lib/containerd" }), step()]);
    expect(outcome).toBe("done");
    expect(labelOf(host, "containerd")).toBe("drydock-ctrd");
    const services = host.calls().filter((call) => /^systemctl (start|stop) .*(service|mount)/.test(call));
    expect(services).toEqual(["stop docker.service", "stop containerd.service", "start var-lib-containerd.mount", "start var-lib-docker.mount", "start containerd.service", "stop docker.service", "start docker.service"].map((call) => `systemctl ${call}`));
    expect(host.read("/var/lib/containerd/io.containerd.content/blob")).toBe("x");
    expect(host.read("/var/lib/drydock/old-data/containerd/io.containerd.content/blob")).toBe("x");
  });

  it("that can't set the old data aside is done all the same, and says where they lie", async () => {
    host.touch("/no-unshare");
    const { outcome, log } = await move();
    expect(outcome).toBe("done");
    expect(log.at(-1)).toBe("what was moved could not be set aside; it lies below the new filesystem");
    expect(host.exists("/below/_var_lib_docker/overlay2/a/diff/file")).toBe(true);
    // Which the next update does.
    host.remove("/no-unshare");
    const again = await move([step({ how: "repair", format: false, bytes: 0 })], { docker: noDocker, writes: [] });
    expect(again.log).toContain("setting the old data of /var/lib/docker aside");
    expect(host.read("/var/lib/drydock/old-data/docker/overlay2/a/diff/file")).toBe("one\n");
    expect(host.read("/var/lib/drydock/old-data/docker.size")).toBe("4096\n");
  });
});

describe("a move that fails goes back", () => {
  it("before anything stops when the disk is not empty any more", async () => {
    format(host, "somebody's");
    const { outcome, log } = await move();
    expect(outcome).toBe("went back");
    expect(log).toEqual(["/dev/disk/by-id/docker is not empty any more", "failed; going back to the state of before", "the state of before is back"]);
    expect(deeds()).toEqual([]);
    expect(labelOf(host)).toBe("somebody's");
  });

  it("when the disk can't be read", async () => {
    host.on("wipefs", "exit 1");
    expect((await move()).log[0]).toBe("/dev/disk/by-id/docker can't be read");
  });

  it("when the filesystem can't be made", async () => {
    host.on("mkfs.ext4", "echo 'mkfs.ext4: Device size reported to be zero' >&2; exit 1");
    const { outcome, log } = await move();
    expect(outcome).toBe("went back");
    expect(log).toEqual(["making ext4 on /dev/disk/by-id/docker", "mkfs.ext4: Device size reported to be zero", "failed; going back to the state of before", "the state of before is back"]);
  });

  it("when a copy differs, with dockerd and the containers running, and the next one goes on from there", async () => {
    // Between the copy and the comparison: nothing else calls mkfifo.
    host.on("mkfifo", 'printf two >"$ROOT/disks/docker/overlay2/a/diff/file"; exec /usr/bin/mkfifo "$@"');
    const { outcome, log } = await move();
    expect(outcome).toBe("went back");
    const differs = expect.stringMatching(/^the copy differs: .*\.\/overlay2\/a\/diff\/file: Size differs/) as unknown;
    expect(log).toEqual(["making ext4 on /dev/disk/by-id/docker", ...copying, differs, "copying all of /var/lib/docker once more, and comparing again", differs, ...wentBack]);
    expectBefore();
    expect(labelOf(host)).toBe("drydock-copy");
    host.remove("/bin/mkfifo");
    expect((await move([step({ format: false })])).outcome).toBe("done");
    expect(host.read(`${data}/overlay2/a/diff/file`)).toBe("one\n");
  });

  it("when a file comes into the copy that is none of Docker's", async () => {
    host.on("mkfifo", "exit 9");
    host.on("tar", 'case "$*" in *--extract*) : >"$ROOT/disks/docker/stranger" ;; esac; exec /usr/bin/tar "$@"');
    const { outcome, log } = await move();
    expect(outcome).toBe("went back");
    expect(log).toContain("the copy has other files than /var/lib/docker");
    expectBefore();
  });

  it.each([
    ["a folder of it is bound elsewhere", "/srv/www", (at: string) => `28 1 254:0 / / rw - ext4 /dev/vda rw\n43 28 254:0 ${at}/volumes/x/_data /srv/www rw - ext4 /dev/vda rw\n`],
    ["a container of somebody else has it as its layers", "/run/x/rootfs", (at: string) => `44 28 0:44 / /run/x/rootfs rw - overlay overlay rw,lowerdir=/l:${at}/a,upperdir=/u\n`],
    ["something is mounted on it", "/var/lib/docker", (at: string) => `45 28 254:1 / ${at} rw - ext4 /dev/vdc rw\n`],
  ])("when %s", async (_, place, mountinfo) => {
    host.write("/proc/self/mountinfo", mountinfo(host.at(data)));
    const { outcome, log } = await move();
    expect(outcome).toBe("went back");
    expect(log).toContain(`/var/lib/docker is still in use by what is mounted at ${place} (a plugin? docker plugin disable; another user of containerd?)`);
    expectBefore();
  });

  it("when somebody starts dockerd while its data are copied", async () => {
    host.on("mkfifo", 'echo 7 >"$ROOT/started-at"; exec /usr/bin/mkfifo "$@"');
    const { outcome, log } = await move();
    expect(outcome).toBe("went back");
    expect(log).toContain("somebody has started dockerd while its data were copied");
    expectBefore();
  });

  it.each([
    ["another filesystem", (): void => host.on("blkid", "echo something-else"), "/dev/disk/by-id/docker carries another filesystem than before"],
    ["a whole copy", (): void => format(host, "drydock-data"), "/dev/disk/by-id/docker has the label drydock-data meanwhile"],
  ])("before anything stops when the disk has %s by now", async (_, change, text) => {
    format(host, "drydock-copy");
    change();
    const { outcome, log } = await move([step({ format: false })]);
    expect([outcome, log[0]]).toEqual(["went back", text]);
    expect(deeds()).toEqual([]);
  });

  it("when something is mounted below the data still", async () => {
    host.write("/proc/self/mountinfo", `40 29 0:4 / ${host.at(data)}/plugins/p rw - tmpfs tmpfs rw\n41 29 0:5 / ${host.at(data)}x rw - tmpfs tmpfs rw\n`);
    const { outcome, log } = await move();
    expect(outcome).toBe("went back");
    expect(log).toContain("/var/lib/docker is still in use by what is mounted at /var/lib/docker/plugins/p (a plugin? docker plugin disable; another user of containerd?)");
    expectBefore();
  });

  it("when its unit is in place and does not mount", async () => {
    host.touch("/no-var-lib-docker.mount");
    const { outcome, log } = await move();
    expect(outcome).toBe("went back");
    expect(log).toEqual(["making ext4 on /dev/disk/by-id/docker", ...copying, "mounting /dev/disk/by-id/docker at /var/lib/docker", "Job for var-lib-docker.mount failed.", ...wentBack]);
    expectBefore();
    expect(labelOf(host)).toBe("drydock-copy");
    expect(host.exists("/var/lib/drydock/old-data/docker.size")).toBe(false);
    expect(host.calls()).toContain("systemctl -q disable var-lib-docker.mount");
  });

  it("when the second of two does not mount, and the first is no whole one: what Docker writes from then on is newer", async () => {
    host.write("/var/lib/containerd/blob", "x");
    format(host, "", "containerd");
    host.remove("/labels/containerd");
    host.touch("/no-var-lib-docker.mount");
    const { outcome } = await move([step({ mountPoint: "/var/lib/containerd" }), step()]);
    expect(outcome).toBe("went back");
    expectBefore();
    expect([labelOf(host, "containerd"), labelOf(host)]).toEqual(["drydock-copy", "drydock-copy"]);
  });

  it("but not off the new filesystem once Docker may have written to it, and says so", async () => {
    const steps = [step()];
    const { outcome, log } = await move(steps, { writes: [{ path: "/etc/docker/daemon.json", text: "BAD\n", mode: "0644", ...mine }, ...volumeWrites(...steps)] });
    expect(outcome).toBe("went back");
    expect(log.slice(-5)).toEqual(["dockerd does not start: unable to configure the Docker daemon", ...wentBack, "but for the data of Docker, which stay on the new filesystem: containers may have written to it"]);
    expect(host.read("/etc/docker/daemon.json")).toBe("{}\n");
    expect(host.read(unit)).toContain("Where=/var/lib/docker");
    expect(host.exists(dropIn)).toBe(true);
    expect(host.read(`${data}/overlay2/a/diff/file`)).toBe("one\n");
    expect(labelOf(host)).toBe("drydock-data");
    for (const id of [web, db]) expect(host.read(`/containers/${id}`)).toBe("true 0\n");
    expect(deeds().filter((call) => call.startsWith("systemctl stop var-lib"))).toEqual([]);
  });
});

describe("a filesystem that is whole already", () => {
  it("is mounted as it is, and what lies in the folder is set aside", async () => {
    format(host, "drydock-data");
    writeFileSync(join(disk(host), "of before"), "kept");
    const { outcome, log } = await move([step({ how: "adopt", format: false })]);
    expect(outcome).toBe("done");
    expect(log).toEqual([...copying.slice(1, 4), "mounting /dev/disk/by-id/docker at /var/lib/docker", "restarting dockerd", "setting the old data of /var/lib/docker aside"]);
    expect(host.read(`${data}/of before`)).toBe("kept");
    expect(host.read("/var/lib/drydock/old-data/docker/overlay2/a/diff/file")).toBe("one\n");
  });

  it("gets its place at boot, its options and its label while Docker runs", async () => {
    format(host, "drydock-copy");
    const { outcome, log } = await move([step({ how: "repair", format: false, bytes: 0 })], { docker: noDocker });
    expect([outcome, log]).toEqual(["done", ["mending the mount of /var/lib/docker"]]);
    expect(deeds()).toEqual(["systemctl -q enable var-lib-docker.mount", "systemctl reload var-lib-docker.mount", "e2label /dev/disk/by-id/docker drydock-data"]);
  });

  it("keeps a label that its owner gave it", async () => {
    format(host, "mine");
    await move([step({ how: "repair", format: false, bytes: 0 })], { docker: noDocker });
    expect(deeds()).toEqual(["systemctl -q enable var-lib-docker.mount", "systemctl reload var-lib-docker.mount"]);
    expect(labelOf(host)).toBe("mine");
  });
});

describe("a file of a volume that somebody has taken away", () => {
  const write = { path: dropIn, text: "[Unit]\n", mode: "0644", ...mine };

  it("is put back by an update that moves nothing, and taken away again where that fails", async () => {
    const bad = { path: "/etc/docker/daemon.json", text: "BAD", mode: "0644", ...mine };
    const { outcome, log } = await move([], { docker: { ...noDocker, how: "restart" }, writes: [write, bad] });
    expect(outcome, log.join("\n")).toBe("went back");
    expect(host.exists(dropIn)).toBe(false);
    expect((await move([], { docker: noDocker, writes: [write] })).outcome).toBe("done");
    expect(host.read(dropIn)).toBe("[Unit]\n");
  });

  it("gets the mode back that somebody has given it, where an update fails that was to mend it", async () => {
    host.write(dropIn, "[Unit]\n");
    chmodSync(join(host.folder, dropIn), 0o600);
    const bad = { path: "/etc/docker/daemon.json", text: "BAD", mode: "0644", ...mine };
    const mended = { path: dropIn, mode: "0644", ...mine };
    expect((await move([], { docker: { ...noDocker, how: "restart" }, writes: [bad], modes: [mended] })).outcome).toBe("went back");
    expect(statSync(join(host.folder, dropIn)).mode & 0o777).toBe(0o600);
    expect((await move([], { docker: noDocker, modes: [mended] })).outcome).toBe("done");
    expect(statSync(join(host.folder, dropIn)).mode & 0o777).toBe(0o644);
  });

  it("is brought back as it was, and a way back that could not says so", async () => {
    host.write(dropIn, "of before\n");
    host.on("cp", `case "$*" in *40-drydock-volume.conf*drydock-new) exit 1 ;; esac\nexec /bin/cp "$@"`);
    const bad = { path: "/etc/docker/daemon.json", text: "BAD", mode: "0644", ...mine };
    const { outcome, log } = await move([], { docker: { ...noDocker, how: "restart" }, writes: [write, bad] });
    expect(outcome).toBe("broken");
    expect(log.join("\n")).toContain("40-drydock-volume.conf has another content, owner or mode");
  });
});

describe("containers that a run had stopped when it was cut off", () => {
  it("are started by the next, whatever that is for", async () => {
    for (const id of [web, db]) host.container(id, "false 143");
    host.write("/var/lib/drydock/stopped", `${web} web\n${db} db\n`);
    expect((await move([], { docker: noDocker })).outcome).toBe("done");
    expect(deeds()).toEqual([`docker start ${db}`, `docker start ${web}`]);
    expect(host.exists("/var/lib/drydock/stopped")).toBe(false);
  });

  it("are noted before the first one stops, with those of the run before", async () => {
    host.write("/var/lib/drydock/stopped", `${db} db\n`);
    host.on("docker", 'case "$1" in stop) cp "$ROOT/var/lib/drydock/stopped" "$ROOT/noted"; exit 1 ;; inspect) echo true 0 ;; info) echo true ;; esac');
    await move([step()], { docker: { ...noDocker, how: "restart", stop: [web] } });
    expect(host.read("/noted")).toBe(`${db} db\n${web} ${web}\n`);
  });
});

describe("what a move has left", () => {
  it("is removed when somebody says so, and nothing else", async () => {
    await move();
    host.calls();
    const { outcome, log } = await removeOldData(connection, host.observation({ oldData: [{ name: "docker", bytes: 4096, where: "aside" }] }), owner);
    expect([outcome, log]).toEqual(["done", ["the old data are removed"]]);
    expect(host.exists("/var/lib/drydock/old-data")).toBe(false);
    expect(host.read(`${data}/overlay2/a/diff/file`)).toBe("one\n");
    expect(deeds()).toEqual([]);
  });

  it("is set aside beside what an earlier one has left", async () => {
    host.write("/var/lib/drydock/old-data/docker/first", "1");
    host.write("/var/lib/drydock/old-data/docker.size", "1\n");
    await move();
    expect(host.list("/below")).toEqual(["755 /below/_var_lib_docker/"]);
  });

  it("is still told of when a later move goes back", async () => {
    host.write("/var/lib/drydock/old-data/docker/first", "1");
    host.write("/var/lib/drydock/old-data/docker.size", "1\n");
    host.touch("/no-var-lib-docker.mount");
    expect((await move()).outcome).toBe("went back");
    expect(host.exists("/var/lib/drydock/old-data/docker.size")).toBe(true);
  });

  it("stays when the host is restored, and so do the filesystem and the files that it needs", async () => {
    const steps = [step()];
    await move(steps, { writes: [{ path: "/etc/docker/daemon.json", text: '{"icc":false}\n', mode: "0644", ...mine }, ...volumeWrites(...steps)] });
    const { outcome } = await restoreOriginal(connection, emptyPlan({ docker: { ...noDocker, how: "restart" } }), host.observation(), owner);
    expect(outcome).toBe("done");
    expect(host.read("/etc/docker/daemon.json")).toBe("{}\n");
    expect([unit, dropIn, "/var/lib/drydock/old-data/docker"].map((path) => host.exists(path))).toEqual([true, true, true]);
    expect(host.read(`${data}/overlay2/a/diff/file`)).toBe("one\n");
  });
});
