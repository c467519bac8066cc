/** Waves of hosts, with a real engine and light hosts (lab/hosts). What was done where is read from the hosts' files. */

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { $ } from "zx";
import { startHosts, type LightHosts } from "../../lab/hosts/light-hosts.ts";
import { whyNoLightHosts } from "../../lab/hosts/namespaces.ts";
import { jobConfig } from "../../scripts/bench/job.ts";
import { Stack, type Run } from "./stack.ts";

const why = await whyNoLightHosts();
const noPlugin = whyNoPlugin();
const names = ["light1", "light2", "light3", "light4", "light5", "light6"];

describe.skipIf(why !== undefined)(`waves of hosts${why === undefined ? "" : ` (skipped: ${why})`}`, () => {
  let set: LightHosts;
  let stack: Stack;
  let agent: string;
  const rollout = { waves: [["light1"], ["web"]], maxParallel: 2, maxFailures: 1 };

  beforeAll(async () => {
    set = await startHosts({ count: names.length, name: "e2e-rollout", replace: true });
    agent = join(set.environment.XDG_RUNTIME_DIR, "agent");
    stack = new Stack("rollout", { prefix: set.command, env: { ...set.environment, SSH_AUTH_SOCK: agent } });
    await stack.init();
  });

  afterAll(async () => {
    await set.stop();
    stack.remove();
  });

  /** @param unreachable hosts whose port is a wrong one */
  function configure({ unreachable = [], without = [], own = {}, ...limits }: Partial<typeof rollout> & { unreachable?: string[]; without?: string[]; own?: Record<string, object> } = {}): void {
    const job = jobConfig(set.hosts) as { hosts: Record<string, { connection: object }>; defaults: object };
    const groups = (name: string) => (["light2", "light3", "light4", "light5"].includes(name) ? { groups: ["web"] } : {});
    const hosts = Object.entries(job.hosts).filter(([name]) => !without.includes(name)).map(([name, { connection }]) => {
      return [name, { connection: { ...connection, ...(unreachable.includes(name) && { port: 2222 }) }, ...groups(name), ...own[name] }];
    });
    stack.configure({ ...job, defaults: { ...job.defaults, allow: [] }, groups: { web: {} }, hosts: Object.fromEntries(hosts) as object, rollout: { ...rollout, ...limits } });
  }

  const drifted = (): string[] => names.filter((name) => set.read(name, "/etc/audit/rules.d/50-drydock.rules").includes("# drift"));
  const modified = (host: string, path: string): number => statSync(join(set.root(host), "var/lib/drydock", path)).mtimeMs;
  const ending = ({ output }: Run): string => /^ *(hosts: \d[^]*?)\n\s*\n/m.exec(output)?.[1]?.replaceAll(/\n +/g, "\n") ?? output;

  /** The stand-in of augenrules does this first; each apply calls it once. */
  function makeAugenrules(line: string): void {
    for (const name of names) {
      const tool = join(set.root(name), "usr/sbin/augenrules");
      const [first = "", ...others] = readFileSync(tool, "utf8").split("\n").filter((old) => !/^(exit 1|sleep 1)$/.test(old));
      writeFileSync(tool, [first, line, ...others].join("\n"));
    }
  }

  it("stop at one that failed: the rest of it and all later ones are untouched", async () => {
    configure({ maxParallel: 1, waves: [["web"], ["light1"]] });
    makeAugenrules("exit 1");
    const run = await stack.up();
    expect(run.exitCode, run.output).not.toBe(0);
    // Which of the wave come first is the engine's business.
    const [, failed = "", refused = ""] = /^hosts: 2 failed, 2 refused, 2 not started\nfailed: (.*)\nrefused: (.*)\nnot started: light1, light6$/.exec(ending(run)) ?? [];
    expect([...failed.split(", "), ...refused.split(", ")].sort(), run.output).toEqual(["light2", "light3", "light4", "light5"]);
    expect(run.output).toMatch(/light\d: refused, nothing was touched: light\d, light\d of wave 1 failed, and rollout\.maxFailures is 1; /);
    expect(run.output).not.toContain("failed to register");
    for (const name of [...refused.split(", "), "light1", "light6"]) {
      expect(set.calls(name).filter((call) => !call.includes("--dry-run") && /daemon-reload|augenrules|modprobe/.test(call)), name).toEqual([]);
      expect(existsSync(join(set.root(name), "var/lib/drydock")), name).toBe(false);
      expect(existsSync(join(set.root(name), "etc/docker/daemon.json")), name).toBe(false);
    }
  });

  it("go on from there with the next up, never more hosts at a time than may be, and wave after wave", async () => {
    // A slow step for each of them, or they would hardly meet.
    makeAugenrules("sleep 1");
    configure();
    const run = await stack.up("--parallel", "16");
    expect(run.exitCode, run.output).toBe(0);
    expect(ending(run)).toBe(`hosts: 6 changed\nchanged: ${names.join(", ")}`);
    const spans = new Map(names.map((name) => [name, { begin: modified(name, "generations/0001/by"), end: modified(name, "applied") }]));
    const web = ["light2", "light3", "light4", "light5"].flatMap((name) => spans.get(name) ?? []);
    const atOnce = web.map(({ begin }) => web.filter((other) => other.begin <= begin && begin < other.end).length);
    expect(Math.max(...atOnce)).toBe(2);
    const first = spans.get("light1");
    expect(first?.end).toBeLessThan(Math.min(...web.map(({ begin }) => begin)));
    expect(Math.max(...web.map(({ end }) => end))).toBeLessThan(spans.get("light6")?.begin ?? 0);
  });

  it("have nothing to do after that, nor when only the rollout changes", async () => {
    const unchanged = `hosts: 6 unchanged\nunchanged: ${names.join(", ")}`;
    expect(ending(await stack.up())).toBe(unchanged);
    configure({ waves: [["light6"], ["light1", "web"]] });
    const run = await stack.preview("--expect-no-changes");
    expect(run.exitCode, run.output).toBe(0);
    expect(ending(run)).toBe(unchanged);
  });

  it("keep drift that is behind a failed host, and the state whole when another is removed meanwhile", async () => {
    set.drift(["light3", "light6"]);
    configure({ unreachable: ["light1"], without: ["light2"], waves: [["light1", "light2", "light3"], ["light6"]].map((wave) => wave.filter((name) => name !== "light2")) });
    const run = await stack.up();
    expect(run.exitCode, run.output).not.toBe(0);
    expect(run.output).not.toMatch(/integrity|Stack Trace/i);
    // One of its own wave goes on: one failure is allowed.
    expect(drifted()).toEqual(["light6"]);
    expect(existsSync(join(set.root("light2"), "var/lib/drydock/owner"))).toBe(false);
    configure({ without: ["light2"] });
    expect(ending(await stack.up())).toMatch(/^hosts: \d changed, \d unchanged\nchanged: (light1, )?light6\n/);
    expect(drifted()).toEqual([]);
  });

  describe.skipIf(noPlugin !== undefined)(`with prepare and gate${noPlugin === undefined ? "" : ` (skipped: ${noPlugin})`}`, () => {
    it("wait for the gate of the one before, which runs again after each change", async () => {
      const running = $({ quiet: true, nothrow: true })`exec ssh-agent -D -a ${agent}`;
      try {
        while (!existsSync(agent)) await new Promise((done) => setTimeout(done, 50));
        await $({ quiet: true, env: { ...process.env, SSH_AUTH_SOCK: agent } })`ssh-add ${set.hosts[0]?.connection.identityFile ?? ""}`;
        const own = (gate: string) => ({ without: ["light2"], own: { light1: { prepare: "echo prepared >>/root/steps", gate } } });
        const steps = (): string => set.read("light1", "/root/steps");
        set.drift(["light1", "light6"]);
        configure(own("echo gated >>/root/steps; false"));
        expect((await stack.up()).exitCode).not.toBe(0);
        expect(steps()).toBe("prepared\ngated\n");
        expect(drifted()).toEqual(["light6"]);
        configure(own("echo passed >>/root/steps"));
        const run = await stack.up();
        expect(run.exitCode, run.output).toBe(0);
        expect(drifted()).toEqual([]);
        expect(steps()).toBe("prepared\ngated\npassed\n");
        set.drift(["light1"]);
        await stack.up();
        await stack.up();
        expect(steps()).toBe("prepared\ngated\npassed\npassed\n");
      } finally {
        await running.kill();
      }
    });
  });
});

/** Of @pulumi/command; the engine downloads it where it may. */
function whyNoPlugin(): string | undefined {
  const program = "pulumi-resource-command";
  if ((process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)))) return undefined;
  const cache = join(process.env.PULUMI_HOME ?? join(homedir(), ".pulumi"), "plugins");
  if (existsSync(cache) && readdirSync(cache).includes("resource-command-v1.2.1")) return undefined;
  return `${program} is neither on the PATH nor in ${cache}: pulumi plugin install resource command 1.2.1`;
}
