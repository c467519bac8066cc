/**
 * Docker's data on filesystems of their own: refused where something is on the device, moved through five power cuts, kept so.
 *
 * One disk with three partitions: xfs for Docker, ext4 for containerd, and one that is too small.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMachine, type Machine } from "../../lab/machine.ts";
import type { HostArgs } from "../../src/desired/host-inputs.ts";
import { converge } from "../../src/provider/converge.ts";
import { look } from "../../src/provider/look.ts";
import { skipWithoutTime } from "../support/time-left.ts";
import { rendered } from "../support/wish.ts";
import { lvmHeader, raidHeader } from "./signatures.ts";
import { Stack } from "./stack.ts";
import { listData, makeData } from "./volume-data.ts";

let machine: Machine;
const stack = new Stack("volume");
const owner = { stack: `drydock/${stack.name}`, host: "web1" };

const disk = "/dev/disk/by-id/virtio-data";
const volumes = { device: `${disk}-part1`, filesystem: "xfs", containerd: { device: `${disk}-part2`, filesystem: "ext4" } };
const data = "/var/lib/docker/volumes/data/_data";

const argsWith = (own: Record<string, unknown>): HostArgs => ({ ...rendered(own, "baseline"), connection: machine.connection("ops") });

beforeAll(async () => {
  machine = await startMachine({ name: "e2e-volume", replace: true });
  await machine.waitForDocker();
  await machine.run(`
    docker volume create data >/dev/null
    docker run -d --name writer --restart always -v data:/data bb sh -c 'n=$(cat /data/log 2>/dev/null | wc -l); while :; do n=$((n + 1)); echo $n >>/data/log; sleep 1; done'
    docker run -d --name plain --restart unless-stopped bb sleep 100000
    docker exec plain sh -c 'echo made here >/made; rm -rf /usr'
    ${makeData(`${data}/kept`)}
    mkdir -p /var/lib/containerd/kept && ${makeData("/var/lib/containerd/kept")}`);
});

afterAll(async () => {
  await machine.stop();
  stack.remove();
});

describe("a device on which something is", () => {
  const update = async (own: Record<string, unknown>) => {
    const args = argsWith({ volume: { filesystem: "xfs", ...own }, allow: ["restart-containers"] });
    // What this process has seen within a minute would do for the update, and here the disk has changed since.
    await look(args);
    return converge(owner, args, () => Promise.resolve());
  };
  /** Sectors that were ever written to it (Documentation/block/stat.rst), what is on it, and who runs. */
  const untouched = () => machine.run("sync; awk '{ print $7 }' /sys/block/vdb/stat; lsblk -n -o NAME /dev/vdb; docker ps -q | sort; ls -A /var/lib/drydock 2>/dev/null || true");

  it.each([
    ["a filesystem", "mkfs.ext4 -q -L mine /dev/vdb", `${disk} carries a filesystem (ext4, label mine); Drydock formats only a device without any signature (if nothing on it is needed, clear it yourself with: wipefs --all /dev/vdb)`],
    ["a mounted filesystem", "mkfs.ext4 -q /dev/vdb && mount -o ro /dev/vdb /mnt", `${disk} is mounted at /mnt; Drydock takes only a device that nobody uses: unmount it, or name another one`],
    ["LUKS", "printf 'LUKS\\272\\276\\0\\1' | dd of=/dev/vdb conv=notrunc 2>/dev/null", `${disk} carries an encrypted container (LUKS); Drydock formats only a device without any signature (if nothing on it is needed, clear it yourself with: wipefs --all /dev/vdb)`],
    ["LVM", `printf %s ${lvmHeader()} | base64 -d | dd of=/dev/vdb conv=notrunc 2>/dev/null`, `${disk} carries a physical volume of LVM; Drydock formats only a device without any signature (if nothing on it is needed, clear it yourself with: wipefs --all /dev/vdb)`],
    ["RAID", `printf %s ${raidHeader()} | base64 -d | dd of=/dev/vdb conv=notrunc 2>/dev/null`, `${disk} carries a part of a RAID; Drydock formats only a device without any signature (if nothing on it is needed, clear it yourself with: wipefs --all /dev/vdb)`],
    ["a partition table", "printf '1.5G\\n1G\\n100M\\n' | sed 's/^/,/' | sfdisk -q /dev/vdb && udevadm settle", `${disk} carries a partition table (dos: vdb1, vdb2, vdb3); Drydock formats only a device without any signature (if nothing on it is needed, clear it yourself with: wipefs --all /dev/vdb)`],
  ])("is refused: %s", async (_what, put, text) => {
    await machine.run(`umount /mnt 2>/dev/null; wipefs -qa /dev/vdb; dd if=/dev/zero of=/dev/vdb bs=1M count=8 2>/dev/null; ${put}`);
    const before = await untouched();
    await expect(update({ device: disk })).rejects.toMatchObject({ message: `web1: refused, nothing was touched: ${text}` });
    expect(await untouched()).toBe(before);
  });

  it.each([
    ["missing", `${disk}-part9`, `${disk}-part9 is not there; \`ls -l /dev/disk/by-id\` on the host shows which disks it has`],
    ["too small", `${disk}-part3`, /^web1: refused, nothing was touched: \/dev\/disk\/by-id\/virtio-data-part3 has 100 MiB, and \/var\/lib\/docker needs at least \d+ MiB; take a larger device$/],
  ])("and so is one that is %s", async (_what, device, text) => {
    const before = await untouched();
    await expect(update({ device })).rejects.toThrow(text);
    expect(await untouched()).toBe(before);
  });

  it("is left alone by an update that may stop no containers, too", async () => {
    const before = await untouched();
    await expect(converge(owner, argsWith({ volume: volumes }), () => Promise.resolve())).rejects.toThrow(
      "web1: refused, nothing was touched: moving /var/lib/containerd and /var/lib/docker stops plain, writer, which are started again after it; to consent, add to this host: allow: [restart-containers]",
    );
    expect(await untouched()).toBe(before);
  });
});

describe("a move", () => {
  const args = () => argsWith({ volume: volumes, allow: ["restart-containers"] });
  let kept: string;
  let counted = 0;

  /** The data as they are, wherever they are; and that the writer's own have no gap and are no older than they were. */
  async function checkData(): Promise<void> {
    await machine.waitForDocker();
    expect(await machine.run(listData(`${data}/kept`))).toBe(kept);
    expect(await machine.run(listData("/var/lib/containerd/kept"))).toBe(kept);
    // A line that was not on the disk yet when the power was cut reads as zero bytes: ext4 may know its length, and not its text.
    const log = (await machine.run(`tr -d '\\0' <${data}/log`)).split("\n").map(Number);
    expect(log).toEqual(log.map((_, index) => index + 1));
    expect(log.length).toBeGreaterThan(counted);
    counted = log.length;
  }

  const place = () => machine.run("findmnt -n -o FSTYPE /var/lib/docker || echo folder");

  beforeAll(async () => {
    kept = await machine.run(listData(`${data}/kept`));
    // The same data are in both places, but for the times of their making.
    await machine.run(`rm -rf /var/lib/containerd/kept && cp -a ${data}/kept /var/lib/containerd/kept && sync`);
  });

  it.for<[string, RegExp, string]>([
    ["while it copies and Docker runs", /copying \/var\/lib\/docker to/, "folder"],
    ["while it copies what has changed", /copying what has changed in \/var\/lib\/docker/, "folder"],
    ["while it compares", /comparing every byte of \/var\/lib\/docker/, "folder"],
    ["once the new filesystem is mounted", /mounting .* at \/var\/lib\/docker/, "xfs"],
    ["while it sets the old data aside", /setting the old data of \/var\/lib\/docker aside/, "xfs"],
  ])("loses nothing by a power cut %s", async ([, line, where], context) => {
    skipWithoutTime(context, "npm run test:e2e -- test/e2e/volume.e2e.test.ts");
    // Another process would not remember what this one saw before the cut.
    await look(args());
    let cut: Promise<void> | undefined;
    const said: string[] = [];
    const run = converge(owner, args(), (text) => {
      said.push(text);
      if (line.test(text)) cut ??= machine.powerCut();
      return Promise.resolve();
    });
    await expect(run).rejects.toThrow(/link failed|could not be confirmed/);
    // The fault has really happened, at this moment.
    expect(cut, said.join("\n")).toBeDefined();
    await cut;
    await machine.boot();
    // The host takes back what is not under way any more, by itself, and starts again what was stopped.
    await machine.run("for i in $(seq 300); do [ -e /var/lib/drydock/transaction/step ] || exit 0; sleep 1; done; exit 1");
    expect(await place()).toBe(where);
    await checkData();
  });

  it("goes on from where it was, and comes to its end", async () => {
    await look(args());
    await converge(owner, args(), () => Promise.resolve());
    // The rules were loaded after the mount: the kernel watches the tree that it found then.
    await machine.run(`touch ${data}/seen-after-the-move; sleep 1; ausearch -k docker -i --start recent 2>/dev/null | grep -q 'name=.*seen-after-the-move'`);
    await checkData();
    expect(await machine.run("findmnt -n -o FSTYPE,OPTIONS /var/lib/docker; findmnt -n -o FSTYPE,OPTIONS /var/lib/containerd")).toMatch(/^xfs +rw,nodev,.*prjquota\next4 +rw,nodev/);
    expect(await machine.run("docker ps --format '{{.Names}}' | sort | tr '\\n' ' '; docker exec plain cat /made; docker exec plain ls -d /usr 2>&1 || true")).toMatch(/^plain writer made here\nls: \/usr: No such file/);
  });

  it("keeps what was there before, byte for byte, and says how much it is", async () => {
    expect(await machine.run(listData("/var/lib/drydock/old-data/docker/volumes/data/_data/kept"))).toBe(kept);
    const { outputs } = await converge(owner, args(), () => Promise.resolve());
    expect(outputs.pending).toContainEqual(expect.stringMatching(/^the data from before the move \(containerd: \d+\.\d MiB, docker: \d+\.\d MiB\) are kept in \/var\/lib\/drydock\/old-data; to have them removed, add to this host: allow: \[remove-old-data\]$/));
  });

  it("comes up in order after a reboot: filesystems, then rules that watch them, then Docker", async () => {
    await machine.reboot();
    await checkData();
    expect(await place()).toBe("xfs");
    await machine.run(`touch ${data}/seen-by-audit; sleep 1`);
    expect(await machine.run("ausearch -k docker -i --start recent 2>/dev/null | grep -c 'name=.*seen-by-audit'")).not.toBe("0");
  });
});

describe("a filesystem of its own", () => {
  const configure = (own: Record<string, unknown> = {}) => {
    const { containerd, ...docker } = volumes;
    stack.configure({ profile: "baseline", hosts: { web1: { connection: machine.connection("ops"), volume: { ...docker, containerd, containerSize: "200M" }, allow: ["restart-containers", "restore-original", "remove-old-data"], ...own } } });
  };

  it("is taken as it is by a stack, which removes the old data when it may", async () => {
    configure();
    await stack.init();
    const { exitCode, output } = await stack.up();
    expect(exitCode, output).toBe(0);
    expect(await machine.run("ls -A /var/lib/drydock/old-data 2>/dev/null || true")).toBe("");
    const again = await stack.up();
    expect(again.output).toMatch(/\b2 unchanged\b/);
  });

  it("holds no more of a container than it may have, and a full one leaves space for the host and its neighbours", async () => {
    expect(await machine.run("docker run --rm bb sh -c 'dd if=/dev/zero of=/fill bs=1M count=400 2>&1; true'")).toContain("No space left on device");
    expect(await machine.run("docker exec plain sh -c 'dd if=/dev/zero of=/more bs=1M count=5 2>/dev/null && rm /more && echo room'")).toBe("room");
    // The whole filesystem, by a volume, which has no size.
    await machine.run(`before=$(df -k --output=avail / | tail -1); fallocate -l 2G ${data}/fill 2>/dev/null || dd if=/dev/zero of=${data}/fill bs=1M 2>/dev/null
      after=$(df -k --output=avail / | tail -1); rm -f ${data}/fill; [ "$((before - after))" -lt 20000 ]`);
  });

  it("shows drift: other options, not at boot, another unit; and is mended without a stop", async () => {
    const started = await machine.run("docker inspect -f '{{.State.Pid}}' plain");
    await machine.run("mount -o remount,dev /var/lib/containerd; systemctl -q disable var-lib-docker.mount; echo '# touched' >>/etc/systemd/system/var-lib-containerd.mount; rm /etc/systemd/system/docker.service.d/40-drydock-volume.conf");
    const { exitCode, output } = await stack.preview("--diff", "--expect-no-changes");
    expect(exitCode).not.toBe(0);
    expect(output).toMatch(/\/var\/lib\/containerd *: "ext4, UUID=[0-9a-f-]+, nodev, at boot" => "ext4, UUID=[0-9a-f-]+, at boot"/);
    expect(output).toMatch(/\/var\/lib\/docker *: "xfs, UUID=[0-9a-f-]+, dev, pquota, at boot" => "xfs, UUID=[0-9a-f-]+, dev, pquota"/);
    expect(output).toContain("# touched");
    expect(output).toContain("40-drydock-volume.conf");
    const up = await stack.up();
    expect(up.exitCode, up.output).toBe(0);
    expect((await stack.preview("--expect-no-changes")).exitCode).toBe(0);
    expect(await machine.run("docker inspect -f '{{.State.Pid}}' plain")).toBe(started);
  });

  it("keeps Docker from starting when it is not there", async () => {
    await machine.run("docker stop -t 1 writer plain >/dev/null; systemctl stop docker.socket docker.service containerd.service; umount /var/lib/docker; mv /etc/systemd/system/var-lib-docker.mount /root/; systemctl daemon-reload; ! findmnt /var/lib/docker");
    // A mount unit that can't be started, as with a disk that is gone.
    await machine.run("sed 's/by-uuid.*/by-uuid\\/00000000-0000-4000-8000-000000000000/' /root/var-lib-docker.mount >/etc/systemd/system/var-lib-docker.mount; systemctl daemon-reload");
    await machine.run("! timeout 120 systemctl start docker.service && ! systemctl -q is-active docker.service && [ -z \"$(ls -A /var/lib/docker)\" ]");
    const up = await stack.up();
    expect(up.exitCode, up.output).toBe(0);
    expect(await machine.run("docker start writer plain >/dev/null; docker ps -q | wc -l")).toBe("2");
  });

  it("stays when the host leaves the stack, which says so", async () => {
    const { exitCode, output } = await stack.destroy();
    expect(exitCode, output).toBe(0);
    expect(output).toContain("/var/lib/docker and /var/lib/containerd stay on their own filesystems, which Drydock never unmounts or formats");
    expect(await machine.run("findmnt -n -o FSTYPE /var/lib/docker; docker ps --format '{{.Names}}' | sort | tr '\\n' ' '")).toBe("xfs\nplain writer ");
    expect(await machine.run("cat /etc/systemd/system/docker.service.d/40-drydock-volume.conf")).toContain("RequiresMountsFor=/var/lib/containerd /var/lib/docker");
  });

  it("can be left by hand, and is adopted again with what is on it", async () => {
    const kept = await machine.run(listData(`${data}/kept`));
    const filesystems = () => machine.run(`blkid -p -o value -s UUID ${disk}-part1 ${disk}-part2`);
    const made = await filesystems();
    await machine.run(`docker stop -t 1 writer plain >/dev/null; systemctl stop docker.socket docker.service containerd.service
      systemctl -q disable --now var-lib-docker.mount var-lib-containerd.mount && rm /etc/systemd/system/var-lib-docker.mount /etc/systemd/system/var-lib-containerd.mount && systemctl daemon-reload
      systemctl start docker && ! findmnt /var/lib/docker && [ -z "$(docker ps -aq)" ]`);
    await look(argsWith({ volume: volumes }));
    expect((await converge(owner, argsWith({ volume: volumes }), () => Promise.resolve())).changed).toBe(true);
    expect(await filesystems()).toBe(made);
    expect(await machine.run("findmnt -n -o FSTYPE /var/lib/docker; docker ps -a --format '{{.Names}}' | sort | tr '\\n' ' '")).toBe("xfs\nplain writer ");
    expect(await machine.run(listData(`${data}/kept`))).toBe(kept);
  });
});
