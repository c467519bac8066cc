/** What the other tests on lab machines lean on: the machine is a whole, default Debian Docker host. */

import { afterAll, beforeAll, expect, it } from "vitest";
import { findMachine, startMachine, type Machine } from "../../lab/machine.ts";

let machine: Machine;

beforeAll(async () => {
  machine = await startMachine({ name: "e2e-lab", replace: true });
  await machine.waitForDocker();
});

afterAll(async () => {
  await (await findMachine("e2e-lab"))?.stop();
});

it("runs systemd, Docker, audit and AppArmor", async () => {
  expect(await machine.run("systemctl is-active docker containerd auditd rsyslog ssh | sort -u")).toBe("active");
  expect(await machine.run("cat /sys/module/apparmor/parameters/enabled")).toBe("Y");
  expect(await machine.run("auditctl -s | grep ^enabled")).toBe("enabled 1");
});

it("has not been hardened by anyone", async () => {
  expect(await machine.run("auditctl -l; test ! -e /etc/docker/daemon.json")).toBe("No rules");
  expect(await machine.run("docker info -f '{{.LoggingDriver}} {{.LiveRestoreEnabled}} {{.Containers}}'")).toBe("json-file false 0");
});

it("lets ops in, who may sudo without a password", async () => {
  const result = await machine.ssh("id -un; sudo -n id -un; exit 3", { user: "ops" });
  expect(result).toEqual({ stdout: "ops\nroot\n", stderr: "", exitCode: 3 });
});

it("has the time of this machine", async () => {
  expect(Math.abs(Number(await machine.run("date +%s")) - Date.now() / 1000)).toBeLessThan(10);
});

it("has a blank second disk", async () => {
  expect(await machine.run("wipefs /dev/disk/by-id/virtio-data; blockdev --getsize64 /dev/disk/by-id/virtio-data")).toBe(String(3 * 2 ** 30));
});

it("has an image with a setuid program that gains root, unless something forbids it", async () => {
  expect(await machine.run("docker run --rm -u 1000 bb suid-id")).toContain("euid=0(root)");
  expect(await machine.run("docker run --rm -u 1000 --security-opt no-new-privileges bb suid-id")).not.toContain("euid=0(root)");
});

it("does not let a script's command swallow the rest of the script", async () => {
  expect(await machine.run("cat\necho after")).toBe("after");
});

it("gives up on a script after its time", async () => {
  await expect(machine.run("sleep 600", { timeout: 2 })).rejects.toThrow("e2e-lab: a script did not end within 2 s");
  expect(await machine.run("echo still there")).toBe("still there");
});

it("keeps its disk over a power cut, and is found by its name", async () => {
  await machine.run("echo kept >/root/note; sync");
  await machine.powerCut();
  expect(await findMachine("e2e-lab")).toBeUndefined();
  await machine.boot();
  const found = await findMachine("e2e-lab");
  expect(found?.port).toBe(machine.port);
  expect(await found?.run("cat /root/note")).toBe("kept");
});

it("throws its disk away on reset, and keeps its port", async () => {
  const { port } = machine;
  await machine.reset();
  expect(machine.port).toBe(port);
  expect((await machine.ssh("cat /root/note")).exitCode).not.toBe(0);
});
