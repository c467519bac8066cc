import { describe, expect, it } from "vitest";
import { chooseFromFile, chooseFromHistory, wasApplied, type Choice } from "../../src/rollback/choose-hosts.ts";
import { checkpointOf, historyOf, type Left, type LeftHost } from "../support/history.ts";

const at = (value: string, more: Partial<LeftHost> = {}): LeftHost => ({ args: { daemon: { "log-level": value } }, ...more });
const seen = (value: string): LeftHost => at(value, { asApplied: false });
const waiting = (value: string): LeftHost => at(value, { asApplied: false, deferred: true });
const failed = { succeeded: false };

async function choose(left: Left[], number: number, current: Left["hosts"], only: string[] = []): Promise<Choice> {
  const history = historyOf(...left);
  const update = history.updates[number - 1];
  if (!update) throw new Error(`no update ${number}`);
  return await chooseFromHistory(history, update, { current: checkpointOf(current), only });
}

const told = ({ taken, left }: Choice) => ({ taken: taken.map(({ name, args, update }) => [name, args.daemon["log-level"], update?.number]), left: left.map(({ name, why }) => `${name} ${why}`) });

describe("of each host a rollback takes", () => {
  it.each<[string, Left[], [string, number]]>([
    ["what the update applied", [{ hosts: { web1: at("info") } }, { hosts: { web1: at("warn") } }], ["warn", 2]],
    ["what a failed update applied there all the same", [{ hosts: { web1: at("info") } }, { update: failed, hosts: { web1: at("warn") } }], ["warn", 2]],
    ["what was applied before, where a failed update saw something else", [{ hosts: { web1: at("info") } }, { update: failed, hosts: { web1: seen("tampered") } }], ["info", 1]],
    ["what was applied before a refresh saw something else", [{ hosts: { web1: at("info") } }, { update: { kind: "refresh" }, hosts: { web1: seen("tampered") } }], ["info", 1]],
    ["what was applied before an update for other hosts", [{ hosts: { web1: at("info") } }, { update: { partial: true }, hosts: { web1: seen("tampered") } }], ["info", 1]],
    // Somebody mended it by hand, or took it over into the stack file: the update found nothing to do, and the state has kept its word.
    ["what an update that succeeded found to be right", [{ hosts: { web1: at("info") } }, { hosts: { web1: seen("warn") } }], ["warn", 2]],
    ["what was applied before an update that ended half-way", [{ hosts: { web1: at("info") } }, { update: failed, hosts: { web1: at("warn", { initErrors: ["x"] }) } }], ["info", 1]],
    ["what was applied before one that was cut off", [{ hosts: { web1: at("info") } }, { update: failed, hosts: { web1: at("warn", { pending: true }) } }], ["info", 1]],
    ["what was applied before an update that was left for its window", [{ hosts: { web1: at("info") } }, { hosts: { web1: waiting("warn") } }], ["info", 1]],
    ["the same, where a refresh has been there since", [{ hosts: { web1: at("info") } }, { hosts: { web1: waiting("warn") } }, { update: { kind: "refresh" }, hosts: { web1: waiting("info") } }], ["info", 1]],
    ["what went through in the window", [{ hosts: { web1: at("info") } }, { hosts: { web1: waiting("warn") } }, { hosts: { web1: at("warn") } }], ["warn", 3]],
    ["what was applied over a time in which it was away", [{ hosts: { web1: at("info") } }, { hosts: {} }, { update: failed, hosts: { web1: seen("warn") } }], ["info", 1]],
  ])("%s", async (_, left, [value, number]) => {
    expect(told(await choose(left, left.length, { web1: at("now") }))).toEqual({ taken: [["web1", value, number]], left: [] });
  });
});

describe("hosts that a rollback leaves", () => {
  const left: Left[] = [{ hosts: { web1: at("info"), web2: at("info") } }, { update: failed, hosts: { web1: at("warn"), web2: at("warn"), web3: seen("x") } }];

  it("are told, each with its reason", async () => {
    expect(told(await choose(left, 2, { web1: at("now"), web3: at("now"), web4: at("now") }))).toEqual({
      taken: [["web1", "warn", 2]],
      left: ["web2 has left the stack since; --host web2 takes it up again", "web3 is left as it is: no update up to 2 is known to have applied it", "web4 has come since, and is left as it is"],
    });
  });

  it("are not told when others are named", async () => {
    expect(told(await choose(left, 1, { web1: at("now"), web3: at("now") }, ["web1"]))).toEqual({ taken: [["web1", "info", 1]], left: [] });
  });

  it("are taken up again when they are named", async () => {
    const { taken } = await choose(left, 1, {}, ["web2"]);
    expect(taken).toMatchObject([{ name: "web2", isNew: true, args: { daemon: { "log-level": "info" } } }]);
  });

  it("and can't be named are all reported at once", async () => {
    await expect(choose(left, 2, { web4: at("now") }, ["web3", "web4", "wb1", "db"])).rejects.toThrow(
      ["--host web4: was not there yet in update 2", '--host wb1: is no host of update 2; did you mean "web1"?', "--host db: is no host of update 2; it has web1, web2, web3", "--host web3: no update up to 2 is known to have applied it"].join("\n"),
    );
  });
});

describe("what is taken", () => {
  const connection = (host: string) => ({ connection: { host, port: 22 } });

  it("is reached where the host is now", async () => {
    const { taken } = await choose([{ hosts: { web1: at("info", { args: connection("192.0.2.1") }) } }], 1, { web1: at("now", { args: connection("192.0.2.2") }) });
    expect(taken.map(({ args }) => args.connection.host)).toEqual(["192.0.2.2"]);
  });

  it.each(["absent", "root:root 0777 (a symbolic link)"])("is reached where the host is now, where %s was found there", async (mode) => {
    const now = at("now", { args: { ...connection("192.0.2.2"), modes: { "/etc/docker/daemon.json": mode } } });
    const { taken } = await choose([{ hosts: { web1: at("info", { args: connection("192.0.2.1") }) } }], 1, { web1: now });
    expect(taken.map(({ args }) => args.connection.host)).toEqual(["192.0.2.2"]);
  });

  it("of a host that is taken up again is reached where it was", async () => {
    const { taken } = await choose([{ hosts: { web1: at("info", { args: connection("192.0.2.1") }) } }], 1, {}, ["web1"]);
    expect(taken.map(({ args }) => args.connection.host)).toEqual(["192.0.2.1"]);
  });

  it("names what this version has no place for", async () => {
    const { taken } = await choose([{ hosts: { web1: { inputs: { connection: { host: "a", port: 22 }, daemon: {}, files: {}, firewall: { in: "drop" } } } } }], 1, { web1: at("now") });
    expect(taken).toMatchObject([{ args: { modes: {} }, leftOut: ["firewall is recorded, and this version of Drydock does not know it"] }]);
  });

  it("is refused where it is no host's inputs, and nothing is taken then", async () => {
    const left = [{ hosts: { web1: at("info"), web2: { inputs: { connection: { host: "a", port: 22 }, files: { etc: "x" } } } } }];
    await expect(choose(left, 1, { web1: at("now"), web2: at("now") })).rejects.toThrow(
      ["web2: what update 1 recorded can't be taken: daemon: is not there", "web2: what update 1 recorded can't be taken: files.etc: is not a path", "To go back without them, name the others with --host."].join("\n"),
    );
  });
});

describe("of a file", () => {
  it("is taken only what it says itself was applied", async () => {
    const choice = await chooseFromFile(checkpointOf({ web1: at("info"), web2: seen("tampered"), web3: waiting("warn") }), "old.json", { current: checkpointOf({ web1: at("now"), web2: at("now"), web3: at("now") }), only: [] });
    expect(told(choice)).toEqual({ taken: [["web1", "info", undefined]], left: ["web2", "web3"].map((name) => `${name} is left as it is: the file has what was seen on it, which is not what an update applied`) });
  });
});

it.each([
  ["destroy", true, false, false, false],
  ["refresh", true, false, false, false],
  ["update", true, false, false, true],
  ["update", true, true, false, false],
  ["update", false, false, false, false],
  ["update", true, false, true, false],
])("a state that says nothing itself counts as applied after %s (succeeded: %s, for some: %s, left for its window: %s): %s", (kind, succeeded, partial, deferred, expected) => {
  const update = { number: 1, kind, started: new Date(), message: "", dirty: false, succeeded, partial };
  expect(wasApplied({ name: "web1", urn: "", inputs: {}, asApplied: false, deferred, unfinished: false }, update)).toBe(expected);
});
