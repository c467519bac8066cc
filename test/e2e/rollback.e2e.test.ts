/** Back to what an earlier update had applied, on light hosts with a real engine and its file backend. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHosts, type LightHosts } from "../../lab/hosts/light-hosts.ts";
import { whyNoLightHosts } from "../../lab/hosts/namespaces.ts";
import { jobConfig, jobFiles } from "../../scripts/bench/job.ts";
import { Stack, type Run } from "./stack.ts";

const why = await whyNoLightHosts();
const auditRules = "/etc/audit/rules.d/50-drydock.rules";
const module = "/etc/modules-load.d/drydock.conf";

describe.skipIf(why !== undefined)(`a rollback${why === undefined ? "" : ` (skipped: ${why})`}`, () => {
  let set: LightHosts;
  let stack: Stack;
  let templates: string;
  /** By update, then by host: what was on it. */
  const left: Record<number, Record<string, Record<string, string>>> = {};

  beforeAll(async () => {
    set = await startHosts({ count: 3, name: "e2e-rollback", replace: true });
    stack = new Stack("rollback", { prefix: set.command, env: set.environment });
    templates = mkdtempSync(join(tmpdir(), "drydock-templates-"));
    await stack.init();
  });

  afterAll(async () => {
    await set.stop();
    stack.remove();
    rmSync(templates, { recursive: true });
  });

  /** Every file of Drydock's on a host, with owner and mode. */
  function snapshot(host: string): Record<string, string> {
    return Object.fromEntries(
      jobFiles.map((path) => {
        const { mode, uid, gid } = statSync(join(set.root(host), path));
        return [path, `${uid}:${gid} ${mode.toString(8)}\n${set.read(host, path)}`];
      }),
    );
  }

  function configure(hosts: string[], logLevel: string, own: Record<string, Record<string, unknown>> = {}): void {
    const config = jobConfig(set.hosts.filter(({ name }) => hosts.includes(name))) as { defaults: { daemon: object; allow: string[] }; hosts: Record<string, object> };
    Object.assign(config.defaults.daemon, { "log-level": logLevel });
    // What leaves the stack keeps its hardening: the originals can't be put back where the lab may not raise a limit.
    config.defaults.allow = [];
    for (const [name, values] of Object.entries(own)) Object.assign(config.hosts[name] ?? {}, values);
    stack.configure({ ...config, templates });
  }

  function writeTemplate(text: string): void {
    const path = join(templates, `${module}.hbs`);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, text);
  }

  const rollback = (...options: string[]): Promise<Run> => stack.run(process.execPath, "scripts/rollback.ts", stack.name, ...options);

  async function update(number: number, hosts: string[]): Promise<void> {
    const { exitCode, output } = await stack.up("--message", `number ${number}`);
    expect(exitCode, output).toBe(0);
    left[number] = Object.fromEntries(hosts.map((host) => [host, snapshot(host)]));
  }

  it("has three updates to go over, with other settings, other templates and a host more", async () => {
    configure(["light1", "light2"], "info");
    writeTemplate("# as it was\nbr_netfilter\n");
    await update(1, ["light1", "light2"]);
    configure(["light1", "light2"], "warn");
    writeTemplate("# as it is\nbr_netfilter\n");
    await update(2, ["light1", "light2"]);
    configure(["light1", "light2", "light3"], "error");
    await update(3, ["light1", "light2", "light3"]);
    expect(left[3]?.["light1"]).not.toEqual(left[1]?.["light1"]);
  });

  it("asks before it changes anything, and where nobody can be asked changes nothing", async () => {
    const { exitCode, output } = await rollback("--to", "1");
    expect(exitCode, output).toBe(1);
    expect(output).toContain(`-  "log-level": "error"`);
    expect(output).toContain(`+  "log-level": "info"`);
    expect(output).toContain("dockerd restarts (log-level)");
    expect(output).toContain("nobody is there to be asked; with --yes it goes on without. Nothing was touched.");
    expect(snapshot("light1")).toEqual(left[3]?.["light1"]);
  });

  it("over all of them leaves every byte as it was then, and the host that has come since as it is", async () => {
    const { exitCode, output } = await rollback("--to", "1", "--yes");
    expect(exitCode, output).toBe(0);
    expect(output).toContain("light3 has come since, and is left as it is");
    expect(output).toMatch(/light1, light2 are back at update 1|light2, light1 are back at update 1/);
    expect({ light1: snapshot("light1"), light2: snapshot("light2") }).toEqual(left[1]);
    expect(snapshot("light3")).toEqual(left[3]?.["light3"]);
    expect((await stack.pulumi("stack", "history", "-s", stack.name)).output).toContain("rollback to update 1 (number 1)");
  });

  it("for the second time finds nothing to do, even when the stack file can't be used any more", async () => {
    stack.configure({ hosts: "all of them" });
    const before = set.calls("light1").length;
    const { exitCode, output } = await rollback("--yes");
    expect(exitCode, output).toBe(0);
    expect(output).toContain("Nothing to do: the 2 hosts are as in update 1 already. Nothing was touched.");
    expect(output).toContain("can't be used as it is");
    expect(output).toMatch(/│ 3 .*│ number 3 +│ 2 hosts: daemon; 1 added +│ succeeded/);
    expect(output).toMatch(/│ 2 .*│ number 2 +│ 2 hosts: daemon, files +│ succeeded/);
    expect(set.calls("light1").slice(before).filter((call) => /restart|reload/.test(call))).toEqual([]);
  });

  it("after an update that failed on one host goes back to the last one that did not", async () => {
    set.drift(["light1"]);
    configure(["light1", "light2", "light3"], "debug", { light1: { daemon: { tlscacert: "/etc/docker/nothing.pem" } } });
    const failed = await stack.up("--message", "number 5");
    expect(failed.exitCode, failed.output).not.toBe(0);
    expect(snapshot("light2")).not.toEqual(left[1]?.["light2"]);
    const { exitCode, output } = await rollback("--yes");
    expect(exitCode, output).toBe(0);
    expect(output).toContain("Back to update 4");
    expect({ light1: snapshot("light1"), light2: snapshot("light2"), light3: snapshot("light3") }).toEqual({ ...left[1], light3: left[3]?.["light3"] });
  });

  it("to the update that failed takes what it had seen on the host for nothing that was applied", async () => {
    const { exitCode, output } = await rollback("--to", "5", "--yes");
    expect(exitCode, output).toBe(0);
    expect(output).toContain("light1: as update 4 applied it, the last one before that is known to have");
    expect(snapshot("light1")).toEqual(left[1]?.["light1"]);
    expect(snapshot("light1")[auditRules]).not.toContain("# drift");
    expect(set.read("light2", "/etc/docker/daemon.json")).toContain(`"log-level": "debug"`);
  });

  it("takes a host that has left only when it is named", async () => {
    configure(["light1", "light3"], "info");
    const gone = await stack.up();
    expect(gone.exitCode, gone.output).toBe(0);
    const { exitCode, output } = await rollback("--to", "2", "--host", "light2", "--yes");
    expect(exitCode, output).toBe(0);
    expect(output).toContain("light2 is taken up again");
    expect(snapshot("light2")).toEqual(left[2]?.["light2"]);
    // Only that one was asked for.
    expect(set.read("light1", "/etc/docker/daemon.json")).toContain(`"log-level": "info"`);
  });

  it("goes back to a file, from any backend and by another version of Drydock", async () => {
    const folder = join(stack.backend, ".pulumi", "history", "drydock", stack.name);
    const exported = join(templates, "old.json");
    const first = readdirSync(folder).filter((name) => name.endsWith(".checkpoint.json")).sort()[0] ?? "";
    const old = JSON.parse(readFileSync(join(folder, first), "utf8")) as { checkpoint: { latest: { resources: { type: string; inputs: Record<string, unknown> }[] } } };
    for (const { inputs } of old.checkpoint.latest.resources.filter(({ type }) => type === "drydock:index:Host")) {
      delete inputs["inEffect"];
      inputs["firewall"] = { in: "drop" };
    }
    writeFileSync(exported, JSON.stringify(old));
    const { exitCode, output } = await rollback("--from", exported, "--host", "light1", "--yes");
    expect(exitCode, output).toBe(0);
    expect(output).toContain("left out: firewall is recorded, and this version of Drydock does not know it");
    expect(snapshot("light1")).toEqual(left[1]?.["light1"]);
  });
});
