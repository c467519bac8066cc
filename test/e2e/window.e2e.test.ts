/** Updates that wait for a window, with a real engine and light hosts (lab/hosts): what its state, drift and a rollback make of them. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHosts, type LightHosts } from "../../lab/hosts/light-hosts.ts";
import { whyNoLightHosts } from "../../lab/hosts/namespaces.ts";
import { lightHostServices } from "../../lab/hosts/records.ts";
import { Stack, type Run } from "./stack.ts";

const why = await whyNoLightHosts();

describe.skipIf(why !== undefined)(`outside the window of hosts${why === undefined ? "" : ` (skipped: ${why})`}`, () => {
  let set: LightHosts;
  let stack: Stack;
  const names = ["light1", "light2"];
  /** Opens in three days for an hour: never while this runs. */
  const window = `${["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][(new Date().getUTCDay() + 2) % 7] ?? ""} 02:00-03:00 UTC`;

  beforeAll(async () => {
    set = await startHosts({ count: names.length, name: "e2e-window", replace: true });
    stack = new Stack("window", { prefix: set.command, env: set.environment });
    declare("info");
    await stack.init();
    const { exitCode, output } = await stack.up();
    expect(exitCode, output).toBe(0);
  });

  afterAll(async () => {
    await set.stop();
    stack.remove();
  });

  function declare(level: string, own: object = {}, more: object = {}): void {
    stack.configure({ profile: "baseline", defaults: { daemon: { "log-level": level }, limits: { services: lightHostServices }, ...own }, hosts: Object.fromEntries(set.hosts.map(({ name, connection }) => [name, { connection }])), ...more });
  }

  const levels = () => names.map((name) => (JSON.parse(set.read(name, "/etc/docker/daemon.json")) as { "log-level": string })["log-level"]);
  const ending = ({ output }: Run): string => /^ *(hosts: \d[^]*?)\n\s*\n/m.exec(output)?.[1]?.replaceAll(/\n +/g, "\n") ?? output;
  const rollback = (...options: string[]): Promise<Run> => stack.run(process.execPath, "scripts/rollback.ts", stack.name, ...options);

  it("nothing is touched, and the update is a success with something pending", async () => {
    declare("warn", { window });
    const run = await stack.up();
    expect(run.exitCode, run.output).toBe(0);
    expect(ending(run)).toBe("hosts: 2 left for later, 2 pending\nleft for later: light1, light2\npending: light1, light2");
    expect(levels()).toEqual(["info", "info"]);
  });

  it("drift sees change alone", async () => {
    const { exitCode, output } = await stack.run(process.execPath, "scripts/drift.ts", stack.name, "--format", "json");
    expect([exitCode, JSON.parse(output)], output).toEqual([2, expect.objectContaining({ summary: expect.objectContaining({ hosts: 2, drift: 0, change: 2 }) as object })]);
  });

  it("a rollback does not take it for applied, and goes to what was", async () => {
    const run = await rollback("--to", "2", "--yes");
    expect(run.output).toMatch(/light1: as update 1 applied it, the last one before that is known to have\n/);
    expect(run.output).toContain("Nothing to do: the 2 hosts are as in update 2 already.");
  });

  it("later waves wait for a host that waits", async () => {
    declare("warn", { window }, { rollout: { waves: [["light1"], ["light2"]] } });
    const run = await stack.up();
    expect(run.exitCode, run.output).not.toBe(0);
    expect(run.output).toMatch(/light1: nothing was touched, since this update waits for its window \(.*\), which opens at .*; later waves wait for it: dockerd /);
    expect(ending(run)).toMatch(/^hosts: 1 left for later, 1 not started.*\nleft for later: light1\nnot started: light2/);
    expect(levels()).toEqual(["info", "info"]);
  });

  it("and all goes through when it may", async () => {
    declare("warn", {}, { rollout: { waves: [["light1"], ["light2"]] } });
    const run = await stack.up();
    expect(run.exitCode, run.output).toBe(0);
    expect(levels()).toEqual(["warn", "warn"]);
  });

  it("a rollback that has to wait does not say that it is done", async () => {
    declare("warn", { window });
    expect((await stack.up()).exitCode).toBe(0);
    const run = await rollback("--to", "1", "--yes");
    expect(run.exitCode, run.output).toBe(1);
    expect(run.output).toContain("light1, light2 wait for their windows and were not touched.");
    expect(run.output).not.toContain("back at");
    expect(levels()).toEqual(["warn", "warn"]);
  });
});
