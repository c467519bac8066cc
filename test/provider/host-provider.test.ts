import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { HostArgs, HostInputs } from "../../src/desired/host-inputs.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { mountUnit, mountUnitFile } from "../../src/desired/volumes.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { look } from "../../src/provider/look.ts";
import { volumesThatStay } from "../../src/provider/release.ts";
import { HostProvider, ownerOf } from "../../src/provider/host-provider.ts";
import { RemoteScriptError, UnreachableError } from "../../src/remote/ssh.ts";
import { FakeHost } from "../support/fake-host.ts";
import { container, defaultHost, info, withDaemonJson } from "../support/observation.ts";
import { declaredVolume, hostWith, moved, volume } from "../support/volumes.ts";
import { digestsOf } from "../../src/plan/places.ts";
import { daemonWish, declared, wishFor } from "../support/wish.ts";

const urn = "urn:pulumi:test::drydock::drydock:index:Host::web1";
const owner = { stack: "drydock/test", host: "web1" };
const provider = new HostProvider();

let host: FakeHost;
let logged: string[];
beforeEach(() => {
  host = new FakeHost();
  logged = [];
});

vi.mock("../../src/remote/observe.ts", () => ({ observe: () => host.observe() }));
// Nobody waits a minute in a unit test.
const mistakes = vi.hoisted((): string[] => []);
vi.mock("../../src/remote/limits.ts", () => ({ mistakes, seconds: { confirm: 0.05, guard: 0.01, daemon: 0.01, betweenTries: 0.01, observe: 1, apply: 1 } }));
vi.mock("../../src/remote/confirmation.ts", () => ({ confirmChange: () => host.confirmChange(), rejectChange: (...args: Parameters<FakeHost["rejectChange"]>) => host.rejectChange(...args) }));
vi.mock("../../src/remote/apply.ts", () => ({
  applyPlan: (...args: Parameters<FakeHost["applyPlan"]>) => host.applyPlan(...args),
  restoreOriginal: (...args: Parameters<FakeHost["restoreOriginal"]>) => host.restoreOriginal(...args),
  removeOldData: () => host.removeOldData(),
  writeOwner: (...args: Parameters<FakeHost["writeOwner"]>) => host.writeOwner(...args),
  forgetOwner: () => host.forgetOwner(),
}));
vi.mock("../../src/sdk.ts", () => {
  const log = (level: string) => async (message: string, resource: undefined | { urn: { promise: () => Promise<string> } }, _stream: number, ephemeral: boolean) => {
    const at = (await resource?.urn.promise()) ?? "";
    logged.push(ephemeral ? `for the moment, at ${at.split("::").at(-1) ?? ""}: ${message}` : `${level}: ${message}`);
  };
  return { log: { info: log("info"), warn: log("warn"), error: log("error") } };
});

/** What the engine gets; the SDK types it as `any`. */
type Answer = Partial<Record<"id" | "inputs" | "props" | "outs", unknown>> & { failures?: unknown[] };

let machines = 0;
/** A machine of its own each time, or what one test saw would be used again by the next. */
const args = (change: Partial<HostArgs> = {}): HostArgs => declared({ daemon: { icc: true }, connection: { host: `192.0.2.${++machines}`, port: 22 }, ...change });
const right = (change: Partial<Observation> = {}): Observation => withDaemonJson({ icc: true }, { owner, ...change });
const unreachable = new UnreachableError("ops@192.0.2.10: connect to host 192.0.2.10 port 22: Connection refused");

describe("a mistake in the variables of the environment", () => {
  afterEach(() => void mistakes.splice(0));

  it("is told with the others, and no host is looked at", async () => {
    mistakes.push('DRYDOCK_TIME_FACTOR is "fast": allowed is a number above 0', 'DRYDOCK_SETTLE_SECONDS is "-1": allowed is a number from 0 on');
    await expect(new HostProvider().check(urn, undefined, args())).rejects.toThrow(mistakes.join("\n"));
    expect(logged).toEqual([]);
  });
});

describe("whose a resource is", () => {
  it.each([
    [urn, owner],
    ["urn:pulumi:prod::my-project::drydock:index:Host::web::1", { stack: "my-project/prod", host: "web::1" }],
    ["urn:pulumi:prod::p::parent$drydock:index:Host::web1", { stack: "p/prod", host: "web1" }],
  ])("%s", (name, expected) => {
    expect(ownerOf(name)).toEqual(expected);
  });
});

describe("check", () => {
  it("of a new host looks at it, and logs the change and its cost", async () => {
    const { inputs } = (await provider.check(urn, undefined, args())) as Answer;
    expect(host.deeds).toEqual(["observe"]);
    expect(inputs).toMatchObject({ reachable: "yes", daemon: { icc: true }, inEffect: { services: { "docker.service": "active" } } });
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatch(/^info: web1: first update, this is what would change there\n[^]*\+ {2}"icc": true\n[^]*\nCost: dockerd restarts \(icc\)$/);
  });

  it("of one that is right already says so", async () => {
    host.views = [right()];
    await provider.check(urn, undefined, args());
    expect(logged).toEqual(["info: web1: already in the wished state; nothing would be touched"]);
  });

  it("of one that would be refused says why, and lets the other hosts be checked", async () => {
    host.views = [defaultHost({ owner: { stack: "drydock/other", host: "web9" } })];
    const { failures } = (await provider.check(urn, undefined, args())) as Answer;
    expect(failures ?? []).toEqual([]);
    expect(logged[1]).toMatch(/^error: web1: this would be refused: this machine is kept by stack drydock\/other as host web9; /);
  });

  it("of one where another update is under way says so", async () => {
    host.views = [right({ underWay: ["stack drydock/other", "since 2026-11-24T09:00:00.000Z"] })];
    await provider.check(urn, undefined, args());
    expect(logged[1]).toBe("error: web1: this would be refused: another apply is running there, or waits for its confirmation (stack drydock/other, since 2026-11-24T09:00:00.000Z)");
  });

  it("of one that can't be reached says so, and does not throw", async () => {
    host.views = [unreachable];
    const { inputs } = (await provider.check(urn, undefined, args())) as Answer;
    expect(logged).toEqual([`error: web1: ${unreachable.message}`]);
    expect(inputs).toMatchObject({ daemon: { icc: true } });
  });

  it("of a known host that stays as it is does not look again: read has", async () => {
    const wished = args();
    const olds = wishFor(wished);
    const { inputs } = (await provider.check(urn, olds, wished)) as Answer;
    expect(host.deeds).toEqual([]);
    expect(logged).toEqual([]);
    expect(inputs).toMatchObject({ daemon: { icc: true }, host: olds.host });
  });

  it("of a known host that would change says what that costs, and not the change, which the engine shows itself", async () => {
    const wished = args();
    const { inputs } = (await provider.check(urn, wishFor(wished), { ...wished, daemon: { icc: false } })) as Answer;
    expect(host.deeds).toEqual(["observe"]);
    expect(logged).toEqual(["info: web1: what the update costs there: dockerd restarts (icc)"]);
    expect(inputs).toMatchObject({ daemon: { icc: false }, inEffect: { daemon: { icc: false } } });
  });

  it("of a host that can't tell something says so, and refuses nothing for it", async () => {
    const wished = args();
    host.views = [right({ needs: {} })];
    await provider.check(urn, wishFor(wished), { ...wished, daemon: { icc: false } });
    expect(logged.slice(1)).toEqual(["warn: web1: could not be checked: whether iptables is installed (it was not asked for)"]);
  });

  it("of a known host that would be refused says why", async () => {
    const wished = args();
    host.views = [right({ containers: known([container("web")]) })];
    await provider.check(urn, wishFor(wished), { ...wished, daemon: { icc: false } });
    expect(logged.at(-1)).toMatch(/^error: web1: this would be refused: restarting dockerd without live-restore stops web; /);
  });

  it("of a known host that would change and can't be reached says so, and keeps what is known of it", async () => {
    const wished = args();
    const olds = wishFor(wished);
    host.views = [unreachable];
    const { inputs } = (await provider.check(urn, olds, { ...wished, daemon: { icc: false } })) as Answer;
    expect(logged).toEqual([`error: web1: ${unreachable.message}`]);
    expect(inputs).toMatchObject({ daemon: { icc: false }, host: olds.host });
  });

  it("waits with a host of which parts are not known yet", async () => {
    const wished = args({ connection: { host: "04da6b54-80e4-46f7-96ec-b56ff0331ba9", port: 22 } });
    expect(await provider.check(urn, undefined, wished)).toEqual({ inputs: wished });
    expect(host.deeds).toEqual([]);
    expect(logged).toEqual(["info: web1: parts of it are known only after other resources are made; it is looked at then"]);
  });

  it("of a known host whose address will be another one keeps what is known, so that only the address shows", async () => {
    const wished = args();
    const olds = wishFor(wished);
    const connection = { host: "04da6b54-80e4-46f7-96ec-b56ff0331ba9", port: 22 };
    const { inputs } = (await provider.check(urn, olds, { ...wished, connection })) as Answer;
    expect(inputs).toEqual(JSON.parse(JSON.stringify({ ...olds, connection })));
    expect(host.deeds).toEqual([]);
  });

  it("of a host whose address has become something that is none does not connect, and neither does the update", async () => {
    const wished = args({ connection: { host: "-oProxyCommand=id", port: 22 } });
    const text = 'web1: connection.host: "-oProxyCommand=id" is not allowed; allowed: a host name, an IP address or an alias of ssh_config';
    await provider.check(urn, undefined, wished);
    expect(logged).toEqual([`error: ${text}`]);
    await expect(provider.create(urn, wishFor(wished))).rejects.toThrow(text);
    expect(host.deeds).toEqual([]);
  });
});

describe("diff", () => {
  const state = { ...daemonWish({ icc: true }), engine: "20.10", pending: [] };

  it.each<[string, Partial<HostInputs>, boolean]>([
    ["nothing", {}, false],
    ["a key", { daemon: { icc: false } }, true],
    ["a file", { files: { "/etc/x": "x" } }, true],
    ["a mode", { modes: { "/etc/x": "root:root 0644" } }, true],
    ["what is in effect", { inEffect: { ...state.inEffect, configuration: "daemon.json was changed after dockerd started" } }, true],
    ["the connection", { connection: { host: "192.0.2.11", port: 22 } }, true],
    ["consent", { allow: ["hide-containers"] }, true],
    ["a host that can't be reached", { reachable: "no: x" }, true],
    // Only what follows from them for the files is a change.
    ["when it is its turn", { rollout: { wave: 2, maxFailures: 1 } }, false],
    ["facts of the host", { host: { starts: ["/usr/bin/dockerd"], dockerExecStart: "x", missing: [] } }, false],
  ])("of %s", async (_, change, changes) => {
    const news = { ...daemonWish({ icc: true }), ...change };
    expect(await provider.diff("web1", urn, state, news)).toMatchObject({ changes });
    // A replacement would delete the host first: one host is one machine.
    expect((await provider.diff("web1", urn, state, news)).replaces ?? []).toEqual([]);
  });

  it("does not mind what the engine leaves out: undefined", async () => {
    const news = { ...daemonWish({ icc: true }), connection: { ...state.connection, user: undefined } };
    expect(await provider.diff("web1", urn, state, news)).toMatchObject({ changes: false });
  });
});

const takenBack = { generation: "0001", result: "went back" as const, at: 1_700_000_000, why: "nobody confirmed it" };

describe("create", () => {
  const create = (wish: HostArgs = args()): ReturnType<HostProvider["create"]> => provider.create(urn, wishFor(wish));
  const failure = async (wish?: HostArgs): Promise<Error & { id?: string; properties?: unknown; reasons?: string[] }> =>
    create(wish).then(
      () => Promise.reject(new Error("it did not fail")),
      (error: unknown) => error as Error,
    );

  it("applies what differs, reads it back, and says what it did", async () => {
    host.views = [defaultHost(), right()];
    const wished = args();
    const { id, outs } = (await create(wished)) as Answer;
    expect(id).toBe("web1");
    expect(host.deeds).toEqual(["observe", "apply", "observe", "confirm"]);
    expect(outs).toMatchObject({ engine: "20.10.24+dfsg1", pending: [], foreignDaemonKeys: [], daemon: { icc: true }, lastChange: { cost: ["dockerd restarts (icc)"] }, asApplied: true });
    expect((outs as { applied?: unknown }).applied).toEqual(digestsOf(wishFor(wished)));
  });

  it("takes a change for made that was confirmed, though the answer was lost", async () => {
    const confirmed = right({ outcome: { ...takenBack, result: "confirmed", why: "-" } });
    host.views = [defaultHost(), right(), confirmed];
    host.confirmation = unreachable;
    const { outs } = (await create()) as Answer;
    expect(outs).toMatchObject({ daemon: { icc: true }, asApplied: true });
  });

  it("takes a host that is right as it is, and touches nothing", async () => {
    host.views = [right({ owner: undefined })];
    await create();
    expect(host.deeds).toEqual(["observe", "write owner drydock/test web1"]);
    expect(logged).toEqual(["info: web1: already in the wished state; nothing was touched"]);
  });

  it("does not even write the owner of its own host", async () => {
    host.views = [right()];
    await create();
    expect(host.deeds).toEqual(["observe"]);
  });

  it("warns of what waits", async () => {
    host.views = [withDaemonJson({ "log-driver": "syslog" }, { owner, containers: known([container("web", { logDriver: "json-file" })]), info: info({ LoggingDriver: "syslog" }) })];
    await create(args({ daemon: { "log-driver": "syslog" } }));
    expect(logged).toContain("warn: web1: pending: container web keeps log-driver json-file until it is made again");
  });

  it.each<[string, FakeHost["result"], string]>([
    ["busy", { outcome: "busy", log: ["stack a", "host b"] }, "web1: another apply is running there, or waits for its confirmation (stack a, host b); nothing was touched, try again when it has ended"],
    ["refused there", { outcome: "refused", log: ["refused: changed by somebody else since it was read: /etc/docker/daemon.json"] }, "web1: refused, nothing was touched: changed by somebody else since it was read: /etc/docker/daemon.json"],
    [
      "taken back",
      { outcome: "went back", log: ["installing /etc/docker/daemon.json", "restarting dockerd", "dockerd does not start: no", "failed; going back to the state of before", "restarting dockerd with the old configuration", "the state of before is back"] },
      "web1: the change failed, and the state of before was restored and read back: dockerd does not start: no",
    ],
  ])("that is %s leaves no state with the engine", async (_, result, text) => {
    host.result = result;
    const error = await failure();
    expect(error.message).toBe(text);
    expect(error.id).toBeUndefined();
  });

  it.each<[string, (fake: FakeHost) => void]>([
    ["before the new connection came", (fake) => (fake.views = [defaultHost(), defaultHost({ outcome: takenBack })])],
    ["since no new connection could be opened", (fake) => (fake.views = [defaultHost(), ...Array.from({ length: 7 }, () => unreachable), defaultHost({ outcome: takenBack })])],
    ["when it was given longer than dockerd's start, since it answered", (fake) => (fake.views = [defaultHost(), ...Array.from({ length: 12 }, () => defaultHost()), defaultHost({ outcome: takenBack })])],
    ["since it was cut off there", (fake) => { fake.result = { outcome: "cut off", log: ["installing /etc/a"] }; fake.views = [defaultHost(), defaultHost({ outcome: takenBack })]; }],
  ])("that the host took back by itself, %s, leaves no state with the engine", async (_, prepare) => {
    prepare(host);
    const error = await failure();
    expect(error.message).toMatch(/^web1: the host took the change back by itself \(nobody confirmed it\), and has the state of before/);
    expect(error.id).toBeUndefined();
  });

  it.each([["reaches it", undefined], ["does not reach it", unreachable]])("that did not take effect is rejected at once, by the names of what is not there, and the host's reason is told where that %s", async (_, confirmation) => {
    host.confirmation = confirmation;
    host.views = [defaultHost(), right({ bridgeNetfilter: true, iptables: known(["-P FORWARD DROP"]) }), defaultHost({ outcome: { ...takenBack, why: "dockerd ended within 21 s of its start" } })];
    const error = await failure();
    expect(host.deeds).toEqual(["observe", "apply", "observe", "reject: not in effect after it: inEffect.daemon.icc", "observe"]);
    expect(error.message).toMatch(/^web1: the host took the change back by itself \(dockerd ended within 21 s of its start\), and has the state of before; it was read back\n {2}because: this was not in effect after it: inEffect\.daemon\.icc: false => true$/);
    expect(error.id).toBeUndefined();
  });

  it("that another one has followed before it was confirmed takes neither its end nor its confirmation for its own", async () => {
    host.views = [defaultHost(), right({ outcome: { ...takenBack, result: "confirmed", why: "-", since: "2026-11-24T09:00:00.000Z" } })];
    const error = await failure();
    expect(error.message).toBe("web1: the change was not confirmed, and another one, begun 2026-11-24T09:00:00.000Z, was made there after it; run this one again");
    expect(host.deeds).toEqual(["observe", "apply", "observe"]);
  });

  it("that takes long shows at its host what it is at, for how long, and that it waits for its turn", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
    let goOn: () => void = () => undefined;
    host.hold = new Promise((resolve) => (goOn = resolve));
    host.lines = ["restarting dockerd"];
    host.views = [defaultHost(), right()];
    const rollout = { wave: 1, maxParallel: 1, maxFailures: 0 };
    const together = new HostProvider();
    const first = together.create(urn, { ...wishFor(args()), rollout });
    await vi.waitFor(() => expect(host.deeds).toContain("apply"));
    const second = together.create(urn.replace("web1", "web2"), { ...wishFor(args()), rollout }).catch(() => undefined);
    vi.advanceTimersByTime(4000);
    await vi.waitFor(() => expect(logged).toEqual(expect.arrayContaining(["for the moment, at web1: restarting dockerd, 4 s", "for the moment, at web2: waiting for its turn"])));
    vi.useRealTimers();
    goOn();
    await first;
    await second;
  });

  it("that is refused by the preflight does not get to the host", async () => {
    host.views = [defaultHost({ init: "sh" })];
    expect((await failure()).message).toBe("web1: refused, nothing was touched: process 1 is sh, not systemd; Drydock serves hosts that systemd runs; if this is a container, connect to the machine around it, else take this host out of the stack file");
    expect(host.deeds).toEqual(["observe"]);
  });

  it("of a host that is right, but only as long as another update waits there for its confirmation, says so", async () => {
    host.views = [right({ underWay: ["stack drydock/other", "since 2026-11-24T09:00:00.000Z"] })];
    expect((await failure()).message).toBe("web1: another apply is running there, or waits for its confirmation (stack drydock/other, since 2026-11-24T09:00:00.000Z); nothing was touched, try again when it has ended");
    expect(host.deeds).toEqual(["observe"]);
  });

  it("of a host that can't be reached leaves no state", async () => {
    host.views = [unreachable];
    const error = await failure();
    expect(error.message).toBe(`web1: ${unreachable.message}`);
    expect(error.id).toBeUndefined();
  });

  it.each<[string, (fake: FakeHost) => void, RegExp]>([
    ["was broken half-way", (fake) => (fake.result = { outcome: "broken", log: ["installing /etc/a", "dockerd does not start: no"] }), /^web1: the change failed, and the state of before could not be restored; the originals are in \/var\/lib\/drydock:\n {2}- installing \/etc\/a\n {2}- dockerd does not start: no$/],
    ["lost its link", (fake) => (fake.result = new RemoteScriptError("applying on ops@192.0.2.10 did not end within 900 s")), /^web1: the link failed while the change was sent or made; if the host had begun, it goes on .*\n {2}because: applying on ops@192\.0\.2\.10 did not end within 900 s$/],
    ["could not be confirmed", (fake) => (fake.views = [defaultHost(), unreachable]), /^web1: the change could not be confirmed; the host takes it back by itself after .* s, and whether it did could not be seen from here\n {2}because: ops@192\.0\.2\.10: connect to host/],
    ["could be neither confirmed nor taken back", (fake) => ((fake.confirmation = unreachable), (fake.views = [defaultHost(), right(), unreachable, defaultHost({ outcome: { ...takenBack, result: "broken" } })])), /^web1: the change could not be confirmed, and the host could not take it back; the originals are in \/var\/lib\/drydock\n {2}because: /],
    ["was found broken by the first look after it", (fake) => (fake.views = [defaultHost(), defaultHost({ outcome: { ...takenBack, result: "broken" } })]), /^web1: the change could not be confirmed, and the host could not take it back; the originals are in \/var\/lib\/drydock$/],
    ["did not take effect", (fake) => (fake.views = [defaultHost(), right({ bridgeNetfilter: true, iptables: known(["-P FORWARD DROP"]) })]), /^web1: the change could not be confirmed; the host takes it back .*\n {2}because: this was not in effect after it: inEffect\.daemon\.icc: false => true$/],
  ])("that %s keeps its state, so that destroy finds the host", async (_, prepare, text) => {
    prepare(host);
    const error = await failure();
    expect(error.message).toMatch(text);
    expect(error.id).toBe("web1");
    expect(error.properties).toMatchObject({ daemon: { icc: true } });
    // The engine shows these and not the message.
    expect(error.reasons).toEqual([error.message]);
  });

  it("is not told in passing that something is wrong with us", async () => {
    host.views = [new TypeError("x is undefined")];
    expect((await failure()).message).toMatch(/^web1: TypeError: x is undefined\n\s+at /);
  });
});

describe("update", () => {
  it("converges in the same way", async () => {
    host.views = [defaultHost({ owner }), right()];
    const { outs } = (await provider.update("web1", urn, daemonWish({ icc: true }), wishFor(args()))) as Answer;
    expect(host.deeds).toEqual(["observe", "apply", "observe", "confirm"]);
    expect(outs).toMatchObject({ daemon: { icc: true } });
  });

  it("says why it failed", async () => {
    host.views = [unreachable];
    await expect(provider.update("web1", urn, daemonWish({}), wishFor(args()))).rejects.toThrow(`web1: ${unreachable.message}`);
  });
});

describe("read", () => {
  it("returns what the host is in the shape of the wish for it", async () => {
    host.views = [right()];
    const wish = wishFor(args(), right());
    const { inputs, props } = (await provider.read("web1", urn, wish)) as Answer;
    expect(inputs).toEqual(wish);
    expect(props).toMatchObject({ engine: "20.10.24+dfsg1", daemon: { icc: true } });
  });

  it("shows drift", async () => {
    host.views = [withDaemonJson({ "icc": false, "seccomp-profile": "unconfined" })];
    expect((await provider.read("web1", urn, wishFor(args()))).inputs).toMatchObject({ daemon: { "icc": false, "seccomp-profile": "unconfined" } });
  });

  it("says when what it has read may be taken back", async () => {
    host.views = [right({ underWay: ["stack drydock/other"] })];
    await provider.read("web1", urn, wishFor(args(), right()));
    expect(logged).toEqual(["warn: web1: another apply is running there, or waits for its confirmation (stack drydock/other): what is there now may be taken back"]);
  });

  it("of a host that can't be reached returns what was known last and why, and never throws", async () => {
    host.views = [unreachable];
    const state = wishFor(args());
    const { inputs, props } = (await provider.read("web1", urn, { ...state, engine: "20.10" })) as Answer;
    expect(inputs).toEqual({ ...state, reachable: `no: ${unreachable.message}` });
    expect(props).toMatchObject({ engine: "20.10", reachable: `no: ${unreachable.message}` });
    expect(logged).toEqual([`warn: web1: could not be read: ${unreachable.message}`]);
  });

  it.each<[string, Observation | UnreachableError, boolean | undefined, boolean | undefined]>([
    ["is as it was applied", right(), true, true],
    ["has drifted", withDaemonJson({ icc: false }), true, false],
    ["had drifted before, and has not changed since", right(), false, false],
    ["can't be reached", unreachable, true, true],
    ["was applied by a version that did not say", right(), undefined, undefined],
  ])("of a host that %s says whether the inputs are what was applied", async (_, view, before, expected) => {
    host.views = [view];
    const state = { ...wishFor(args()), ...(before === undefined ? {} : { asApplied: before }) };
    const { props } = (await provider.read("web1", urn, state)) as { props: { asApplied?: boolean } };
    expect(props.asApplied).toBe(expected);
  });

  it("keeps the last change and what was applied, which only an update can tell", async () => {
    host.views = [right()];
    const lastChange = { cost: ["a"], diff: "b" };
    const applied = { "daemon.icc": "0123456789ab" };
    expect((await provider.read("web1", urn, { ...wishFor(args()), lastChange, applied })).props).toMatchObject({ lastChange, applied });
  });
});

const day = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/** Opens in three days for an hour: never while this runs. */
const closed = [`${day[(new Date().getUTCDay() + 2) % 7] ?? ""} 02:00-03:00 UTC`];
const open = ["daily 00:00-24:00 UTC"];
const waits = /its window \(\w{3} 02:00-03:00 UTC\), which opens at [\dT:-]+Z/.source;

describe("outside the window of a host", () => {
  it("a preview says that nothing is done now", async () => {
    await provider.check(urn, undefined, args({ window: closed }));
    expect(logged[0]).toMatch(new RegExp(`\nCost:\n {2}- nothing now: it waits for ${waits}; then:\n {2}- dockerd restarts \\(icc\\)$`));
  });

  it("create touches nothing, and leaves what was seen", async () => {
    const { id, outs } = (await provider.create(urn, wishFor(args({ window: closed })))) as Answer;
    expect(id).toBe("web1");
    expect(host.deeds).toEqual(["observe"]);
    expect(outs).toMatchObject({ daemon: {}, window: closed, asApplied: false, deferred: true, applied: {}, lastChange: { cost: ["nothing"] }, pending: [expect.stringMatching(`^an update waits for ${waits}$`)] });
    expect(logged).toEqual([expect.stringMatching(`^info: web1: nothing was touched, since this update waits for ${waits}: dockerd restarts \\(icc\\)$`), expect.stringMatching(`^warn: web1: pending: an update waits for ${waits}$`)]);
  });

  it("update touches nothing, keeps what the last one did, and the next one in the window goes through", async () => {
    const before = { lastChange: { cost: ["a"], diff: "b" }, applied: { "daemon.icc": "0123456789ab" } };
    const wished = wishFor(args({ window: closed }));
    host.views = [defaultHost({ owner })];
    const { outs } = (await provider.update("web1", urn, { ...daemonWish({}), ...before }, wished)) as Answer;
    expect(host.deeds).toEqual(["observe"]);
    expect(outs).toMatchObject({ ...before, daemon: {}, asApplied: false, deferred: true });
    // The engine finds the difference again.
    expect(await provider.diff("web1", urn, outs as HostInputs, wished)).toMatchObject({ changes: true });

    const now = wishFor(args({ window: open }));
    host.views = [defaultHost({ owner }), right()];
    const done = (await provider.update("web1", urn, outs as HostInputs, now)) as Answer;
    expect(host.deeds).toEqual(["observe", "observe", "apply", "observe", "confirm"]);
    expect(done.outs).toMatchObject({ daemon: { icc: true }, asApplied: true, lastChange: { cost: ["dockerd restarts (icc)"] } });
    expect(done.outs).not.toHaveProperty("deferred");
  });

  it.each([
    ["keeps", true],
    ["does not make up", undefined],
  ])("read %s that an update was left for later", async (_, deferred) => {
    host.views = [defaultHost({ owner })];
    const { props } = (await provider.read("web1", urn, { ...wishFor(args()), ...(deferred ? { deferred, asApplied: false } : {}) })) as { props: { deferred?: true } };
    expect(props.deferred).toBe(deferred);
  });

  it("what disturbs nobody goes through", async () => {
    host.views = [right()];
    const { outs } = (await provider.create(urn, wishFor(args({ window: closed })))) as Answer;
    expect(outs).toMatchObject({ asApplied: true });
    expect(outs).not.toHaveProperty("deferred");
  });

  it("a host that later waves wait for does not count as done, nor as failed", async () => {
    const own = new HostProvider();
    const rollout = { wave: 1, maxFailures: 0, followed: true as const };
    const [first, second] = [wishFor(args({ window: closed, rollout })), wishFor(args({ window: closed, rollout: { wave: 1, maxFailures: 0 } }))];
    await own.check(urn, undefined, first);
    await own.check(urn.replace(/web1$/, "web2"), undefined, second);
    await expect(own.create(urn, first)).rejects.toThrow(new RegExp(`^web1: nothing was touched, since this update waits for ${waits}; later waves wait for it: dockerd restarts \\(icc\\)$`));
    // The same wave goes on; nothing waits for the last one.
    expect(await own.create(urn.replace(/web1$/, "web2"), second)).toMatchObject({ outs: { deferred: true } });
    expect(host.deeds).not.toContain("apply");
    logged = [];
    await own.cancel();
    expect(logged).toEqual(["info: hosts: 2 left for later, 1 pending\n  left for later: web1, web2\n  pending: web2"]);
  });
});

describe("a rollout", () => {
  const rollout = { wave: 1, maxFailures: 0 };

  it("is returned by read as it was, reachable or not: it is no drift", async () => {
    host.views = [right(), unreachable];
    const state = { ...wishFor(args()), rollout };
    expect((await provider.read("web1", urn, state)).inputs).toMatchObject({ rollout });
    expect((await provider.read("web1", urn, { ...state, connection: args().connection })).inputs).toMatchObject({ rollout });
  });

  it("refuses a host untouched after too many failures, and the end of the update tells them apart", async () => {
    const own = new HostProvider();
    const urnOf = (name: string) => urn.replace(/web1$/, name);
    const wishes = new Map(["web1", "web2", "web3", "web4"].map((name) => [name, wishFor(args({ rollout }))]));
    for (const [name, wish] of wishes) {
      host.views = [right({ owner: { ...owner, host: name } })];
      await own.check(urnOf(name), name === "web4" ? wish : undefined, wish);
      if (name === "web4") await own.diff(name, urnOf(name), { ...wish, pending: ["container app keeps log-driver json-file"] }, wish);
    }
    await own.create(urnOf("web1"), wishes.get("web1") as HostInputs);
    host.views = [unreachable];
    await expect(own.create(urnOf("web2"), { ...(wishes.get("web2") as HostInputs), connection: args().connection })).rejects.toThrow("web2: ops@192.0.2.10: ");
    const before = host.deeds.length;
    await expect(own.create(urnOf("web3"), wishes.get("web3") as HostInputs)).rejects.toThrow(/^web3: refused, nothing was touched: web2 of wave 1 failed, /);
    expect(host.deeds).toHaveLength(before);
    logged = [];
    await own.cancel();
    expect(logged).toEqual(["info: hosts: 2 unchanged, 1 unreachable, 1 refused, 1 pending\n  unchanged: web1, web4\n  unreachable: web2\n  refused: web3\n  pending: web4"]);
  });

  it("of a process that only reads ends without a word", async () => {
    host.views = [right()];
    const own = new HostProvider();
    await own.read("web1", urn, wishFor(args()));
    logged = [];
    await own.cancel();
    expect(logged).toEqual([]);
  });
});

it("tells which generation the host has, so that a gate runs again after each change", async () => {
  host.views = [defaultHost({ owner }), right({ applied: { generation: "0007" } })];
  expect(((await provider.update("web1", urn, daemonWish({ icc: true }), wishFor(args()))) as Answer).outs).toMatchObject({ generation: 7 });
  host.views = [right({ applied: {} })];
  expect(((await provider.read("web1", urn, wishFor(args()))) as Answer).props).toMatchObject({ generation: 0 });
});

describe("delete", () => {
  const remove = (allow: HostArgs["allow"] = []): Promise<void> => provider.delete("web1", urn, wishFor(args({ allow })));

  it.each<[string, Observation["owner"], string]>([
    ["another stack", { stack: "drydock/other", host: "web1" }, "warn: web1: nothing was done, since the machine is kept by stack drydock/other as host web1"],
    ["another name", { stack: "drydock/test", host: "web9" }, "warn: web1: nothing was done, since the machine is kept by stack drydock/test as host web9"],
    ["nobody", undefined, "warn: web1: nothing was done, since the machine is not kept by Drydock"],
  ])("of a machine of %s does nothing and says so", async (_, holder, text) => {
    host.views = [right({ owner: holder })];
    await remove(["restore-original"]);
    expect(host.deeds).toEqual(["observe"]);
    expect(logged).toEqual([text]);
  });

  it("without consent leaves the hardening and gives the host up", async () => {
    host.views = [right()];
    await remove();
    expect(host.deeds).toEqual(["observe", "forget owner"]);
    expect(logged[0]).toMatch(/^warn: web1: keeps its hardening and is kept by no stack now; /);
  });

  it("with consent restores, and repeats what the host said of it", async () => {
    host.views = [right({ containers: known([container("web")]) })];
    host.result = { outcome: "done", log: ["starting dockerd", "every file is as it was before the first update"] };
    await remove(["restore-original"]);
    expect(host.deeds).toEqual(["observe", "restore"]);
    expect(host.plan?.docker).toMatchObject({ how: "restart", stop: [container("web").id] });
    expect(logged).toEqual(["info: web1: every file is as it was before the first update"]);
  });

  describe("outside the window that the last update has seen", () => {
    const restore = (window: string[], change: Partial<Observation> = {}, allow: HostArgs["allow"] = ["restore-original"]): Promise<void> => {
      host.views = [right(change)];
      return provider.delete("web1", urn, wishFor(args({ allow, window })));
    };

    it("does not restore, since that stops containers, and says when it may and how all the same", async () => {
      const refused = new RegExp(`^web1: refused, nothing was touched: restoring the originals restarts dockerd and stops web, db, and that waits for ${waits}; run this again then, or, to have it now, declare the host in the stack file with window: null, run pulumi up, which makes what else waits there as well, and run this again$`);
      await expect(restore(closed, { containers: known([container("web"), container("db")]) })).rejects.toThrow(refused);
      expect(host.deeds).toEqual(["observe"]);
    });

    it("does not restore where nothing runs either: dockerd restarts", async () => {
      await expect(restore(closed)).rejects.toThrow(/: restoring the originals restarts dockerd, and that waits for its window /);
      expect(host.deeds).toEqual(["observe"]);
    });

    it("says first what has to be mended before the window opens", async () => {
      await expect(restore(closed, { containers: unknown("docker.service is inactive") })).rejects.toThrow("dockerd can't be asked which containers run");
    });

    it("restores once it is open", async () => {
      await restore(open);
      expect(host.deeds).toEqual(["observe", "restore"]);
    });

    it("gives the host up without consent, which disturbs nobody", async () => {
      await restore(closed, {}, []);
      expect(host.deeds).toEqual(["observe", "forget owner"]);
    });

    it("a window that is taken out of the stack file goes by an update that finds nothing else to do", async () => {
      host.views = [right()];
      const { outs } = (await provider.update("web1", urn, wishFor(args({ window: closed })), wishFor(args()))) as Answer;
      expect(host.deeds).toEqual(["observe"]);
      expect(outs).not.toHaveProperty("window");
    });

    it("the end of an update tells it apart from a failure", async () => {
      const own = new HostProvider();
      await own.check(urn.replace(/web1$/, "web2"), undefined, args());
      host.views = [right()];
      await own.delete("web1", urn, wishFor(args({ allow: ["restore-original"], window: closed }))).catch(() => undefined);
      logged = [];
      await own.cancel();
      expect(logged).toEqual(["info: hosts: 1 left for later, 1 not started\n  left for later: web1\n  not started: web2"]);
    });
  });

  it("tells what did not come back with the rest", async () => {
    host.views = [right()];
    host.result = { outcome: "done", log: ["stopping dockerd", "container web does not start again", "every file is as it was before the first update"] };
    await remove(["restore-original"]);
    expect(logged).toEqual(["info: web1: every file is as it was before the first update, but container web does not start again"]);
  });

  it.each<[string, Partial<Observation>]>([
    ["is stopped", { info: unknown("docker.service is inactive"), containers: unknown("docker.service is inactive") }],
    ["does not list them", { containers: unknown("docker.service is inactive") }],
  ])("does not restore while dockerd %s: it could not stop containers in order", async (_, change) => {
    host.views = [right(change)];
    await expect(remove(["restore-original"])).rejects.toThrow("web1: dockerd can't be asked which containers run (docker.service is inactive), so they can't be stopped in order; nothing was touched; start it first: systemctl start docker");
    expect(host.deeds).toEqual(["observe"]);
  });

  it("does not restore while a container has a profile of ours: it could not start again", async () => {
    host.views = [right({ containers: known([container("app", { running: false, securityOpt: ["apparmor=drydock-web"] })]) })];
    const state = wishFor(args({ allow: ["restore-original"], files: { "/etc/apparmor.d/drydock-web": "" } }));
    await expect(provider.delete("web1", urn, state)).rejects.toThrow(
      "web1: refused, nothing was touched: profile drydock-web goes with the originals, and container app has it and could not start again; make that again without --security-opt apparmor=drydock-web first",
    );
    expect(host.deeds).toEqual(["observe"]);
  });

  it.each<[FakeHost["result"], RegExp]>([
    [{ outcome: "refused", log: ["kept by somebody else meanwhile: stack a, host b"] }, /^web1: refused, nothing was touched: kept by somebody else meanwhile: stack a, host b$/],
    [{ outcome: "busy", log: ["stack a"] }, /^web1: another apply is running there, or waits for its confirmation \(stack a\); nothing was touched, try again when it has ended$/],
    [{ outcome: "broken", log: ["dockerd does not start: no"] }, /^web1: the original state could not be restored; the originals are in \/var\/lib\/drydock\/pristine: dockerd does not start: no$/],
  ])("that fails says so without a stack: %j", async (result, text) => {
    host.views = [right()];
    host.result = result;
    const error: unknown = await remove(["restore-original"]).catch((caught: unknown) => caught);
    expect((error as Error).message).toMatch(text);
    expect((error as Error).stack).toBe("");
  });
});

describe("a host with a volume", () => {
  const oldData: Observation["oldData"] = [{ name: "docker", bytes: 2 ** 30, where: "aside" }];
  const withVolume = (change: Partial<HostArgs> = {}): HostArgs => declaredVolume("ext4", { connection: { host: `192.0.2.${++machines}`, port: 22 }, ...change });
  const update = (wished: HostArgs): Promise<unknown> => provider.update("web1", urn, wishFor(wished), wishFor(wished));

  it("is shown what the move does, line by line, while it goes on", async () => {
    host.views = [hostWith({}, { owner }), moved({ owner })];
    host.lines = ["copying /var/lib/docker to /dev/disk/by-id/virtio-data while Docker runs", "copied 1 of about 2 MiB"];
    await update(withVolume());
    expect(host.deeds).toEqual(["observe", "apply", "observe", "confirm"]);
    expect(logged.slice(0, 2)).toEqual(host.lines.map((line) => `info: web1: ${line}`));
  });

  it("keeps its old data without consent, and says what waits", async () => {
    host.views = [hostWith({}, { owner }), moved({ owner, oldData })];
    await update(withVolume());
    expect(host.deeds).toEqual(["observe", "apply", "observe", "confirm"]);
    expect(logged.at(-1)).toMatch(/^warn: web1: pending: the data from before the move \(docker: 1\.0 GiB\) are kept in /);
  });

  it("has its old data removed after the new state is confirmed", async () => {
    host.views = [hostWith({}, { owner }), moved({ owner, oldData }), moved({ owner })];
    await update(withVolume({ allow: ["remove-old-data"] }));
    expect(host.deeds).toEqual(["observe", "apply", "observe", "confirm", "remove old data", "observe"]);
    expect(logged).toContain("info: web1: the old data of before (docker: 1.0 GiB) are removed");
  });

  it("keeps its old data when the new state can't be confirmed", async () => {
    host.views = [hostWith({}, { owner }), moved({ owner, oldData }, { options: ["rw"] })];
    await expect(update(withVolume({ allow: ["remove-old-data"] }))).rejects.toThrow(/^web1: the change could not be confirmed/);
    expect(host.deeds).toEqual(["observe", "apply", "observe", "reject: not in effect after it: inEffect.mounts./var/lib/docker", ...host.deeds.slice(4).map(() => "observe")]);
  });

  it("says so when its old data can't be removed, and keeps its state", async () => {
    host.views = [hostWith({}, { owner }), moved({ owner, oldData })];
    host.removal = { outcome: "broken", log: ["rm: cannot remove x: Input/output error"] };
    await expect(update(withVolume({ allow: ["remove-old-data"] }))).rejects.toThrow("web1: the change was made, but the old data of before (docker: 1.0 GiB) could not be removed: rm: cannot remove x: Input/output error");
  });

  it("does not ask for a removal where a move has left nothing", async () => {
    host.views = [hostWith({}, { owner }), moved({ owner })];
    await update(withVolume({ allow: ["remove-old-data"] }));
    expect(host.deeds).not.toContain("remove old data");
  });

  it("that is right is not touched, nor told of what stays", async () => {
    host.views = [moved({ owner })];
    await update(withVolume());
    expect(logged).toEqual(["info: web1: already in the wished state; nothing was touched"]);
  });

  const stays = "; /var/lib/docker stays on its own filesystem, which Drydock never unmounts or formats; the data from before the move stay in /var/lib/drydock/old-data";

  it("that declares it no more is told what stays", async () => {
    host.views = [moved({ owner, oldData })];
    await update(args({ daemon: {} }));
    expect(logged[0]).toBe(`info: web1: already in the wished state; nothing was touched${stays}`);
  });

  it("that is restored is told what stays", async () => {
    host.views = [moved({ owner, oldData })];
    host.result = { outcome: "done", log: ["every file is as it was before the first update"] };
    await provider.delete("web1", urn, wishFor(withVolume({ allow: ["restore-original"] })));
    expect(logged).toEqual([`info: web1: every file is as it was before the first update${stays}`]);
  });

  it("is looked at again where what was seen a moment ago is of another disk", async () => {
    host.views = [moved({ owner })];
    const wished = withVolume();
    await look(wished);
    await look(wished, { reuse: true });
    expect(host.deeds).toEqual(["observe"]);
    await look({ ...wished, volumes: { "/var/lib/docker": { ...volume(), device: "/dev/vg0/docker" } } }, { reuse: true });
    await look(args({ connection: wished.connection }), { reuse: true });
    expect(host.deeds).toEqual(["observe", "observe", "observe"]);
  });
});

describe("what stays of volumes", () => {
  const active = (...mountPoints: string[]): Observation => defaultHost({ units: Object.fromEntries(mountPoints.map((mountPoint) => [mountUnit(mountPoint), { ActiveState: "active", FragmentPath: mountUnitFile(mountPoint) }])) });
  it.each<[Observation, string]>([
    [defaultHost(), ""],
    // By dockerd, which binds its folder onto itself, or by the user's fstab.
    [defaultHost({ units: { "var-lib-docker.mount": { ActiveState: "active", FragmentPath: "" }, "var-lib-containerd.mount": { ActiveState: "active", FragmentPath: "/run/systemd/generator/var-lib-containerd.mount" } } }), ""],
    [active("/var/lib/containerd"), "; /var/lib/containerd stays on its own filesystem, which Drydock never unmounts or formats"],
    [active("/var/lib/docker", "/var/lib/containerd"), "; /var/lib/docker and /var/lib/containerd stay on their own filesystems, which Drydock never unmounts or formats"],
  ])("is said: case %#", (observation, text) => {
    expect(volumesThatStay(observation)).toBe(text);
  });

  it("leaves out what is declared still", () => {
    const declared = { "/var/lib/docker": volume() };
    expect(volumesThatStay(active("/var/lib/docker"), declared)).toBe("");
    expect(volumesThatStay(active("/var/lib/docker", "/var/lib/containerd"), declared)).toBe("; /var/lib/containerd stays on its own filesystem, which Drydock never unmounts or formats");
  });

  it("is said after a change as well, where it was taken out together with something else", async () => {
    const units = { ...defaultHost().units, ...active("/var/lib/docker").units };
    host.views = [defaultHost({ owner, units }), right({ units })];
    await provider.update("web1", urn, wishFor(args()), wishFor(args()));
    expect(logged.join("\n")).toContain("web1: done on the host; /var/lib/docker stays on its own filesystem, which Drydock never unmounts or formats");
  });
});
