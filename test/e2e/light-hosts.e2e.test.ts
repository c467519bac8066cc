/** Many hosts at once, on light hosts: Docker, systemd, auditd and iptables are stand-ins there (lab/hosts). */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { $ } from "zx";
import { startHosts, type LightHosts } from "../../lab/hosts/light-hosts.ts";
import { whyNoLightHosts } from "../../lab/hosts/namespaces.ts";
import { assertApplied } from "../../scripts/bench/applied.ts";
import { jobConfig } from "../../scripts/bench/job.ts";
import { Stack } from "./stack.ts";

const why = await whyNoLightHosts();
const count = 4;

describe.skipIf(why !== undefined)(`${count} hosts${why === undefined ? "" : ` (skipped: ${why})`}`, () => {
  let set: LightHosts;
  let stack: Stack;

  beforeAll(async () => {
    set = await startHosts({ count, name: "e2e-light", replace: true });
    stack = new Stack("light", { prefix: set.command, env: set.environment });
    stack.configure(jobConfig(set.hosts));
    await stack.init();
  });

  afterAll(async () => {
    await set.stop();
    stack.remove();
  });

  it("are all hardened by one up, over two connections each", async () => {
    const { exitCode, output } = await stack.up();
    expect(exitCode, output).toBe(0);
    assertApplied(set);
    // One for all of it, and one more that confirms the change.
    expect(set.counts().connections).toBe(2 * count);
  });

  it("are left alone by the next one, over at most one connection each", async () => {
    await set.closeConnections();
    const before = set.counts();
    const { exitCode, output } = await stack.up();
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(new RegExp(`${count + 1} unchanged`));
    expect(set.counts().connections - before.connections).toBe(count);
    expect(set.counts().sessions - before.sessions).toBe(count);
  });

  it("get a profile back that somebody has unloaded", async () => {
    await $({ input: "profile drydock-web {}\n" })`chroot ${set.root("light1")} apparmor_parser -R -K`;
    const drift = await stack.preview("--diff", "--expect-no-changes");
    expect(drift.exitCode, drift.output).not.toBe(0);
    expect(drift.output).toMatch(/drydock-web\W+"?not loaded/);
    const { exitCode, output } = await stack.up();
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(/1 updated\n\s+4 unchanged/);
    expect(set.read("light1", "/sys/kernel/security/apparmor/profiles")).toContain("drydock-web (enforce)");
  });

  it("show drift of one of them as that one's", async () => {
    set.drift(["light2"]);
    const { exitCode, output } = await stack.preview("--diff", "--expect-no-changes");
    expect(exitCode, output).not.toBe(0);
    expect(output).toContain("+ # drift");
    expect(output).toMatch(/1 to update\n\s+4 unchanged/);
    expect(output.match(/~ drydock:index:Host: \(update\)\n\s+\[id=\w+\]/g)).toEqual([expect.stringContaining("light2")]);
  });

  it("are not touched when their sshd would let nobody in any more", async () => {
    const settings = join(set.root("light2"), "etc/ssh/sshd_config.d/light-host.conf");
    const whole = readFileSync(settings, "utf8");
    const untouched = () => expect(set.read("light2", "/etc/audit/rules.d/50-drydock.rules")).toContain("# drift");

    writeFileSync(settings, `${whole}DenyUsers root@10.*\n`);
    const locked = await stack.up();
    expect(locked.exitCode).not.toBe(0);
    expect(locked.output).toMatch(/light2: refused, nothing was touched: sshd's configuration keeps root from [\d.]+ out: DenyUsers has root@10\.\*; when it starts or reloads next/);
    untouched();

    writeFileSync(settings, `${whole}Nonsense yes\n`);
    const broken = await stack.preview();
    expect(broken.output).toContain("light2: this would be refused: sshd can't read its configuration (/etc/ssh/sshd_config.d/light-host.conf: line 3: Bad configuration option: Nonsense)");
    untouched();
    writeFileSync(settings, whole);
  });

  it("go on when one of them can't be reached", async () => {
    set.drift(["light3"]);
    await set.end("light4");
    const { exitCode, output } = await stack.up();
    expect(exitCode).not.toBe(0);
    expect(output).toMatch(/light4: .*(timed out|No route|closed|unreachable|reset)/i);
    assertApplied(set, { names: ["light1", "light2", "light3"] });
    expect(set.read("light3", "/etc/audit/rules.d/50-drydock.rules")).not.toContain("# drift");
  });

  it("leave nothing when they are stopped", async () => {
    const root = set.root("light1");
    await set.stop();
    expect(existsSync(root)).toBe(false);
    expect((await $`ip netns list`).stdout).not.toContain("drydock-e2e-light");
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain("e2e-light");
    expect((await $({ nothrow: true })`pgrep -f run/e2e-light/`).stdout).toBe("");
  });
});
