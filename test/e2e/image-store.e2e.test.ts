/**
 * Images in /var/lib/containerd, and that on a filesystem of its own. Docker 20.10 of the default lab machine knows no such store, so this
 * runs with DRYDOCK_LAB_RELEASE=trixie only.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMachine, type Machine } from "../../lab/machine.ts";
import { readSettings } from "../../lab/settings.ts";
import { consent, Stack } from "./stack.ts";

describe.skipIf(readSettings().release === "bookworm")("images that containerd keeps", () => {
  let machine: Machine;
  const stack = new Stack("images");
  const device = "/dev/disk/by-id/virtio-data";
  /** In the container's own layer, which the store has. */
  let written: string;

  const configure = (own: Record<string, unknown>) =>
    stack.configure({ profile: "strict", hosts: { web1: { connection: machine.connection("ops"), allow: consent, daemon: { "userns-remap": null, features: { "containerd-snapshotter": true } }, ...own } } });
  const driver = () => machine.run("docker info -f '{{.Driver}} {{.DriverStatus}}'");
  const isWhole = async (): Promise<void> => {
    expect(await machine.run("docker inspect -f '{{.State.Running}}' web; docker exec web sha256sum /written; findmnt -no FSTYPE,SOURCE /var/lib/containerd | tr -s ' '")).toBe(`true\n${written}\next4 /dev/vdb`);
    expect((await stack.preview("--expect-no-changes")).exitCode).toBe(0);
  };

  beforeAll(async () => {
    machine = await startMachine({ name: "e2e-images", replace: true });
    await machine.waitForDocker();
    await machine.run("docker run -d --name before --restart unless-stopped bb sleep 100000 >/dev/null");
    configure({});
    await stack.init();
  });

  afterAll(async () => {
    await machine.stop();
    stack.remove();
  });

  it("take the place of the others, which are named", async () => {
    const { exitCode, output } = await stack.up();
    expect(exitCode, output).toBe(0);
    expect(output).toContain("features changes: 1 container and 1 image under /var/lib/docker are hidden, not lost");
    expect(output).toContain("hidden from then on: container before, image bb:latest");
    expect(await driver()).toBe("overlayfs [[driver-type io.containerd.snapshotter.v1]]");
  });

  it("move to a disk of their own, and a container that is made of one runs again with what it has written", async () => {
    written = await machine.run(`
      docker import -c 'CMD ["sh"]' /root/bb.tar bb:latest >/dev/null
      docker run -d --name web --restart unless-stopped bb sleep 100000 >/dev/null
      docker exec web sh -c 'head -c 3000000 /dev/urandom >/written; sha256sum /written'`);
    configure({ volume: { containerd: { device, filesystem: "ext4" } } });
    const { exitCode, output } = await stack.up();
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(/under \/var\/lib\/containerd move to \/dev\/disk\/by-id\/virtio-data/);
    await isWhole();
  });

  it("come up on it after a reboot, and nothing is left to change", async () => {
    await machine.reboot();
    await isWhole();
  });

  it("make room for those of before when the host is left, and stay on their disk", async () => {
    const { exitCode, output } = await stack.destroy();
    expect(exitCode, output).toBe(0);
    expect(await driver()).toMatch(/^overlay2 /);
    expect(await machine.run("docker inspect -f '{{.State.Running}}' before; findmnt -no SOURCE /var/lib/containerd")).toBe("true\n/dev/vdb");
  });
});
