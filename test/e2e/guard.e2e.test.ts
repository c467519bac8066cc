/** Nobody is left to finish an update: the controller, the link, the program itself, the power. The host helps itself. */

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMachine, type Machine } from "../../lab/machine.ts";
import { Stack } from "./stack.ts";

let machine: Machine;
/** Where its shared connections are, so that they can be told from others'. */
const runtime = mkdtempSync(join(tmpdir(), "drydock-guard-"));
const stack = new Stack("guard", { prefix: [], env: { XDG_RUNTIME_DIR: runtime, DRYDOCK_CONFIRM_SECONDS: "40" } });

const settings = (daemon: Record<string, unknown> = {}) => ({
  profile: "strict",
  hosts: { web1: { connection: machine.connection("ops"), daemon: { "userns-remap": null, "log-driver": "json-file", "log-opts": null, ...daemon } } },
});

beforeAll(async () => {
  machine = await startMachine({ name: "e2e-guard", replace: true });
  await machine.waitForDocker();
  await machine.run("docker run -d --name web --restart unless-stopped -p 8080:8000 bb httpd -f -p 8000");
  stack.configure(settings());
  await stack.init();
});

afterAll(async () => {
  await machine.stop();
  stack.remove();
  rmSync(runtime, { recursive: true, force: true });
});

const startedAt = (): Promise<string> => machine.run("docker inspect -f '{{.State.Running}} {{.State.StartedAt}}' web");
const files = (): Promise<string> => machine.run("find /etc/docker /etc/systemd/system /etc/audit/rules.d /etc/apparmor.d /etc/modules-load.d /etc/tmpfiles.d -type f -o -type l | sort | xargs -d '\\n' sha256sum 2>/dev/null; find /etc/systemd/system -type l | sort");
const kernel = (): Promise<string> => machine.run("auditctl -l | sort; aa-status --json 2>/dev/null | tr , '\\n' | grep -o '\"drydock[^\"]*\": *\"[a-z]*\"' | sort; docker info -f '{{.LiveRestoreEnabled}} {{.LoggingDriver}} {{json .SecurityOptions}} {{.Debug}}'");
const leftovers = (): Promise<string> => machine.run("ls /var/lib/drydock; systemctl is-active drydock-guard.timer; ls /etc/systemd/system/drydock-recover.service /etc/systemd/system/drydock-settle.service 2>/dev/null || true");
const outcome = (): Promise<string> => machine.run("cat /var/lib/drydock/outcome");
const seen = async (): Promise<string[]> => [await files(), await kernel()];

/** Until a command on the host succeeds. */
async function until(command: string, seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const { exitCode } = await machine.ssh(command).catch(() => ({ exitCode: 1 }));
    if (exitCode === 0) return;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${command}`);
    await new Promise((done) => setTimeout(done, 300));
  }
}

describe("a first hardening", () => {
  it("is confirmed, keeps the container that serves, and leaves nothing of the guard", async () => {
    const before = await startedAt();
    const { exitCode, output } = await stack.up();
    expect(exitCode, output).toBe(0);
    expect(await startedAt()).toBe(before);
    expect(await outcome()).toMatch(/^generation 0001\nresult confirmed\n/);
    expect(await leftovers()).not.toMatch(/^active$|transaction|recover|settle|reserve/m);
    expect(await machine.run("docker ps -a --format '{{.Names}}'; docker images -q drydock-probe")).toBe("web");
  });
});

describe("an update", () => {
  let before: string[];
  let started: string;
  beforeAll(async () => {
    before = await seen();
    started = await startedAt();
  });

  it("that locks everybody out is taken back by the host, and the operator is told so", async () => {
    // With `default-shm-size` in the file the door closes, as by a firewall or a sshd that was set up wrong.
    await machine.run(`
      printf '#!/bin/sh\niptables -D INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -j DROP\n! grep -q shm-size /etc/docker/daemon.json || iptables -I INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -j DROP\n' >/root/door && chmod +x /root/door
      printf '[Path]\nPathChanged=/etc/docker/daemon.json\n' >/run/systemd/system/door.path
      printf '[Service]\nExecStart=/root/door\n' >/run/systemd/system/door.service
      systemctl daemon-reload && systemctl start door.path`);
    stack.configure(settings({ "default-shm-size": "96m" }));
    const { exitCode, output } = await stack.up();
    expect(exitCode).not.toBe(0);
    expect(output).toMatch(/web1: the host took the change back by itself \(nobody confirmed it over a new connection within \d+ s\), and has the state of before; it was read back/);
    await machine.run("systemctl stop door.path && rm /run/systemd/system/door.* && systemctl daemon-reload");
    expect(await seen()).toEqual(before);
    expect(await startedAt()).toBe(started);
    expect(await outcome()).toMatch(/result went back\n/);
    expect(await leftovers()).not.toMatch(/^active$|transaction|recover|settle|reserve/m);
  });

  /** `pulumi up` in a process group of its own, to be killed. */
  function startUp(): { kill: () => void } {
    const up = spawn("pulumi", ["--color", "never", "--non-interactive", "up", "--yes", "--skip-preview", "-s", stack.name], { detached: true, stdio: "ignore", env: stack.environment, cwd: stack.project });
    return {
      kill: () => {
        process.kill(-(up.pid ?? 0), "SIGKILL");
        // The control master is a session of its own: the link goes with it.
        execFileSync("sh", ["-c", `pkill -KILL -f '^ssh: ${runtime}/' || true`]);
      },
    };
  }

  it("whose controller is killed in the middle is taken back", async () => {
    const up = startUp();
    await until("grep -qx changing /var/lib/drydock/transaction/step", 120);
    up.kill();
    await until("grep -qx changed /var/lib/drydock/transaction/step", 240);
    await until("grep -q '^result went back' /var/lib/drydock/outcome", 300);
    expect(await seen()).toEqual(before);
    expect(await startedAt()).toBe(started);
    await stack.pulumi("cancel", "--yes", "-s", stack.name);
  });

  it("whose program is killed on the host is taken back, and the operator is told so", async () => {
    const up = stack.up();
    await until("grep -qx changing /var/lib/drydock/transaction/step", 180);
    await machine.run("systemctl kill -s KILL drydock-apply.service");
    const { exitCode, output } = await up;
    expect(exitCode).not.toBe(0);
    expect(output).toMatch(/web1: the host took the change back by itself \(it was cut off in the middle\), and has the state of before/);
    expect(await seen()).toEqual(before);
    expect(await startedAt()).toBe(started);
  });

  it.each([
    ["in the middle", "grep -qx changing /var/lib/drydock/transaction/step && [ -e /var/lib/drydock/transaction/docker-touched ]"],
    ["before it is confirmed", "grep -qx changed /var/lib/drydock/transaction/step"],
  ])("that a power cut ends %s is taken back at boot, before Docker starts", async (_when, moment) => {
    const up = stack.up();
    await until(moment, 180);
    await machine.powerCut();
    const { exitCode } = await up;
    expect(exitCode).not.toBe(0);
    await machine.boot();
    await machine.waitForDocker();
    await until("grep -q '^result went back' /var/lib/drydock/outcome && [ ! -e /var/lib/drydock/transaction ]", 300);
    expect(await outcome()).toContain("why the host was restarted in the middle");
    expect(await seen()).toEqual(before);
    expect(await startedAt()).toMatch(/^true /);
    expect(await leftovers()).not.toMatch(/^active$|transaction|recover|settle|reserve/m);
    started = await startedAt();
  });

  it("goes through when nothing is in its way", async () => {
    const { exitCode, output } = await stack.up();
    expect(exitCode, output).toBe(0);
    expect(await machine.run("docker run --rm bb df -k /dev/shm")).toContain("98304");
    expect(await startedAt()).toBe(started);
  });

  it("does nothing the second time", async () => {
    const { output } = await stack.up();
    expect(output).toMatch(/\b2 unchanged\b/);
  });
});
