/** What the program registers, in which order, against the SDK's own mocks of an engine. */

import { setTimeout as sleep } from "node:timers/promises";
import { MockMonitor, setMocks, type MockResourceArgs } from "@pulumi/pulumi/runtime/mocks.js";
import { beforeEach, describe, expect, it, vi, type MockInstance } from "vitest";
import { readFleet } from "../../src/config/fleet.ts";
import { commandsOf } from "../../src/program/commands.ts";
import { renderFleet } from "../../src/program/declared-hosts.ts";
import { registerHosts } from "../../src/program/register-hosts.ts";
import { CustomResource, output, type CustomResourceOptions } from "../../src/sdk.ts";
import { quote } from "../../src/remote/shell.ts";
import { runSh } from "../support/shell.ts";

/** `begin NAME` and `end NAME`, in order. */
let events: string[];
let made: Map<string, MockResourceArgs>;
let failing: string[];
let announced: unknown[];
let requests: MockInstance<(request: { getName: () => string; getDependenciesList: () => string[] }) => Promise<void>>;

beforeEach(async () => {
  events = [];
  made = new Map();
  announced = [];
  failing = [];
  requests = vi.spyOn(MockMonitor.prototype, "registerResource");
  vi.stubEnv("SSH_AUTH_SOCK", "/run/agent");
  await setMocks({
    call: ({ token, inputs }) => {
      announced.push({ token, ...(inputs as object) });
      return {};
    },
    newResource: async (args) => {
      events.push(`begin ${args.name}`);
      made.set(args.name, args);
      await sleep(5);
      events.push(`end ${args.name}`);
      if (failing.includes(args.name)) throw new Error("it failed");
      return { id: args.name, state: { ...(args.inputs as object), ...(args.type === "drydock:index:Host" ? { generation: 7 } : {}) } };
    },
  }, "drydock", "test");
});

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBl0LuLnjpC1oeOfnhMGaqX+S1shj5PCH9P5WaimjC0l";
/** What @pulumi/command adds by itself. */
const theirs = { dialErrorLimit: 10 };
const connection = { host: "192.0.2.10", user: "ops", hostKey };

function fleetOf(hosts: Record<string, object>, others: Record<string, unknown> = {}) {
  const withConnection = Object.entries(hosts).map(([name, own], i) => [name, { connection: { ...connection, port: 1000 + i }, ...own }]);
  return readFleet({ ...others, hosts: Object.fromEntries(withConnection) as Record<string, unknown> });
}

/** Registers all of it, and waits until nothing happens any more. */
async function register(hosts: Record<string, object>, others: Record<string, unknown> = {}, options: CustomResourceOptions = {}) {
  const fleet = fleetOf(hosts, others);
  const registered = registerHosts(renderFleet(fleet), { ...options, ...(fleet.rollout && { rollout: fleet.rollout }), commands: commandsOf(fleet.hosts) });
  for (let before = -1; before !== events.length; await sleep(60)) before = events.length;
  return registered;
}

const dependenciesOf = (name: string): string[] | undefined => requests.mock.calls.findLast(([request]) => request.getName() === name)?.[0].getDependenciesList();

/** Something of the caller's. */
class Machine extends CustomResource {}

const at = (event: string): number => {
  expect(events).toContain(event);
  return events.indexOf(event);
};

describe("what the provider is told beforehand", () => {
  const to = (host: string, port: number): unknown => ({ host, connection: { ...connection, port } });

  it("are the hosts that are registered at once, with their connections", async () => {
    await register({ web1: {}, web2: {} });
    expect(announced).toEqual([{ token: "drydock:index:announce", hosts: [to("web1", 1000), to("web2", 1001)] }]);
  });

  it("are those of a wave", async () => {
    await register({ db1: {}, db2: {}, web1: { groups: ["web"] }, web2: { groups: ["web"] } }, { groups: { web: {} }, rollout: { waves: [["web"]] } });
    expect(announced).toEqual([{ token: "drydock:index:announce", hosts: [to("web1", 1002), to("web2", 1003)] }, { token: "drydock:index:announce", hosts: [to("db1", 1000), to("db2", 1001)] }]);
  });

  it("is nothing where there is only one", async () => {
    await register({ web1: {} });
    expect(announced).toEqual([]);
  });
});

describe("waves", () => {
  const web = { groups: ["web"] };
  const others = { groups: { web: {} }, rollout: { waves: [["web1"], ["web"]], maxParallel: 10, maxFailures: 1 } };

  it("start when all hosts of the one before are done, and each knows its limits", async () => {
    const registered = await register({ db1: {}, web2: web, web1: web, web3: web }, others);
    const [first, second, last] = [at("end web1"), [at("begin web2"), at("begin web3")], at("begin db1")];
    expect(first).toBeLessThan(Math.min(...second));
    expect(Math.max(at("end web2"), at("end web3"))).toBeLessThan(last);
    // The two of one wave at once.
    expect(Math.max(...second)).toBeLessThan(Math.min(at("end web2"), at("end web3")));
    const rolloutOf = (name: string): unknown => (made.get(name)?.inputs as { rollout?: unknown }).rollout;
    expect([rolloutOf("web1"), rolloutOf("web3"), rolloutOf("db1")]).toEqual([1, 2, 3].map((wave) => ({ wave, maxParallel: 10, maxFailures: 1, ...(wave < 3 ? { followed: true } : {}) })));
    expect([...registered.keys()]).toEqual(["db1", "web2", "web1", "web3"]);
  });

  it.each([
    ["a resource", (machine: CustomResource) => machine],
    ["a list", (machine: CustomResource) => [machine]],
    ["an output", (machine: CustomResource) => output([machine])],
    ["a promise", (machine: CustomResource) => Promise.resolve([machine])],
  ])("leave in every wave what the caller depends on: %s", async (_, dependsOn) => {
    const machine = new Machine("test:index:Machine", "machine");
    await register({ web1: { groups: ["web"], prepare: "true", gate: "true" }, db1: { prepare: "true" } }, { groups: { web: {} }, rollout: { waves: [["web"]] } }, { dependsOn: dependsOn(machine) });
    for (const name of ["web1-prepare", "web1", "web1-gate", "db1-prepare", "db1"]) expect([name, dependenciesOf(name)]).toEqual([name, expect.arrayContaining([expect.stringMatching(/::machine$/)])]);
  });

  it("are none without a rollout: all hosts at once, and none is told of it", async () => {
    await register({ web1: {}, web2: {} });
    expect(events.slice(0, 2).sort()).toEqual(["begin web1", "begin web2"]);
    expect(made.get("web1")?.inputs).not.toHaveProperty("rollout");
  });
});

describe("prepare and gate", () => {
  const prepare = "apt-get install -y auditd";
  const gate = "curl -fsS localhost:8080/\necho 'it is up'";

  it("run before and after their host, and the next wave waits for the gate", async () => {
    await register({ web1: { prepare, gate }, web2: { prepare }, web3: {} }, { rollout: { waves: [["web1"], ["web2"]] } });
    const order = ["begin web1-prepare", "end web1-prepare", "begin web1", "end web1", "begin web1-gate", "end web1-gate", "begin web2-prepare", "end web2-prepare", "begin web2", "end web2", "begin web3"];
    expect(events.filter((event) => order.includes(event))).toEqual(order);
    expect(made.get("web1-gate")?.type).toBe("command:remote:Command");
  });

  it("log in as the host's connection says, with an agent: no key and no socket gets into the state", async () => {
    const proxy = { host: "bastion.example", user: "jump", hostKey };
    await register({ web1: { gate, connection: { ...connection, identityFile: "~/.ssh/id_ed25519", connectTimeout: 5, proxy } } });
    expect(inputOf("web1-gate", "connection")).toEqual({
      host: "192.0.2.10", port: 22, user: "ops", hostKey, perDialTimeout: 5, proxy: { ...proxy, port: 22, ...theirs, perDialTimeout: 15 }, ...theirs,
    });
  });

  it("carry their text over stdin, as a secret, and never on a command line", async () => {
    await register({ web1: { prepare, gate } });
    expect(inputOf("web1-gate", "stdin")).toBe(`{\n${gate}\n} </dev/null\n`);
    for (const name of ["web1-prepare", "web1-gate"]) {
      const { stdin, ...rest } = made.get(name)?.inputs as Record<string, unknown>;
      expect(stdin).toHaveProperty("4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270");
      expect(JSON.stringify(rest)).not.toMatch(/apt-get|curl/);
    }
  });

  it("run again when their text changes, the gate also after each change of its host", async () => {
    await register({ web1: { prepare, gate } });
    expect(inputOf("web1-prepare", "triggers")).toEqual([]);
    expect(inputOf("web1-gate", "triggers")).toEqual([7]);
  });

  it("are refused without an agent, all hosts in one message", () => {
    vi.stubEnv("SSH_AUTH_SOCK", "");
    expect(() => commandsOf(fleetOf({ web1: { prepare }, web2: {}, web3: { gate } }).hosts)).toThrow(/^prepare and gate \(web1, web3\) need an SSH agent, and SSH_AUTH_SOCK names none: /);
    expect(commandsOf(fleetOf({ web2: {} }).hosts).size).toBe(0);
  });

  it("in a preview without an agent are only warned of: drift is looked for in jobs that have none", async () => {
    await setMocks({ call: () => ({}), newResource: ({ name }) => ({ id: name, state: {} }) }, "drydock", "test", true);
    vi.stubEnv("SSH_AUTH_SOCK", "");
    const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    expect([...commandsOf(fleetOf({ web1: { gate } }).hosts).keys()]).toEqual(["web1"]);
    await vi.waitFor(() => expect(warned.mock.calls.join()).toMatch(/prepare and gate \(web1\) need an SSH agent/));
  });

  function inputOf(name: string, key: string): unknown {
    const value = (made.get(name)?.inputs as Record<string, unknown>)[key] as { value?: unknown };
    // As the SDK sends a secret.
    return typeof value === "object" && "4dabf18193072939515e22adb298388d" in value ? value.value : value;
  }

  it("are run by a shell that stops at the first failure, gives its commands no stdin, and runs nothing of half a script", async () => {
    const run = async (text: string): Promise<string> => {
      await register({ web1: { gate: text } });
      return runSh(`printf %s ${quote(inputOf("web1-gate", "stdin") as string)} | sh -es`).toString();
    };
    expect(await run("cat\necho read # on")).toBe("read\n");
    await expect(run("false\necho on")).rejects.toThrow();
    await expect(run("if true; then echo half")).rejects.toThrow();
  });
});

it("does not touch a host whose prepare failed", async () => {
  failing = ["web1-prepare"];
  await register({ web1: { prepare: "false" }, web2: {} });
  expect(events).toEqual(expect.arrayContaining(["end web1-prepare", "end web2"]));
  expect(at("end web1-prepare")).toBeLessThan(at("begin web1"));
  // By it the engine leaves the host out.
  expect(dependenciesOf("web1")).toEqual([expect.stringMatching(/::command:remote:Command::web1-prepare$/)]);
  expect(dependenciesOf("web2")).toEqual([]);
});

it("does not touch the wave after one whose gate failed", async () => {
  failing = ["web1-gate"];
  await register({ web1: { gate: "false" }, web2: {}, web3: {} }, { rollout: { waves: [["web1", "web2"]] } });
  expect(at("end web1-gate")).toBeLessThan(at("begin web3"));
  // By it the engine leaves the host out.
  expect(dependenciesOf("web3")).toContainEqual(expect.stringMatching(/::command:remote:Command::web1-gate$/));
  expect(dependenciesOf("web2")).toEqual([]);
});

it("registers who depends on a failed host, which the engine then leaves out, and leaves no rejection behind, which would end the program", async () => {
  const rejections: unknown[] = [];
  const note = (reason: unknown): void => void rejections.push(reason);
  process.on("unhandledRejection", note);
  failing = ["web1"];
  await register({ web1: { gate: "true" }, web2: {}, web3: {} }, { rollout: { waves: [["web1", "web2"]] } });
  process.off("unhandledRejection", note);
  expect(rejections.map(String)).toEqual([]);
  expect(events).toEqual(expect.arrayContaining(["end web1", "end web2", "begin web1-gate", "begin web3"]));
  expect(at("end web1")).toBeLessThan(at("begin web1-gate"));
  expect(at("end web1-gate")).toBeLessThan(at("begin web3"));
});
