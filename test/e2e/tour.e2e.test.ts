/**
 * The ways of a team on a real host: evidence before and after, what a pull request says of change and drift, and back through the
 * history, with effects read back. Waves and many hosts are on light ones (rollout, rollback and drift .e2e.test.ts).
 */

import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMachine, type Machine } from "../../lab/machine.ts";
import type { Report } from "../../src/report/model.ts";
import { Stack, type Run } from "./stack.ts";

let machine: Machine;
const stack = new Stack("tour");
const comment = join(tmpdir(), `${stack.name}.md`);

interface Settings {
  daemon?: Record<string, unknown>;
  limits?: Record<string, unknown>;
}

const configure = ({ daemon = {}, limits = {} }: Settings, allow: string[] = []): void =>
  stack.configure({ profile: "baseline", hosts: { web1: { connection: machine.connection("ops"), allow, daemon, limits } } });

beforeAll(async () => {
  machine = await startMachine({ name: "e2e-tour", replace: true });
  await machine.waitForDocker();
  await machine.run("docker run -d --name web --privileged --restart always -v /var/run/docker.sock:/sock -p 8080:8000 bb httpd -f -p 8000");
  configure({});
  await stack.init();
});

afterAll(async () => {
  await machine.stop();
  stack.remove();
  rmSync(comment, { force: true });
});

const script = (name: string, ...words: string[]): Promise<Run> => stack.run(process.execPath, `scripts/${name}.ts`, stack.name, ...words);
const files = (): Promise<string> => machine.run("find /etc/docker /etc/systemd/system /etc/audit/rules.d /etc/apparmor.d /etc/modules-load.d /etc/tmpfiles.d -type f | sort | xargs -d '\\n' sh -c 'for f; do stat -c \"%n %U:%G %a\" \"$f\"; sha256sum <\"$f\"; done' sh");
const effects = (): Promise<string> => machine.run("docker info -f '{{.Debug}} {{.LiveRestoreEnabled}}'; auditctl -l | wc -l; systemctl show -p LimitNOFILE --value containerd.service; docker inspect -f '{{.State.Running}}' web");

/** What `npm run report` says of the host, by the control's id. */
async function verdicts(): Promise<{ failed: string[]; advice: string[] }> {
  const { output } = await script("report", "--format", "json");
  const { hosts } = JSON.parse(output.slice(output.indexOf("{"))) as Report;
  const [host] = hosts;
  if (!host?.reachable || !host.containers.known) throw new Error(output);
  return {
    failed: host.controls.filter(({ verdict }) => verdict === "fail").map(({ id }) => id),
    advice: host.containers.running.filter(({ container }) => container === "web").flatMap(({ advice }) => advice.map(({ id }) => id)),
  };
}

/** By update, what it left. */
const left: Record<number, { files: string; effects: string }> = {};

describe("evidence", () => {
  it("is better after a first hardening, and tells what a container is allowed", async () => {
    const before = await verdicts();
    expect(before.failed).toEqual(expect.arrayContaining(["1.1.3", "1.1.6", "2.15"]));
    // Privileged, with the engine's socket: as the real engine tells it.
    expect(before.advice).toEqual(expect.arrayContaining(["5.5", "5.32"]));
    const { exitCode, output } = await stack.up("--message", "as it was");
    expect(exitCode, output).toBe(0);
    left[1] = { files: await files(), effects: await effects() };
    const after = await verdicts();
    expect(after.failed).not.toEqual(expect.arrayContaining(["1.1.3"]));
    expect(after.failed.length).toBeLessThan(before.failed.length - 5);
  });
});

describe("a pull request", () => {
  it("is told its change and what drifted on the host apart", async () => {
    configure({ daemon: { debug: true } });
    await machine.run("auditctl -D >/dev/null; sed -i 's/\"live-restore\": true/\"live-restore\": false/' /etc/docker/daemon.json");
    const { exitCode } = await script("drift", "--output", comment);
    expect(exitCode).toBe(3);
    const markdown = readFileSync(comment, "utf8");
    const [drift = "", change = ""] = [/Drift[^]*?(?=\n#+ .*Change|$)/i.exec(markdown)?.[0], /\n#+ .*Change[^]*/i.exec(markdown)?.[0]];
    expect(drift).toContain("live-restore");
    expect(drift).not.toContain("debug");
    expect(change).toContain("debug");
  });
});

describe("going back", () => {
  async function update(number: number, settings: Settings): Promise<void> {
    configure(settings);
    const { exitCode, output } = await stack.up("--message", `number ${number}`);
    expect(exitCode, output).toBe(0);
    left[number] = { files: await files(), effects: await effects() };
  }

  it("has two updates more to go over", async () => {
    await update(2, { daemon: { debug: true }, limits: { services: { containerd: { nofile: "infinity" } } } });
    // What the kernel makes of it: a process can't be given more.
    expect(await machine.run("prlimit --pid $(systemctl show -p MainPID --value containerd.service) --nofile --raw --noheadings --output HARD")).toBe(await machine.run("cat /proc/sys/fs/nr_open"));
    await update(3, { daemon: { "max-concurrent-downloads": 5 } });
    expect(left[2]?.effects).not.toBe(left[1]?.effects);
  });

  it("brings files, byte for byte, and effects of the chosen update", async () => {
    const { exitCode, output } = await script("rollback", "--to", "1", "--yes");
    expect(exitCode, output).toBe(0);
    expect(await files()).toBe(left[1]?.files);
    expect(await effects()).toBe(left[1]?.effects);
  });

  it("does nothing the second time", async () => {
    const { exitCode, output } = await script("rollback", "--to", "1", "--yes");
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(/nothing to do|already|as they were/i);
  });

  it("goes to the last update that went through after one that failed", async () => {
    // dockerd does not start with it: the host goes back by itself, and the engine notes a failed update.
    configure({ daemon: { debug: true, "storage-driver": "zfs" } }, ["hide-containers"]);
    const failed = await stack.up();
    expect(failed.exitCode).not.toBe(0);
    expect(failed.output).toContain("the change failed, and the state of before was restored and read back");
    const { exitCode, output } = await script("rollback", "--yes");
    expect(exitCode, output).toBe(0);
    expect(await files()).toBe(left[1]?.files);
    expect(await effects()).toBe(left[1]?.effects);
  });
});
