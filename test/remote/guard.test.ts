import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FileWrite, Plan } from "../../src/plan/plan.ts";
import { applyPlan, restoreOriginal, type TransactionResult } from "../../src/remote/apply.ts";
import { confirmChange, rejectChange } from "../../src/remote/confirmation.ts";
import { runAsRoot } from "../../src/remote/ssh.ts";
import { onPath } from "../support/fake-ssh.ts";
import { FakeRoot, mine, stubs } from "../support/fake-root.ts";
import { container } from "../support/observation.ts";
import { known } from "../../src/observed/records.ts";
import { emptyPlan, noDocker } from "../support/plan.ts";

const connection = { host: "192.0.2.10", port: 22 };
const owner = { stack: "drydock/test", host: "web1" };
const begun = "2026-11-24T09:00:00.000Z";
const inHand = "/var/lib/drydock/transaction";

// A port that stays silent is asked for some seconds.
vi.mock("../../src/remote/limits.ts", async (original) => ({ seconds: { ...(await original<typeof import("../../src/remote/limits.ts")>()).seconds, ports: 1, daemon: 3 } }));

let host: FakeRoot;
beforeEach(() => {
  host = new FakeRoot();
  host.write("/etc/a", "old");
});
afterEach(() => void vi.unstubAllEnvs());

const write = (path: string, text: string): FileWrite => ({ path, text, mode: "0644", ...mine });
const apply = (change: Partial<Plan> = { writes: [write("/etc/a", "new"), write("/etc/b", "b")] }): Promise<TransactionResult> => applyPlan(connection, emptyPlan(change), host.observation(), owner, { begun, signature: ["by ops@desk"] });
const run = (script: string): Promise<string> => runAsRoot(connection, script, { step: "trying", timeout: 30 });
const confirm = (since = begun): Promise<void> => confirmChange(connection, since);
const reject = (why: string, since = begun): Promise<void> => rejectChange(connection, since, why);
/** As systemd starts it: by the timer, or at boot. */
const start = (command: string): Promise<string> => run(`sh ${inHand}/transaction.sh ${command} ${inHand} || echo "status $?"`);
const uptime = (seconds: number): void => host.write("/proc/uptime", `${seconds}.00 1.00\n`);
const outcome = (): Record<string, string> => Object.fromEntries(host.read("/var/lib/drydock/outcome").trim().split("\n").map((line) => line.split(/ (.*)/s).slice(0, 2) as [string, string]));
const recoveryUnits = (): boolean[] => ["drydock-recover.service", "drydock-settle.service", "sysinit.target.wants/drydock-recover.service", "multi-user.target.wants/drydock-settle.service"].map((name) => host.exists(`/etc/systemd/system/${name}`));

describe("a change that waits for its confirmation", () => {
  beforeEach(async () => expect((await apply()).outcome).toBe("done"));

  it("is guarded by a timer and by units for a boot", () => {
    expect(host.exists("/armed")).toBe(true);
    expect(recoveryUnits()).toEqual([true, true, true, true]);
    expect(host.read(`${inHand}/step`)).toBe("changed\n");
  });

  it("stays when it is confirmed, and nothing of the guard with it", async () => {
    await confirm();
    expect(host.list("/etc")).toEqual(["644 /etc/a: new", "644 /etc/b: b"]);
    expect(host.exists("/armed")).toBe(false);
    expect(host.exists(inHand)).toBe(false);
    expect(outcome()).toMatchObject({ generation: "0001", result: "confirmed", by: "ops@desk" });
    expect(host.exists("/var/lib/drydock/current")).toBe(true);
  });

  it("is left alone by the timer until its time is over", async () => {
    uptime(1059);
    expect(await start("guard")).toBe("");
    expect(host.read("/etc/a")).toBe("new");
    expect(host.exists("/armed")).toBe(true);
  });

  it("is taken back when nobody comes, and the host is nobody's again", async () => {
    uptime(1060);
    expect(await start("guard")).toMatch(/^the update by stack drydock\/test host web1 .*by ops@desk since .*: nobody confirmed it over a new connection within 60 s; going back to the state of before\nthe state of before is back\n$/);
    expect(host.list("/etc")).toEqual(["644 /etc/a: old"]);
    expect(host.exists("/armed")).toBe(false);
    for (const path of ["owner", "pristine", "transaction", "current"]) expect(host.exists(`/var/lib/drydock/${path}`), path).toBe(false);
    expect(outcome()).toMatchObject({ result: "went back", why: "nobody confirmed it over a new connection within 60 s" });
  });

  it("is taken back at once when it is rejected, with the reason in one line, whatever is in it", async () => {
    await reject("not in effect after it: daemon.$(id)'s \n result confirmed");
    expect(host.read("/etc/a")).toBe("new");
    expect(await start("guard")).toContain("going back to the state of before\nthe state of before is back\n");
    expect(host.list("/etc")).toEqual(["644 /etc/a: old"]);
    expect(outcome()).toMatchObject({ result: "went back", why: "not in effect after it: daemon.$(id)'s   result confirmed" });
    await expect(reject("once more")).rejects.toThrow(/exit status/);
  });

  it("is confirmed or rejected by nobody who means another one", async () => {
    const another = "2026-11-24T09:00:00.001Z";
    await expect(confirm(another)).rejects.toThrow(/failed with exit status 1/);
    await expect(reject("not in effect", another)).rejects.toThrow(/failed with exit status 1/);
    expect(await start("guard")).toBe("");
    await confirm();
    expect(outcome()).toMatchObject({ result: "confirmed", since: begun });
    await confirm();
    await expect(confirm(another)).rejects.toThrow(/failed with exit status 1/);
  });

  it("is taken back at boot, by the files alone, and what was stopped starts when Docker is there", async () => {
    host.calls();
    expect(await start("recover")).toMatch(/was cut off by a restart of the host; the files of before come back\n$/);
    expect(host.read("/etc/a")).toBe("old");
    expect(host.calls().filter((call) => /^(docker|systemctl (start|stop))/.test(call))).toEqual([]);
    expect(await start("settle")).toBe("the state of before is back\n");
    expect(host.list("/etc")).toEqual(["644 /etc/a: old"]);
    expect(outcome()).toMatchObject({ result: "went back", why: "the host was restarted in the middle" });
  });

  it("is taken back at boot where a container that it had stopped does not start again, and that is told", async () => {
    await confirm();
    const web = container("web", { id: "web" });
    const change = emptyPlan({ docker: { ...noDocker, how: "restart", stop: ["web"] }, writes: [write("/etc/a", "newer")] });
    expect((await applyPlan(connection, change, host.observation({ containers: known([web]) }), owner, { begun, signature: ["by ops@desk"] })).outcome).toBe("done");
    await start("recover");
    host.touch("/stuck");
    expect(await start("settle")).toBe("container web does not start again\nthe state of before is back; not all containers that were stopped start again\n");
    expect(outcome()).toMatchObject({ result: "went back", why: "the host was restarted in the middle; not all containers that were stopped start again" });
    expect(host.read("/etc/a")).toBe("new");
    expect(host.exists("/etc/systemd/system/drydock-settle.service")).toBe(false);
  });

  describe("where the units for a boot can't be removed, as on an /etc that became read-only,", () => {
    const unit = "/etc/systemd/system/drydock-recover.service";
    beforeEach(() => {
      host.remove(unit);
      // `rm -f` refuses a folder, whoever runs it.
      host.write(`${unit}/file`, "");
    });

    it.each([
      ["is kept", "confirmed", confirm, "new"],
      ["is taken back", "taken-back", () => (uptime(1060), start("guard")), "old"],
    ])("%s, and the timer removes them when they can be", async (_name, word, end, text) => {
      await end();
      expect(host.read("/etc/a")).toBe(text);
      expect(host.read(`${inHand}/step`)).toBe(`${word}\n`);
      expect(host.exists("/armed")).toBe(true);
      expect(await start("guard")).toBe("the units for a boot can't be removed yet\n");
      host.remove(unit);
      await start("guard");
      expect(host.read("/etc/a")).toBe(text);
      expect(recoveryUnits()).toEqual([false, false, false, false]);
      expect(host.exists("/armed")).toBe(false);
      expect(host.exists(inHand)).toBe(false);
      expect(outcome().result).toBe(word === "confirmed" ? "confirmed" : "went back");
    });

    it("lets no other update begin", async () => {
      await confirm();
      expect((await apply()).outcome).toBe("busy");
      host.remove("/armed");
      expect(await apply()).toEqual({ outcome: "refused", log: ["the units for a boot can't be removed yet", "refused: the last update can't be ended: is /etc read-only?"] });
      expect(host.read(`${inHand}/step`)).toBe("confirmed\n");
    });
  });

  it("keeps another one out, which is told whose it is", async () => {
    const { outcome: result, log } = await apply();
    expect(result).toBe("busy");
    expect(log).toEqual(expect.arrayContaining(["stack drydock/test", "host web1", "by ops@desk", expect.stringMatching(/^since 20/)]));
  });

  it("is taken back by the next update when its timer is gone, and that update is not begun", async () => {
    host.remove("/armed");
    const { outcome: result, log } = await apply();
    expect(result).toBe("unfinished");
    expect(log).toEqual([expect.stringMatching(/^taking back an update that was cut off: stack drydock\/test/), "the state of before is back"]);
    expect(host.list("/etc")).toEqual(["644 /etc/a: old"]);
    expect((await apply()).outcome).toBe("done");
  });
});

describe("a way back that fails because /etc can't be written to", () => {
  it("is not given up: the timer goes on with it when it can be", async () => {
    expect((await apply()).outcome).toBe("done");
    // A folder in the way of the probe, and of the file.
    host.write("/etc/.drydock-new/x", "");
    host.write("/etc/a.drydock-new/x", "");
    uptime(1060);
    expect(await start("guard")).toMatch(/\/etc can't be written to: the state of before comes back as soon as it can\nstatus 22\n$/);
    expect(host.read(`${inHand}/step`)).toBe("going-back\n");
    expect(host.exists("/armed")).toBe(true);
    expect(await start("guard")).toBe("");
    host.remove("/etc/.drydock-new");
    host.remove("/etc/a.drydock-new");
    expect(await start("guard")).toContain("the state of before is back\n");
    expect(host.list("/etc")).toEqual(["644 /etc/a: old"]);
    expect(outcome().result).toBe("went back");
  });
});

describe("an update that was cut off before its first change", () => {
  const cut = async (command: string): Promise<void> => {
    host.remove(`${inHand}/step`);
    await start(command);
    expect(recoveryUnits()).toEqual([false, false, false, false]);
    expect(host.exists(inHand)).toBe(false);
  };

  it.each(["recover", "guard"])("leaves nothing behind: %s", async (command) => {
    await apply();
    await cut(command);
    expect(host.list("/var/lib/drydock").filter((line) => !/(lock: |generations\/|applied: [^]*)$/.test(line))).toEqual([]);
    expect(host.exists("/armed")).toBe(false);
  });

  it("is taken back at boot by a unit that asks for nothing but its program: the word may not be there yet", async () => {
    await apply();
    expect(host.read("/etc/systemd/system/drydock-recover.service")).toMatch(/^ConditionPathExists=.*\/transaction\/transaction\.sh$/m);
  });

  it("leaves the originals of the update before it, also where giving them back was cut off in between", async () => {
    await apply();
    await confirm();
    expect((await apply({ writes: [write("/etc/c", "c")] })).outcome).toBe("done");
    await run("mv /var/lib/drydock/pristine /var/lib/drydock/pristine.gone");
    await cut("recover");
    expect(host.read(`/var/lib/drydock/pristine/tree${host.at("/etc/a")}`)).toBe("old");
    expect(host.exists("/var/lib/drydock/pristine.gone")).toBe(false);
  });
});

it("a change that was kept, and cut off only in the removal of what it needed, keeps its originals", async () => {
  await apply();
  host.on("rm", `case "$*" in "-rf -- "*/transaction | "-rf -- "*/transaction.ended) exit 1 ;; esac; exec /bin/rm "$@"`);
  await confirm();
  expect(host.read("/var/lib/drydock/outcome")).toContain("result confirmed");
  host.remove("/bin/rm");
  await start("recover").catch(() => undefined);
  expect((await apply({ writes: [write("/etc/c", "c")] })).outcome).toBe("done");
  expect(host.exists(`${inHand}.ended`)).toBe(false);
  await confirm();
  expect((await restoreOriginal(connection, emptyPlan({ docker: { ...noDocker, how: "restart" } }), host.observation(), owner)).outcome).toBe("done");
  expect(host.list("/etc")).toEqual(["644 /etc/a: old"]);
});

it("a destroy that was cut off before its first change leaves the host whose it was", async () => {
  await apply();
  await confirm();
  host.on("systemd-run", `case "$*" in *--wait*) kill -9 $PPID ;; esac\n${stubs["systemd-run"] ?? ""}`);
  host.on("sync", `case "$*" in *step.new*) kill -9 $(ps -o ppid= -p $PPID) $PPID ;; esac`);
  await expect(restoreOriginal(connection, emptyPlan({ docker: { ...noDocker, how: "restart" } }), host.observation(), owner)).rejects.toThrow();
  await vi.waitFor(() => expect(host.calls()).toContainEqual(expect.stringMatching(/^sync .*step\.new$/)));
  host.on("sync", "");
  expect(host.exists(`${inHand}/step`)).toBe(false);
  await start("recover");
  expect(recoveryUnits()).toEqual([false, false, false, false]);
  expect(host.read("/var/lib/drydock/owner")).toBe("stack drydock/test\nhost web1\n");
  expect(host.exists("/var/lib/drydock/pristine")).toBe(true);
});

it("an outcome of an earlier update is gone before the word of a new one is there", async () => {
  await apply();
  await confirm();
  host.on("sync", `case "$*" in *step.new*) [ ! -e "$ROOT/var/lib/drydock/outcome" ] || : >"$ROOT/stale" ;; esac`);
  expect((await apply({ writes: [write("/etc/c", "c")] })).outcome).toBe("done");
  expect(host.exists("/stale")).toBe(false);
});

it("a host that is left while nobody listens any more has nothing of ours: what comes after the program is done all the same", async () => {
  await apply();
  await confirm();
  // A controller that was killed: the script there outlives its connection, and has the lock.
  onPath({ ssh: `export ROOT=${host.folder} DAEMON_PID=${process.pid} PATH=${host.folder}/bin:$PATH LC_ALL=C\nsed "s#/var/lib/drydock#$ROOT/var/lib/drydock#g" | sh -s | head -c 1 >/dev/null` });
  await restoreOriginal(connection, emptyPlan({ docker: { ...noDocker, how: "restart" } }), host.observation(), owner);
  await vi.waitFor(() => expect(host.exists("/var/lib/drydock")).toBe(false), { timeout: 10_000 });
  expect(host.list("/etc")).toEqual(["644 /etc/a: old"]);
});

it("a host that is left by the program alone, since its controller is gone, has nothing of ours", async () => {
  await apply();
  await confirm();
  host.on("systemd-run", `case "$*" in *--wait*) kill -9 $PPID ;; esac\n${stubs["systemd-run"] ?? ""}`);
  await expect(restoreOriginal(connection, emptyPlan({ docker: { ...noDocker, how: "restart" } }), host.observation(), owner)).rejects.toThrow();
  await vi.waitFor(() => expect(host.exists("/var/lib/drydock")).toBe(false), { timeout: 10_000 });
  expect(host.list("/etc")).toEqual(["644 /etc/a: old"]);
});

describe("a change that was cut off", () => {
  /** The unit is killed between two steps: the program ends there, without a word. */
  async function cutOff(): Promise<TransactionResult> {
    host.on("augenrules", `kill -9 $(ps -o ppid= -p $PPID) $PPID`);
    return apply({ writes: [write("/etc/a", "new"), write("/etc/b", "b")], audit: { enable: false, add: [], remove: [], compile: true } });
  }

  it("is known as such, and taken back by the timer", async () => {
    expect((await cutOff()).outcome).toBe("cut off");
    expect(host.read("/etc/a")).toBe("new");
    expect(host.read(`${inHand}/step`)).toBe("changing\n");
    host.on("augenrules", "");
    expect(await start("guard")).toContain("it was cut off in the middle; going back to the state of before");
    expect(host.list("/etc")).toEqual(["644 /etc/a: old"]);
    expect(host.exists(inHand)).toBe(false);
  });

  it("is not touched by the timer while its unit runs", async () => {
    await cutOff();
    host.touch("/applying");
    expect(await start("guard")).toBe("");
    expect(host.read("/etc/a")).toBe("new");
  });

  it("is finished on the way back when that is cut off, too", async () => {
    await cutOff();
    host.write(`${inHand}/step`, "going-back\n");
    host.on("augenrules", "");
    expect(await start("guard")).toContain("it was cut off on the way back");
    expect(host.list("/etc")).toEqual(["644 /etc/a: old"]);
  });

  it("is nothing to confirm", async () => {
    await cutOff();
    await expect(confirm()).rejects.toThrow(/failed with exit status 1/);
    expect(host.read(`${inHand}/step`)).toBe("changing\n");
  });
});

describe("the way back", () => {
  describe("from a saved file that a bad disk has changed", () => {
    const saved = (): string => `/var/lib/drydock/generations/0001/before/tree${host.at("/etc/a")}`;
    const told = (): string => `what was saved of ${host.at("/etc/a")} is damaged, and does not come back`;
    beforeEach(async () => {
      expect((await apply()).outcome).toBe("done");
      host.write(saved(), "rotten");
      uptime(2000);
    });

    it("leaves that as it is, brings all others back, and does not call it the state of before", async () => {
      const said = await start("guard");
      expect(said).toContain(told());
      expect(said).not.toContain("the state of before is back");
      expect(said).toMatch(/status 22\n$/);
      expect(host.list("/etc").filter((line) => !line.includes("systemd"))).toEqual(["644 /etc/a: new"]);
      expect(outcome().result).toBe("broken");
    });

    it("does not at boot either", async () => {
      expect(await start("recover")).toContain(told());
      expect(host.read("/etc/a")).toBe("new");
      expect(await start("settle")).toMatch(/status 22\n$/);
      expect(outcome().result).toBe("broken");
    });
  });

  it("that fails leaves the units for the next boot, and says so to whoever looks", async () => {
    const restart = { ...noDocker, how: "restart" as const };
    host.write("/etc/docker/daemon.json", "{}");
    await apply({ docker: restart, writes: [write("/etc/docker/daemon.json", '{"icc":false}')] });
    host.touch("/broken");
    uptime(2000);
    expect(await start("guard")).toMatch(/status 22\n$/);
    expect(host.read(`${inHand}/step`)).toBe("broken\n");
    expect(host.exists("/armed")).toBe(false);
    expect(recoveryUnits()).toEqual([true, true, true, true]);
    expect(outcome().result).toBe("broken");
    // One that is refused, or is cut off before its first change, leaves it to the next boot all the same.
    host.on("head", `case "$*" in "-c 1048576 "*) exit 1 ;; esac; exec /usr/bin/head "$@"`);
    expect((await apply({ writes: [write("/etc/a", "newer")] })).outcome).toBe("refused");
    expect([host.read(`${inHand}/step`), ...recoveryUnits()]).toEqual(["broken\n", true, true, true, true]);
    host.remove("/bin/head");
    // Another update may mend what this one has left.
    host.remove("/broken");
    expect((await apply({ docker: { ...noDocker, how: "start" }, writes: [write("/etc/a", "newer")] })).outcome).toBe("done");
    await confirm();
    expect(recoveryUnits()).toEqual([false, false, false, false]);
  });
});

it("a module that only the new files ask for is unloaded at boot, before Docker starts", async () => {
  host.remove("/sys/module/br_netfilter");
  host.on("modprobe", 'mkdir -p "$ROOT/sys/module/$1"');
  host.on("rmmod", 'rmdir "$ROOT/sys/module/$1"');
  await apply({ modules: ["br_netfilter"], writes: [write("/etc/modules-load.d/drydock.conf", "br_netfilter\n")] });
  expect(host.exists("/sys/module/br_netfilter")).toBe(true);
  await start("recover");
  expect(host.exists("/etc/modules-load.d/drydock.conf")).toBe(false);
  expect(host.exists("/sys/module/br_netfilter")).toBe(false);
});

describe("a dockerd that was restarted", () => {
  const restart = { ...noDocker, how: "restart" as const };
  beforeEach(async () => expect((await apply({ docker: restart, writes: [write("/etc/a", "new")] })).outcome).toBe("done"));

  it("is kept with its change when it is the same by the confirmation", async () => {
    await confirm();
    expect(outcome().result).toBe("confirmed");
  });

  it.each([
    ["is another one", () => host.write("/daemon-pid", "4242\n"), "dockerd ended within 0 s of its start: unable to configure the Docker daemon"],
    ["does not answer", () => host.on("docker", '[ -e "$ROOT/asked" ] || { : >"$ROOT/asked"; exit 1; }'), "dockerd does not answer any more"],
  ])("and %s by then is not kept, and the timer waits no longer", async (_what, change, why) => {
    change();
    await expect(confirm()).rejects.toThrow(/failed with exit status 1/);
    expect(await start("guard")).toContain(`${why}; going back to the state of before`);
    expect(host.read("/etc/a")).toBe("old");
  });

  it("and is another one when its change is rejected is the reason that counts", async () => {
    host.write("/daemon-pid", "4242\n");
    uptime(1021);
    await reject("not in effect after it: inEffect.configuration");
    await start("guard");
    expect(outcome().why).toMatch(/^dockerd ended within 21 s of its start: unable to configure/);
  });
});

describe("a container that ran before a change", () => {
  const restart = { ...noDocker, how: "restart" as const };
  const web = container("web");
  const change = (): Promise<TransactionResult> => applyPlan(connection, emptyPlan({ docker: restart, writes: [write("/etc/a", "new")] }), host.observation({ containers: known([web]) }), owner, { begun });

  it.each([
    ["waits for its next start after a crash", "true 1 true 7", "container web crashes, and is started again and again"],
    ["was restarted twice since", "true 0 false 6", "container web was restarted 2 times since the change"],
    ["has ended", "false 1 false 4", "container web ran before and does not run now"],
  ])("and %s by the confirmation takes it back", async (_what, state, why) => {
    host.container(web.id, "true 0 false 4");
    expect((await change()).outcome).toBe("done");
    host.container(web.id, state);
    await expect(confirm()).rejects.toThrow(/failed with exit status 1/);
    expect(await start("guard")).toContain(`${why}; going back to the state of before`);
    expect(host.read("/etc/a")).toBe("old");
  });

  it.each([
    ["a job that ends well and is started anew", "Up 5 minutes", "true 0 true 5"],
    ["one that was restarting before", "Restarting (1) 3 seconds ago", "true 1 true 9"],
    ["one that was young before", "Up 12 seconds", "true 1 true 9"],
  ])("and is %s takes nothing back", async (_what, status, state) => {
    host.on("docker", `case "$*" in "ps "*Status*) echo "${web.id} web ${status}"; exit ;; esac\n${stubs.docker ?? ""}`);
    host.container(web.id, "true 0 false 4");
    expect((await change()).outcome).toBe("done");
    host.container(web.id, state);
    await confirm();
    expect(outcome().result).toBe("confirmed");
  });

  it.each([
    ["says nothing of it", `echo "${"1".repeat(64)}"`, "dockerd does not say whether container web runs"],
    ["says nothing at all", "exit 1", "dockerd does not say which containers there are"],
  ])("is not believed to run when dockerd %s", async (_what, answer, why) => {
    const one = { ...web, id: "1".repeat(64) };
    host.on("docker", `case "$*" in "inspect "*) [ -e "$ROOT/going-back" ] || exit 1 ;; "ps -aq"*) ${answer}; exit ;; esac\n${stubs.docker ?? ""}`);
    const { outcome: result, log } = await applyPlan(connection, emptyPlan({ docker: restart, writes: [write("/etc/a", "new")] }), host.observation({ containers: known([one]) }), owner);
    expect(log).toContain(why);
    expect(result).toBe("broken");
    expect(host.read("/etc/a")).toBe("old");
  });
});

describe("restoring the originals", () => {
  const restart = emptyPlan({ docker: { ...noDocker, how: "restart" } });
  beforeEach(async () => {
    expect((await apply()).outcome).toBe("done");
    await confirm();
  });

  it("is not done while dockerd does not answer", async () => {
    host.on("docker", `case "$1" in info) echo "99999.00 1.00" >"$ROOT/proc/uptime"; exit 1 ;; esac\n${stubs.docker ?? ""}`);
    const { outcome: result, log } = await restoreOriginal(connection, restart, host.observation(), owner);
    expect(result).toBe("broken");
    expect(log).toContainEqual(expect.stringMatching(/^dockerd did not answer within \d+ s$/));
    expect(log).not.toContain("every file is as it was before the first update");
    expect(host.exists("/var/lib/drydock/pristine")).toBe(true);
  });

  it("is refused where one of them is damaged, and nothing is touched", async () => {
    host.write(`/var/lib/drydock/pristine/tree${host.at("/etc/a")}`, "rotten");
    host.calls();
    const { outcome: result, log } = await restoreOriginal(connection, restart, host.observation(), owner);
    expect(result).toBe("refused");
    expect(log).toEqual([expect.stringContaining(`these originals are not as they were saved (sha256sum --check manifest): tree${host.at("/etc/a")} in `)]);
    expect(host.read("/etc/a")).toBe("new");
    expect(host.calls().filter((call) => /^systemctl (start|stop)/.test(call))).toEqual([]);
  });

  it("is refused where one of a later update is gone", async () => {
    host.write("/etc/c", "old");
    expect((await apply({ writes: [write("/etc/c", "c")] })).outcome).toBe("done");
    await confirm();
    host.remove(`/var/lib/drydock/pristine/tree${host.at("/etc/c")}`);
    expect(await restoreOriginal(connection, restart, host.observation(), owner)).toMatchObject({ outcome: "refused", log: [expect.stringContaining(`tree${host.at("/etc/c")} in `)] });
  });
});

describe("restoring the originals, when it is cut off", () => {
  beforeEach(async () => {
    expect((await apply()).outcome).toBe("done");
    await confirm();
    // Killed while dockerd is stopped, before the first file.
    host.on("iptables", "kill -9 $(ps -o ppid= -p $PPID) $PPID");
    const { outcome: result } = await restoreOriginal(connection, emptyPlan({ docker: { ...noDocker, how: "restart" } }), host.observation(), owner);
    expect(result).toBe("cut off");
    expect(host.exists("/running")).toBe(false);
    expect(recoveryUnits()).toEqual([true, true, true, true]);
    host.on("iptables", "");
  });

  const isRestored = (): void => {
    expect(host.list("/etc")).toEqual(["644 /etc/a: old"]);
    expect(host.exists("/running")).toBe(true);
    expect(host.exists("/armed")).toBe(false);
    expect(host.exists("/var/lib/drydock")).toBe(false);
  };

  it("is done by the timer, and nothing of ours stays", async () => {
    expect(await start("guard")).toMatch(/^the originals come back, which was cut off: stack drydock\/test [^]*every file is as it was before the first update\n$/);
    isRestored();
  });

  it("is done at boot: the files before anybody reads them, the rest after Docker", async () => {
    host.calls();
    await start("recover");
    expect(host.list("/etc").filter((line) => !line.includes("systemd"))).toEqual(["644 /etc/a: old"]);
    expect(host.calls().filter((call) => /^(docker|systemctl (start|stop))/.test(call))).toEqual([]);
    await start("settle");
    isRestored();
  });

  it("is done by whoever comes next, who is told and not served", async () => {
    host.remove("/armed");
    const { outcome: result, log } = await apply();
    expect(result).toBe("unfinished");
    expect(log).toContainEqual("every file is as it was before the first update");
    expect(host.list("/etc")).toEqual(["644 /etc/a: old"]);
  });
});

describe("health after dockerd was touched", () => {
  const restart = { ...noDocker, how: "restart" as const };
  const web = container("web", { id: "web", ports: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "1" }] } });
  /** Who listens leaves after the question before the change. */
  const listening = async (): Promise<Server> => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    server.once("connection", () => server.close());
    return server;
  };

  it("asks the ports of containers that were stopped for it, too", async () => {
    const { port } = (await listening()).address() as AddressInfo;
    const published = container("web", { id: "web", ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: String(port) }] } });
    const { outcome: result, log } = await applyPlan(connection, emptyPlan({ docker: { ...restart, stop: ["web"] }, writes: [write("/etc/a", "new")] }), host.observation({ containers: known([published]) }), owner);
    expect(result).toBe("went back");
    expect(log).toContain(`container web answered on 127.0.0.1:${port} before and does not now`);
  });

  it("does not take docker-proxy, which closes what nobody listens for, for somebody who answers", async () => {
    const proxy = await listening();
    proxy.removeAllListeners("connection").on("connection", (socket) => { socket.destroy(); proxy.close(); });
    const published = container("web", { id: "web", ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: String((proxy.address() as AddressInfo).port) }] } });
    const result = await applyPlan(connection, emptyPlan({ docker: restart, writes: [write("/etc/a", "new")] }), host.observation({ containers: known([published]) }), owner);
    expect(result.outcome, result.log.join("\n")).toBe("done");
    expect(proxy.listening).toBe(false);
  });

  it("does not take docker-proxy for it after the change, either", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    // Who listened behind it has gone: from the second question on.
    server.once("connection", () => server.on("connection", (socket) => socket.destroy()));
    const { port } = server.address() as AddressInfo;
    const published = container("web", { id: "web", ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: String(port) }] } });
    const { outcome: result, log } = await applyPlan(connection, emptyPlan({ docker: restart, writes: [write("/etc/a", "new")] }), host.observation({ containers: known([published]) }), owner);
    server.close();
    expect(log).toContain(`container web answered on 127.0.0.1:${port} before and does not now`);
    expect(result).toBe("went back");
  });

  it("does not ask for a port that did not answer before", async () => {
    const result = await applyPlan(connection, emptyPlan({ docker: restart, writes: [write("/etc/a", "new")] }), host.observation({ containers: known([web]) }), owner);
    expect(result.outcome, result.log.join("\n")).toBe("done");
  });

  it("goes back when a port answers no more", async () => {
    const server = await listening();
    const published = container("web", { id: "web", ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: String((server.address() as AddressInfo).port) }] } });
    const { outcome: result, log } = await applyPlan(connection, emptyPlan({ docker: restart, writes: [write("/etc/a", "new")] }), host.observation({ containers: known([published]) }), owner);
    expect(result).toBe("went back");
    expect(log).toContainEqual(expect.stringMatching(/^container web answered on 127\.0\.0\.1:\d+ before and does not now$/));
    expect(host.read("/etc/a")).toBe("old");
  });

  it("lets a job with a port end well meanwhile", async () => {
    const server = await listening();
    host.container("web", "false 0");
    const published = container("web", { id: "web", ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: String((server.address() as AddressInfo).port) }] } });
    const result = await applyPlan(connection, emptyPlan({ docker: restart, writes: [write("/etc/a", "new")] }), host.observation({ containers: known([published]) }), owner);
    expect(server.listening).toBe(false);
    expect(result.outcome, result.log.join("\n")).toBe("done");
  });

  it.each(["Restarting (1) 3 seconds ago", "Up 2 seconds"])("does not ask one that is %s, and may be gone at any moment", async (status) => {
    const server = await listening();
    host.on("docker", `case "$*" in "ps --no-trunc"*) echo "web web ${status}"; exit ;; esac\n${stubs.docker ?? ""}`);
    const published = container("web", { id: "web", ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: String((server.address() as AddressInfo).port) }] } });
    const result = await applyPlan(connection, emptyPlan({ docker: restart, writes: [write("/etc/a", "new")] }), host.observation({ containers: known([published]) }), owner);
    expect(result.outcome, result.log.join("\n")).toBe("done");
    expect(server.listening).toBe(true);
    server.close();
  });

  it("tries a container of its own, and leaves nothing of it", async () => {
    host.on("docker-init", "");
    host.calls();
    expect((await apply({ docker: restart })).outcome).toBe("done");
    expect(host.calls().filter((call) => call.includes("drydock-probe"))).toEqual([
      "docker import - drydock-probe:latest",
      expect.stringMatching(/^docker run --rm --name drydock-probe-\d+ drydock-probe:latest \/docker-init --version$/),
      "docker rmi -f drydock-probe:latest",
    ]);
  });

  it("goes back when a new container does not start", async () => {
    host.on("docker-init", "");
    host.touch("/no-new-containers");
    const { outcome: result, log } = await apply({ docker: restart, writes: [write("/etc/a", "new")] });
    expect(result).toBe("went back");
    expect(log).toContainEqual(expect.stringMatching(/^a new container does not start: no logger/));
    expect(host.calls()).toContainEqual(expect.stringMatching(/^docker rm -f drydock-probe-\d+$/));
    expect(host.read("/etc/a")).toBe("old");
  });
});
