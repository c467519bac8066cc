import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HostInputs, JsonObject } from "../../src/desired/host-inputs.ts";
import { classify, classifyHost, isChanged, type HostFindings } from "../../src/drift/classify.ts";
import type { HostEvents, HostState } from "../../src/drift/events.ts";
import { digestsOf } from "../../src/plan/places.ts";
import { findings, gathered } from "../support/drift.ts";

const done = { lastChange: { cost: ["nothing"], diff: "" }, pending: [] };
const inputs = (daemon: JsonObject, more: Partial<HostInputs> = {}): Partial<HostInputs> => ({ reachable: "yes", connection: { host: "192.0.2.1", port: 22 }, daemon, files: {}, ...more });
const state = (daemon: JsonObject, outputs: Partial<HostState["outputs"]> = {}, more: Partial<HostInputs> = {}): HostState => ({ inputs: inputs(daemon, more), outputs: { ...done, ...outputs } });

/** What was applied, what is stored, what is there, what is wished. */
function host({ applied, stored, found, wish }: Record<"applied" | "stored" | "found" | "wish", JsonObject>): HostEvents {
  const outputs = { applied: digestsOf(inputs(applied)) };
  return { name: "web1", before: state(stored, outputs), after: state(found, outputs), op: "update", wish: inputs(wish), said: [] };
}

const places = ({ drift, change }: HostFindings) => ({ drift: drift.map(({ place, from, to, lost }) => [place, lost ? "lost" : from, to]), change: change.map(({ place, from, to }) => [place, from, to]) });

describe("a place that is not as it was", () => {
  const a = { icc: "a" }, b = { icc: "b" }, c = { icc: "c" }, d = { icc: "d" };

  it.each([
    ["nothing differs", { applied: a, stored: a, found: a, wish: a }, [], []],
    ["somebody touched it", { applied: a, stored: a, found: b, wish: a }, [["daemon.icc", "a", "b"]], []],
    ["the stack file changed", { applied: a, stored: a, found: a, wish: b }, [], [["daemon.icc", "a", "b"]]],
    ["both", { applied: a, stored: a, found: b, wish: c }, [["daemon.icc", "a", "b"]], [["daemon.icc", "a", "c"]]],
    ["somebody did what the stack file now says", { applied: a, stored: a, found: b, wish: b }, [], []],
    ["somebody added it", { applied: {}, stored: {}, found: b, wish: {} }, [["daemon.icc", undefined, "b"]], []],
    ["somebody took it away", { applied: a, stored: a, found: {}, wish: a }, [["daemon.icc", "a", undefined]], []],
    ["a failed update stored what somebody did", { applied: a, stored: b, found: b, wish: a }, [["daemon.icc", "a", "b"]], []],
    ["the same, and somebody went on", { applied: a, stored: b, found: c, wish: a }, [["daemon.icc", "a", "c"]], []],
    ["the same, and somebody put it back", { applied: a, stored: b, found: a, wish: a }, [], []],
    ["a failed update stored an addition", { applied: {}, stored: b, found: b, wish: {} }, [["daemon.icc", undefined, "b"]], []],
    ["a failed update, and the stack file changed as well", { applied: a, stored: b, found: b, wish: d }, [["daemon.icc", "lost", "b"]], [["daemon.icc", "b", "d"]]],
    ["a failed update, the stack file changed, and somebody put it back", { applied: a, stored: b, found: a, wish: d }, [], [["daemon.icc", "a", "d"]]],
    ["the stack file took over what was there, and somebody touched it then", { applied: a, stored: b, found: c, wish: b }, [["daemon.icc", "b", "c"]], []],
  ])("when %s", (_, all, drift, change) => {
    expect(places(classifyHost(host(all)))).toEqual({ drift, change });
  });

  it("is change, and no drift, after an update that was left for the host's window", () => {
    const [a, b] = [{ icc: "a" }, { icc: "b" }];
    const events = host({ applied: a, stored: b, found: a, wish: b });
    events.before = state(b, { applied: digestsOf(inputs(a)), deferred: true }, { window: ["daily 01:00-02:00 UTC"] });
    events.after = state(a, { applied: digestsOf(inputs(a)), deferred: true }, { window: ["daily 01:00-02:00 UTC"] });
    events.wish = inputs(b, { window: ["daily 01:00-02:00 UTC"] });
    expect(places(classifyHost(events))).toEqual({ drift: [], change: [["daemon.icc", "a", "b"]] });
    events.after = state({ icc: "c" }, { applied: digestsOf(inputs(a)), deferred: true }, { window: ["daily 01:00-02:00 UTC"] });
    expect(places(classifyHost(events)).drift).toEqual([["daemon.icc", "lost", "c"]]);
  });

  it("is believed as it is stored when nothing says what was applied", () => {
    const events = host({ applied: {}, stored: a, found: b, wish: c });
    events.before = state(a);
    events.after = state(b);
    expect(places(classifyHost(events))).toEqual({ drift: [["daemon.icc", "a", "b"]], change: [["daemon.icc", "a", "c"]] });
  });

  it("is drift or change whenever found and wished differ, and neither when they are the same", () => {
    const value = fc.dictionary(fc.constantFrom("icc", "debug", "dns"), fc.constantFrom("a", "b", "c"));
    fc.assert(
      fc.property(fc.record({ applied: value, stored: value, found: value, wish: value }), (all) => {
        const { drift, change } = classifyHost(host(all));
        const differing = ["icc", "debug", "dns"].filter((key) => all.found[key] !== all.wish[key]).map((key) => `daemon.${key}`).sort();
        expect([...new Set([...drift, ...change].map(({ place }) => place))].sort()).toEqual(differing);
      }),
    );
  });
});

describe("a host", () => {
  it("that can't be read has no drift that anybody knows of, and may have change", () => {
    const unread: HostEvents = { ...host({ applied: { icc: "a" }, stored: { icc: "a" }, found: { icc: "a" }, wish: { icc: "b" } }), after: state({ icc: "a" }, {}, { reachable: "no: ops@192.0.2.1: timed out" }), said: [{ severity: "error", message: "web1: ops@192.0.2.1: no route" }] };
    expect(classifyHost(unread)).toMatchObject({ unread: "ops@192.0.2.1: timed out", drift: [], change: [{ place: "daemon.icc" }], errors: [] });
  });

  it("that the engine did not read is not known", () => {
    expect(classifyHost({ name: "web1", before: state({}), op: "same", wish: inputs({}), said: [] })).toMatchObject({ unread: "the engine did not read it", drift: [] });
  });

  it("that is new and can't be looked at is not known", () => {
    expect(classifyHost({ name: "web1", op: "create", wish: inputs({}), said: [{ severity: "error", message: "web1: ops@192.0.2.1: timed out" }] })).toMatchObject({ unread: "ops@192.0.2.1: timed out", isNew: true, errors: [] });
  });

  it("whose first update did not go through has change, and no drift", () => {
    const events = host({ applied: {}, stored: { icc: "a" }, found: { icc: "b" }, wish: { icc: "a" } });
    events.before = { inputs: inputs({ icc: "a" }), outputs: {} };
    events.after = state({ icc: "b" }, { lastChange: { cost: [], diff: "" } });
    const found = classifyHost(events);
    expect(places(found)).toEqual({ drift: [], change: [["daemon.icc", "b", "a"]] });
    expect(found).toMatchObject({ isNew: true, notes: ["its first update did not go through"] });
  });

  it("whose first update waits for its window has change, and no drift", () => {
    const events = host({ applied: {}, stored: { icc: "a" }, found: { icc: "b" }, wish: { icc: "a" } });
    events.before = state({ icc: "a" }, { applied: {}, deferred: true });
    events.after = state({ icc: "b" }, { applied: {}, deferred: true });
    const found = classifyHost(events);
    expect(places(found)).toEqual({ drift: [], change: [["daemon.icc", "b", "a"]] });
    expect(found).toMatchObject({ isNew: true, notes: ["its first update waits for its window"] });
  });

  it.each<[string, string[] | undefined, string[] | undefined]>([
    ["gets a window", undefined, ["daily 01:00-02:00 UTC"]],
    ["gets another window", ["daily 01:00-02:00 UTC"], ["daily 03:00-04:00 UTC"]],
    ["gives its window up", ["daily 01:00-02:00 UTC"], undefined],
  ])("that %s has change, and no drift, and nothing once that is stored", (_, was, wished) => {
    const at = (window: string[] | undefined) => (window ? { window } : {});
    const events = host({ applied: {}, stored: {}, found: {}, wish: {} });
    events.before = events.after = state({}, { applied: digestsOf(inputs({}, at(was))) }, at(was));
    events.wish = inputs({}, at(wished));
    expect(places(classifyHost(events))).toEqual({ drift: [], change: [["window", was, wished]] });
    events.before = events.after = state({}, { applied: digestsOf(inputs({}, at(was))), deferred: true }, at(wished));
    expect(places(classifyHost(events))).toEqual({ drift: [], change: [] });
  });

  it("that goes can have drift, and counts as change", () => {
    const events = { ...host({ applied: { icc: "a" }, stored: { icc: "a" }, found: { icc: "b" }, wish: {} }), op: "delete" };
    delete (events as Partial<HostEvents>).wish;
    const found = classifyHost(events);
    expect(places(found)).toEqual({ drift: [["daemon.icc", "a", "b"]], change: [] });
    expect(isChanged(found)).toBe(true);
  });

  it("that the engine would update for a reason we can't name counts as change", () => {
    expect(isChanged(classifyHost(host({ applied: {}, stored: {}, found: {}, wish: {} })))).toBe(true);
  });

  it("gives each reason of a refusal, and other errors apart", () => {
    const events = host({ applied: {}, stored: {}, found: {}, wish: {} });
    events.said = [
      { severity: "error", message: "web1: this would be refused:\n  - no disk\n  - no consent" },
      { severity: "error", message: "web1: the script ended with 3" },
    ];
    expect(classifyHost(events)).toMatchObject({ refused: ["no disk", "no consent"], errors: ["the script ended with 3"] });
  });

  it("that the provider warns of has that among its notes, but for what is said elsewhere", () => {
    const events = host({ applied: {}, stored: {}, found: {}, wish: {} });
    events.op = "same";
    events.said = [
      { severity: "warning", message: "web1: could not be checked: no room: df did not answer" },
      { severity: "warning", message: "web1: the last update was taken back by the host itself at 2026-11-23T12:00:00.000Z: nobody could log in" },
      { severity: "warning", message: "web1: pending: a reboot" },
      { severity: "warning", message: "web1: could not be read: timed out" },
    ];
    const found = classifyHost(events);
    expect(found.notes).toEqual(["could not be checked: no room: df did not answer", "the last update was taken back by the host itself at 2026-11-23T12:00:00.000Z: nobody could log in"]);
    expect(isChanged(found)).toBe(false);
  });

  it("that is another machine than it was says so", () => {
    const events = host({ applied: {}, stored: {}, found: {}, wish: {} });
    const facts = { starts: ["/usr/bin/dockerd"], dockerExecStart: "", missing: [] };
    events.before = state({}, {}, { host: facts });
    events.after = state({}, {}, { host: { ...facts, starts: ["/usr/sbin/dockerd"] } });
    expect(classifyHost(events).notes[0]).toBe('the host is not what it was, and what follows from it counts as change: host.starts: ["/usr/bin/dockerd"] => ["/usr/sbin/dockerd"]');
  });
});

describe("recorded streams", () => {
  it("tell drift and change of one host apart", () => {
    const first = findings("mixed").hosts.find(({ name }) => name === "light1");
    expect(first && places(first)).toEqual({
      drift: [["files./etc/systemd/system/docker.service.d/50-drydock.conf", expect.any(String), expect.stringContaining("LimitCORE")]],
      change: [["daemon.debug", undefined, true], ["inEffect.daemon.debug", false, true]],
    });
  });

  it("tell drift after an update that failed", () => {
    const [first] = findings("after-a-failed-update").hosts;
    expect(first && places(first)).toEqual({ drift: [["files./etc/systemd/system/docker.service.d/50-drydock.conf", expect.not.stringContaining("LimitCORE"), expect.stringContaining("LimitCORE")]], change: [] });
  });

  it("tell a new host's first update and its cost, a refusal, and hosts that go", () => {
    const { hosts } = findings("refused-and-removed");
    expect(hosts.map(({ name, isNew, goes, refused, unread }) => [name, isNew, goes, refused.length, unread !== undefined])).toEqual([
      ["light1", false, true, 0, false],
      ["light2", false, false, 0, true],
      ["light3", false, true, 0, false],
      ["light4", true, false, 1, false],
    ]);
    expect(hosts[3]?.outlook).toMatch(/^--- .*\n\+\+\+ .*\n@@/);
    expect(hosts[3]?.notes).toEqual([expect.stringContaining("what the update costs there:")]);
  });

  it("still tell drift when the program has failed", () => {
    const { hosts, problems } = findings("mistake-in-the-stack-file");
    expect(problems).toEqual([expect.stringContaining("hosts.light3.daemon.debug")]);
    // What was applied nobody knows here: an update had failed before, and there is no wish to compare with.
    expect(hosts[0] && places(hosts[0])).toEqual({ drift: [["files./etc/systemd/system/docker.service.d/50-drydock.conf", "lost", expect.stringContaining("LimitCORE")]], change: [] });
    expect(hosts[1]?.unread).toBeDefined();
  });
});

describe("an engine that failed", () => {
  const nothing = { hosts: new Map(), others: [], said: [], stray: [] };

  it.each([
    ["what it printed", { exitCode: 6, stderr: "error: no stack named 'x'\n" }, ["error: no stack named 'x'"]],
    ["its exit code", { exitCode: 255, stderr: "" }, ["the engine ended with exit code 255 before it was through"]],
    ["its exit code, even 0, when the stream broke off", { exitCode: 0, stderr: "" }, ["the engine ended with exit code 0 before it was through"]],
  ])("is a problem, with %s", (_, ended, problems) => {
    expect(classify(nothing, ended).problems).toEqual(problems);
  });

  it("is a problem when it ends with another code after a whole stream", () => {
    expect(classify(gathered("after-a-failed-update"), { exitCode: 1, stderr: "" }).problems).toEqual(["the engine ended with exit code 1"]);
  });
});
