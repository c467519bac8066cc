import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Plan } from "../../src/plan/plan.ts";
import { restoreOriginal, type TransactionResult } from "../../src/remote/apply.ts";
import { applyAndConfirm } from "../support/confirmed.ts";
import { FakeRoot, mine, stubs } from "../support/fake-root.ts";
import { known } from "../../src/observed/records.ts";
import { apparmor, container } from "../support/observation.ts";
import { emptyPlan, noDocker } from "../support/plan.ts";

const connection = { host: "192.0.2.10", port: 22 };
const owner = { stack: "drydock/test", host: "web1" };
const path = "/etc/apparmor.d/drydock-web";
const kernel = "/sys/kernel/security/apparmor/policy/profiles";

vi.mock("../../src/remote/limits.ts", async (original) => ({ seconds: { ...(await original<typeof import("../../src/remote/limits.ts")>()).seconds, ports: 1 } }));

let host: FakeRoot;
beforeEach(() => {
  host = new FakeRoot();
  host.write("/etc/docker/daemon.json", "{}");
});
afterEach(() => void vi.unstubAllEnvs());

const apply = (change: Partial<Plan>): ReturnType<typeof applyAndConfirm> => applyAndConfirm(connection, emptyPlan(change), host.observation(), owner);
const restore = (): Promise<TransactionResult> => restoreOriginal(connection, emptyPlan({ docker: restart }), host.observation(), owner);
const write = (text: string, at = path) => ({ path: at, text, mode: "0644", ...mine });
const restart = { ...noDocker, how: "restart" as const };
const profiles = (change: Partial<Plan["profiles"]>) => ({ load: [], unload: [], replaced: [], enable: false, ...change });
const load = profiles({ load: ["drydock-web"] });
const unload = profiles({ unload: ["drydock-web"] });

/** What the kernel has under the name, if anything. */
const loaded = (name = "drydock-web"): string | undefined => (host.exists(`${kernel}/${name}.7/raw_data`) ? host.read(`${kernel}/${name}.7/raw_data`) : undefined);
const inKernel = (text: string, kind: "sha1" | "sha256" = "sha1"): void => {
  host.write(`${kernel}/drydock-web.7/name`, "drydock-web\n");
  host.write(`${kernel}/drydock-web.7/raw_data`, text);
  host.write(`${kernel}/drydock-web.7/raw_${kind}`, `${createHash(kind).update(text).digest("hex")}\n`);
};

describe("a profile", () => {
  it("is checked, put in place and loaded, and noted for the next look", async () => {
    const { outcome, log } = await apply({ writes: [write("new")], profiles: load });
    expect(outcome, log.join("\n")).toBe("done");
    expect(log).toContain("loading profile drydock-web");
    expect(loaded()).toBe("new");
    expect(host.read("/var/lib/drydock/applied").replaceAll(host.folder, "")).toContain(`profile:drydock-web ${createHash("sha1").update("new").digest("hex")}\n`);
    expect(host.calls().filter((call) => call.startsWith("apparmor_parser"))).toEqual(["apparmor_parser -Q -K /var/lib/drydock/transaction/files/1", `apparmor_parser -r -K ${path}`]);
  });

  it("that keeps a container from answering as before is taken back, though dockerd is left alone", async () => {
    inKernel("old");
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    // Once it was asked before the change it is gone.
    server.once("connection", () => server.close());
    const port = String((server.address() as AddressInfo).port);
    const published = container("web", { id: "web", ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: port }] } });
    const { outcome, log } = await applyAndConfirm(connection, emptyPlan({ writes: [write("new")], profiles: load }), host.observation({ containers: known([published]), apparmor: apparmor({ labels: { 900: "drydock-web (enforce)" } }) }), owner);
    expect(log).toContain(`container web answered on 127.0.0.1:${port} before and does not now`);
    expect(outcome).toBe("went back");
    expect(loaded()).toBe("old");
    expect(host.calls().filter((call) => call.includes("probe"))).toEqual([]);
  });

  it("that apparmor_parser does not take is refused with its line, and nothing is touched", async () => {
    const before = host.list("/etc");
    const result = await apply({ writes: [write("fine", "/etc/a"), write("first\nBAD\n")], profiles: load });
    expect(result.outcome).toBe("refused");
    expect(result.log.join("").replaceAll(host.folder, "")).toBe("refused: apparmor_parser does not take /etc/apparmor.d/drydock-web: AppArmor parser error for /etc/apparmor.d/drydock-web in profile /etc/apparmor.d/drydock-web at line 2: syntax error");
    expect(host.list("/etc")).toEqual(before);
    expect(host.exists("/var/lib/drydock")).toBe(false);
  });

  it("is loaded instead of a compiled copy that a clock made newer", async () => {
    host.write("/var/cache/apparmor/26b63962.0/drydock-web", "old");
    host.write("/var/cache/apparmor/26b63962.0/other", "of somebody else");
    await apply({ writes: [write("new")], profiles: load });
    expect(host.exists("/var/cache/apparmor/26b63962.0/drydock-web")).toBe(false);
    expect(host.exists("/var/cache/apparmor/26b63962.0/other")).toBe(true);
  });

  it("goes, and nobody misses one that has gone already", async () => {
    inKernel("old");
    host.write(path, "old");
    expect((await apply({ removes: [path], profiles: unload })).outcome).toBe("done");
    expect(loaded()).toBeUndefined();
    expect((await apply({ profiles: unload })).outcome).toBe("done");
  });

  it("does not go while a process has it that nobody saw before", async () => {
    inKernel("old");
    host.write("/proc/4711/attr/current", "drydock-web (enforce)\n");
    host.write("/proc/4712/attr/current", "drydock-web-too (enforce)\n");
    expect(await apply({ profiles: unload })).toEqual({ outcome: "refused", log: ["refused: profile drydock-web is to go, and these processes have it: 4711"] });
    expect(loaded()).toBe("old");
  });

  it("is there after the next boot, too", async () => {
    await apply({ profiles: profiles({ enable: true }) });
    expect(host.calls()).toContain("systemctl enable --quiet apparmor.service");
  });
});

describe("a change that fails", () => {
  const broken = { docker: restart, writes: [write("new"), { path: "/etc/docker/daemon.json", text: "BAD", mode: "0644", ...mine }] };

  it.each<[string, string | undefined]>([
    ["unloads what was not loaded before", undefined],
    // Not what is on disk: complain mode, or another text, was the state of before.
    ["loads what the kernel had before, whatever the file said", "the kernel's own"],
  ])("%s", async (_, text) => {
    if (text !== undefined) inKernel(text);
    host.write(path, "on disk");
    const { outcome, log } = await apply({ ...broken, profiles: load });
    expect(outcome, log.join("\n")).toBe("went back");
    expect(loaded()).toBe(text);
    expect(host.read(path)).toBe("on disk");
  });

  it("loads again what it had unloaded", async () => {
    inKernel("old");
    const { outcome } = await apply({ ...broken, removes: [path], profiles: unload, writes: broken.writes.slice(1) });
    expect(outcome).toBe("went back");
    expect(loaded()).toBe("old");
  });

  it("since the kernel does not take a profile goes back before dockerd is touched", async () => {
    const { outcome } = await apply({ writes: [write("NOT NOW")], profiles: load, docker: restart });
    expect(outcome).toBe("went back");
    expect(host.exists(path)).toBe(false);
    expect(host.calls().filter((call) => call.startsWith("systemctl stop"))).toEqual([]);
  });

  it("and can't bring a profile back says so", async () => {
    inKernel("NOT NOW");
    const { outcome, log } = await apply({ ...broken, profiles: load });
    expect(outcome).toBe("broken");
    expect(log).toContain("profile drydock-web is loaded with another text");
  });

  it("and finds one that does not go says so", async () => {
    host.on("apparmor_parser", `case "$*" in -R*) exit 1 ;; esac\n${stubs.apparmor_parser ?? ""}`);
    const { outcome, log } = await apply({ ...broken, profiles: load });
    expect(outcome).toBe("broken");
    expect(log).toContain("profile drydock-web is still loaded");
  });

  it("and finds one that does not come again says so", async () => {
    inKernel("old");
    host.on("apparmor_parser", `case "$*" in -r*) exit 1 ;; esac\n${stubs.apparmor_parser ?? ""}`);
    const { outcome, log } = await apply({ ...broken, removes: [path], profiles: unload, writes: broken.writes.slice(1) });
    expect(outcome).toBe("broken");
    expect(log).toContain("profile drydock-web is not loaded any more");
  });
});

it.each(["sha1", "sha256"] as const)("a kernel that tells the %s of what it has loaded is understood: noted, and compared on the way back", async (kind) => {
  if (kind === "sha256") host.touch("/kernel-6.8");
  expect((await apply({ writes: [write("new")], profiles: load })).outcome).toBe("done");
  expect(host.read("/var/lib/drydock/applied").replaceAll(host.folder, "")).toContain(`profile:drydock-web ${createHash(kind).update("new").digest("hex")}\n`);
  const broken = { docker: restart, writes: [write("newer"), { path: "/etc/docker/daemon.json", text: "BAD", mode: "0644", ...mine }] };
  expect((await apply({ ...broken, profiles: load })).outcome).toBe("went back");
  expect(loaded()).toBe("new");
  inKernel("NOT NOW", kind);
  const { outcome, log } = await apply({ ...broken, profiles: load });
  expect(outcome).toBe("broken");
  expect(log).toContain("profile drydock-web is loaded with another text");
});

describe("the original", () => {
  it.each<[string, string | undefined]>([
    ["had no profile of that name", undefined],
    ["had one", "of before"],
  ])("%s", async (_, text) => {
    if (text !== undefined) inKernel(text);
    await apply({ writes: [write("first")], profiles: load });
    await apply({ writes: [write("second")], profiles: load });
    expect(loaded()).toBe("second");
    const { outcome, log } = await restore();
    expect(outcome, log.join("\n")).toBe("done");
    expect(loaded()).toBe(text);
    expect(host.exists(path)).toBe(false);
  });
});

describe("the seccomp profile", () => {
  const file = "/etc/docker/drydock-seccomp.json";
  const noted = (key: string) => new RegExp(`^${key} (.*)$`, "m").exec(host.read("/var/lib/drydock/applied"))?.[1];

  it("is noted as the daemon has read it, and since when containers get it", async () => {
    await apply({ writes: [write("{}", file)], docker: restart });
    expect(noted("seccomp")).toBe(createHash("sha256").update("{}").digest("hex"));
    const since = noted("seccomp-since");
    host.write("/var/lib/drydock/applied", host.read("/var/lib/drydock/applied").replace(since ?? "", "1000"));
    await apply({ writes: [write("a", "/etc/a")] });
    expect(noted("seccomp-since")).toBe("1000");
    await apply({ writes: [write("{ }", file)], docker: restart });
    expect(Number(noted("seccomp-since"))).toBeGreaterThan(1000);
  });
});
