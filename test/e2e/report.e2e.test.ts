/** `npm run report` and the stack's outputs, on light hosts: Docker, systemd, auditd and iptables are stand-ins there (lab/hosts). */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { $ } from "zx";
import { startHosts, type LightHosts } from "../../lab/hosts/light-hosts.ts";
import { whyNoLightHosts } from "../../lab/hosts/namespaces.ts";
import { jobConfig } from "../../scripts/bench/job.ts";
import type { Compliance } from "../../src/program/summary.ts";
import type { Report, SeenHost } from "../../src/report/model.ts";
import { Stack, type Run } from "./stack.ts";

const why = await whyNoLightHosts();
const project = join(import.meta.dirname, "../..");

describe.skipIf(why !== undefined)(`the report of 3 hosts${why === undefined ? "" : ` (skipped: ${why})`}`, () => {
  let set: LightHosts;
  let stack: Stack;

  beforeAll(async () => {
    set = await startHosts({ count: 3, name: "e2e-report", replace: true });
    stack = new Stack("report", { prefix: set.command, env: set.environment });
    const config = jobConfig(set.hosts) as { defaults: Record<string, unknown> };
    stack.configure({ ...config, defaults: { ...config.defaults, connection: { connectTimeout: 4 }, waivers: { "2.12": { reason: "no plugin yet", until: "2127-03-31" }, "2.9": { reason: "old images", until: "2020-01-01" } } } });
    await stack.init();
  });

  afterAll(async () => {
    await set.stop();
    stack.remove();
  });

  async function report(...args: string[]): Promise<Run> {
    const result = await $({ cwd: project, env: { ...process.env, ...set.environment }, nothrow: true, quiet: true })`${set.command} ${process.execPath} scripts/report.ts ${stack.name} ${args}`;
    return { exitCode: result.exitCode ?? -1, output: result.stdout };
  }

  async function json(...args: string[]): Promise<{ exitCode: number; report: Report }> {
    const { exitCode, output } = await report("--format", "json", ...args);
    return { exitCode, report: JSON.parse(output) as Report };
  }

  const verdictOf = (host: Report["hosts"][number] | undefined, id: string) => host?.reachable && host.controls.find((control) => control.id === id)?.verdict;
  const outputs = async () => JSON.parse((await stack.pulumi("stack", "output", "--json", "-s", stack.name)).output) as { compliance: Compliance };

  it("is there before anybody has hardened them, and changes nothing", async () => {
    const calls = set.calls("light1").length;
    const { exitCode, report } = await json();
    expect(exitCode).toBe(2);
    expect(report.total).toMatchObject({ hosts: 3, unreachable: 0, waived: 3 });
    expect(verdictOf(report.hosts[0], "2.2")).toBe("fail");
    expect(set.calls("light1").slice(calls).filter((call) => !/^(docker (info|ps|network)|systemctl show|auditctl -[ls]|iptables .*-S|modprobe --dry-run)/.test(call))).toEqual([]);
  });

  it("says what the stack's output says, once they are hardened", async () => {
    const { exitCode, output } = await stack.up();
    expect(exitCode, output).toBe(0);
    const { compliance } = await outputs();
    const { report } = await json();
    expect(compliance.total).toMatchObject({ hosts: 3, unknownHosts: [], passed: report.total.pass, failed: report.total.fail + report.total.waived });
    expect(compliance.hosts["light1"]).toMatchObject({ failing: ["1.1.1", "2.9", "2.12"], waivedUntil: { "2.9": "2020-01-01", "2.12": "2127-03-31" } });
    expect(["2.2", "2.12", "2.9"].map((id) => verdictOf(report.hosts[0], id))).toEqual(["pass", "waived", "fail"]);
  });

  it("takes a day as the engine writes it into the stack file", async () => {
    // Without its quotes it is a time to the engine's YAML reader.
    stack.edit((text) => text.replaceAll(/until: "?(\d{4}-\d{2}-\d{2})"?$/gm, "until: $1"));
    const before = await outputs();
    const { exitCode, output } = await stack.preview("--expect-no-changes");
    expect(exitCode, output).toBe(0);
    const again = await stack.up();
    expect(again.output).toContain("4 unchanged");
    expect(readFileSync(stack.file, "utf8")).toMatch(/until: 2127-03-31/);
    expect(await outputs()).toEqual(before);
    expect((await json()).report.total).toMatchObject({ waived: 3 });
  });

  it("names commands that print on the host what it says they print", async () => {
    const { report } = await json("--host", "light1");
    const [host] = report.hosts as SeenHost[];
    const proofs = new Map(host?.controls.flatMap(({ proof }) => proof).map(({ command, printed }) => [command, printed]));
    const { connection } = set.hosts[0] ?? {};
    // The stand-ins for docker and iptables know the questions of Drydock alone.
    const asked = [...proofs].filter(([command]) => !/^(docker|iptables|pgrep) /.test(command));
    expect(asked.length).toBeGreaterThan(30);
    const script = asked.map(([command], i) => `echo "== ${i}"; ${command}; echo`).join("\n");
    const options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-i", connection?.identityFile ?? ""];
    const { stdout } = await $({ quiet: true, nothrow: true, input: `exec 2>&1\nexport LC_ALL=C\n${script}\n` })`${set.command} ssh ${options} root@${connection?.host ?? ""} sh -s`;
    const answers = stdout.split(/^== \d+\n/m).slice(1).map((text) => text.trimEnd());
    expect(Object.fromEntries(asked.map(([command], i) => [command, answers[i]]))).toEqual(Object.fromEntries(asked.map(([command, printed]) => [command, printed])));
  });

  it("has a section of its own for one that can't be reached, and its failed update keeps the others' figures", async () => {
    await set.end("light3");
    // A shared connection to it would be waited for.
    await set.closeConnections();
    set.drift(["light2"]);
    const { exitCode, report } = await json();
    expect(exitCode).toBe(1);
    expect(report.total).toMatchObject({ hosts: 3, unreachable: 1 });
    expect(report.hosts[2]).toMatchObject({ name: "light3", reachable: false, reason: expect.stringContaining("10.77.0.3") as unknown });
    const { output } = await stack.up();
    expect(output).not.toMatch(/^\s+at .*\.(ts|js):/m);
    const { compliance } = await outputs();
    expect(compliance.total).toMatchObject({ hosts: 3, unknownHosts: ["light3"], passed: report.total.pass });
    expect(compliance.hosts["light3"]).toEqual({ problem: "its update failed" });
  });
});
