/** `npm run drift` and the workflows' own steps with the real engine, on light hosts (lab/hosts). */

import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { $ } from "zx";
import { startHosts, type LightHost, type LightHosts } from "../../lab/hosts/light-hosts.ts";
import { whyNoLightHosts } from "../../lab/hosts/namespaces.ts";
import { lightHostServices } from "../../lab/hosts/records.ts";
import type { DriftReport } from "../../src/drift/report.ts";
import { FakeGitHub } from "../support/github.ts";
import { project, readWorkflow, WorkflowRun, type Workflow } from "../support/workflow.ts";
import { passphrase, Stack } from "./stack.ts";

const why = await whyNoLightHosts();

describe.skipIf(why !== undefined)(`drift${why === undefined ? "" : ` (skipped: ${why})`}`, () => {
  let set: LightHosts;
  let stack: Stack;
  let github: FakeGitHub;
  let first: LightHost, second: LightHost, third: LightHost;

  beforeAll(async () => {
    github = await new FakeGitHub().start();
    set = await startHosts({ count: 3, name: "e2e-drift", replace: true });
    [first, second, third] = set.hosts as [LightHost, LightHost, LightHost];
    stack = new Stack("drift", { prefix: set.command, env: set.environment });
    declare([first, second]);
    await stack.init();
    const { exitCode, output } = await stack.up();
    expect(exitCode, output).toBe(0);
  });

  afterAll(async () => {
    github.stop();
    await set.stop();
    stack.remove();
  });

  /** The stack file; the engine's own lines in it stay. */
  function declare(hosts: LightHost[], more: Record<string, object> = {}): void {
    const old = existsSync(stack.file) ? readFileSync(stack.file, "utf8") : "";
    stack.configure({ profile: "baseline", defaults: { limits: { services: lightHostServices } }, hosts: Object.fromEntries(hosts.map(({ name, connection }) => [name, { connection: { ...connection, connectTimeout: 3 }, ...more[name] }])) });
    const salt = /^encryptionsalt: .*$/m.exec(old)?.[0];
    if (salt !== undefined) appendFileSync(stack.file, `${salt}\n`);
  }

  const environment = () => ({ PATH: `${join(project, "node_modules/.bin")}:${process.env.PATH ?? ""}`, PULUMI_BACKEND_URL: `file://${stack.backend}`, PULUMI_CONFIG_PASSPHRASE: passphrase, ...set.environment });

  async function drift(...words: string[]): Promise<{ exitCode: number; report: DriftReport }> {
    const { exitCode, stdout, stderr } = await $({ cwd: project, env: { ...process.env, ...environment() }, nothrow: true, quiet: true })`${set.command} npm run --silent drift -- ${stack.name} --format json ${words}`;
    expect(stdout, stderr).toMatch(/^\{/);
    return { exitCode: exitCode ?? -1, report: JSON.parse(stdout) as DriftReport };
  }

  const host = ({ hosts }: DriftReport, { name }: LightHost) => hosts.find((one) => one.name === name);
  const places = (pieces: DriftReport["hosts"][0]["drift"] = []) => pieces.flatMap((piece) => piece.places);

  it("is none on hosts that are as declared, and looking changes nothing", async () => {
    const before = stack.written();
    const { exitCode, report } = await drift();
    expect([exitCode, report.summary]).toEqual([0, expect.objectContaining({ hosts: 2, clean: 2 })]);
    expect(stack.written()).toBe(before);
  });

  it("is none where something waits for a reboot, which counts with --pending-fails", async () => {
    const [enabled, rules] = ["audit-enabled", "audit-rules"].map((name) => join(set.root(first.name), "run/stand-ins", name)) as [string, string];
    const before = readFileSync(rules);
    writeFileSync(enabled, "2\n");
    writeFileSync(rules, "");
    const { exitCode, report } = await drift("--pending-fails");
    writeFileSync(enabled, "1\n");
    writeFileSync(rules, before);
    expect([exitCode, report.summary]).toEqual([4, expect.objectContaining({ drift: 0, change: 0, pending: 1 })]);
    expect(host(report, first)?.pending).toEqual([expect.stringContaining("wait for a reboot")]);
  });

  it("is nothing but change when the stack file alone has changed", async () => {
    declare([first, second, third], { [first.name]: { daemon: { debug: true } } });
    const { exitCode, report } = await drift();
    expect(exitCode).toBe(2);
    expect(report.summary).toMatchObject({ drift: 0, change: 2, clean: 1 });
    expect(places(host(report, first)?.change)).toEqual(["daemon.debug", "inEffect.daemon.debug"]);
    expect(host(report, third)).toMatchObject({ isNew: true, change: [{ text: expect.stringContaining("+++ /etc/docker/daemon.json") as string }] });
  });

  it("is told apart from change on the same host", async () => {
    set.drift([first.name]);
    const { exitCode, report } = await drift();
    expect(exitCode).toBe(3);
    expect(places(host(report, first)?.drift)).toEqual(["files./etc/audit/rules.d/50-drydock.rules"]);
    expect(host(report, first)?.drift[0]?.text).toMatch(/^\+# drift$/m);
    expect(places(host(report, first)?.change)).toEqual(["daemon.debug", "inEffect.daemon.debug"]);
  });

  it("is still drift after an update that was refused", async () => {
    declare([first, second], { [first.name]: { volume: { device: "/dev/disk/by-id/none" } } });
    const refused = await drift();
    expect(refused.exitCode).toBe(1);
    expect(host(refused.report, first)?.refused).toEqual([expect.stringContaining("/dev/disk/by-id/none is not there")]);
    const { exitCode } = await stack.up();
    expect(exitCode).not.toBe(0);
    // The engine has stored the host as it was found.
    declare([first, second]);
    const { exitCode: code, report } = await drift();
    expect([code, report.summary]).toEqual([3, expect.objectContaining({ drift: 1, change: 0 })]);
    expect(host(report, first)?.drift[0]?.text).toMatch(/^\+# drift$/m);
  });

  it("is an error, and not none, when the stack file can't be used", async () => {
    declare([first, second], { [first.name]: { daemon: { debug: "maybe" } } });
    const { exitCode, report } = await drift();
    expect([exitCode, report.problems]).toEqual([1, [expect.stringContaining("hosts.light1.daemon.debug")]]);
    declare([first, second]);
  });

  describe("in the workflows", () => {
    /** Every step but the one that would install this very folder anew. */
    async function workflow(file: Workflow, last: string): Promise<{ exitCodes: number[]; summary: string; files: string }> {
      const values = {
        "matrix.stack": stack.name,
        "strategy.job-index": "0",
        "secrets.DRYDOCK_SSH_KEY": readFileSync(first.connection.identityFile, "utf8"),
        "secrets.PULUMI_ACCESS_TOKEN": "",
        "secrets.PULUMI_CONFIG_PASSPHRASE": passphrase,
        "vars.PULUMI_BACKEND_URL": `file://${stack.backend}`,
        "vars.DRYDOCK_STACKS": JSON.stringify([stack.name]),
        "github.event.pull_request.number": "12",
        "github.token": github.token,
      };
      const look = new WorkflowRun(values, { prefix: set.command, env: environment(), skip: ["Install"] });
      try {
        const ran = await look.job(file.jobs["look"] ?? { steps: [] });
        const { summary, variables } = look;
        // The runner ends it with the job.
        process.kill(Number(variables["SSH_AGENT_PID"]));
        rmSync(dirname(variables["SSH_AUTH_SOCK"] ?? ""), { recursive: true });
        const files = ["md", "json", "html", "sarif", "xml"].map((ending) => readFileSync(join(look.folder, "artifacts", "drift-0", `0.${ending}`), "utf8")).join("\n");
        const tell = await new WorkflowRun(values, { env: github.environment, folder: look.folder }).job(file.jobs[last] ?? { steps: [] });
        return { exitCodes: [...ran, ...tell].map(({ exitCode }) => exitCode), summary, files };
      } finally {
        look.remove();
      }
    }

    it("becomes a comment on the pull request, by the agent's key alone", async () => {
      // A change of the pull request's own beside the drift; the paths to keys, taken out below, are one of both hosts.
      declare([first, second], { [second.name]: { daemon: { debug: true } } });
      // Without a path to a key, only what the workflow gave to its agent opens the hosts.
      writeFileSync(stack.file, readFileSync(stack.file, "utf8").replaceAll(/^\s+identityFile:.*(\n\s{10,}\S.*)?$/gm, ""));
      expect(readFileSync(stack.file, "utf8")).not.toContain("identityFile");
      const { exitCodes, summary, files } = await workflow(readWorkflow("preview.yml"), "comment");
      expect(exitCodes).toEqual([0, 0, 0]);
      expect(github.posts[0]).toMatchObject({ on: 12, body: expect.stringMatching(/1 host drifted, 2 hosts would change because of the stack file[^]*\+# drift/) as string });
      expect(summary).toContain("+# drift");
      expect(files + summary).not.toContain(passphrase);
    });

    it("becomes an issue, with the host that can't be reached", async () => {
      declare([first, second]);
      await set.closeConnections();
      await set.end(second.name);
      const { exitCodes } = await workflow(readWorkflow("drift.yml"), "issue");
      // The step that fails the job comes after the report got out.
      expect(exitCodes).toEqual([0, 0, 1, 0]);
      expect(github.posts[1]).toMatchObject({ title: `Drydock: stack ${stack.name} is not as declared`, body: expect.stringMatching(/1 host could not be read, 1 host drifted/) as string });
    });
  });
});
