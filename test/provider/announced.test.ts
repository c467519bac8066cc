import { beforeEach, expect, it, vi } from "vitest";
import type { HostArgs } from "../../src/desired/host-inputs.ts";
import type { Connection } from "../../src/config/connection.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { HostProvider } from "../../src/provider/host-provider.ts";
import { UnreachableError } from "../../src/remote/ssh.ts";
import { announceToken } from "../../src/urn.ts";
import { defaultHost } from "../support/observation.ts";
import { declared } from "../support/wish.ts";

let looks: string[];
let logged: string[];
let answer: (host: string) => Promise<Observation>;
vi.mock("../../src/remote/observe.ts", () => ({
  observe: ({ host }: Connection) => {
    looks.push(host);
    return answer(host);
  },
}));
vi.mock("../../src/sdk.ts", () => {
  const log = (message: string) => (logged.push(message), Promise.resolve());
  return { log: { info: log, warn: log, error: log } };
});

let provider: HostProvider;
let names: string[];
let machines = 0;
beforeEach(() => {
  looks = [];
  logged = [];
  answer = () => Promise.resolve(defaultHost());
  provider = new HostProvider();
  // Machines of its own each time, or what one test saw would be used again by the next.
  names = Array.from({ length: 8 }, () => `host${++machines}`);
});

const argsOf = (name: string, change: Partial<HostArgs> = {}): HostArgs => declared({ daemon: { icc: true }, connection: { host: name, port: 22 }, ...change });
const announce = (hosts: string[]): Promise<unknown> => provider.invoke(announceToken, { hosts: hosts.map((host) => ({ host, connection: { host, port: 22 } })) });
const check = (name: string, change: Partial<HostArgs> = {}): Promise<unknown> => provider.check(`urn:pulumi:test::drydock::drydock:index:Host::${name}`, undefined, argsOf(name, change));

it("hosts that were announced are looked at along with the one that is asked about, more of them each time, and each once", async () => {
  await announce(names);
  await check(names[0] ?? "");
  expect(looks).toEqual(names.slice(0, 2));
  await check(names[1] ?? "");
  expect(looks).toEqual(names.slice(0, 4));
  for (const name of names.slice(2)) await check(name);
  expect(looks).toEqual(names);
});

it("goes on while the first one does not answer", async () => {
  await announce(names);
  answer = () => new Promise(() => undefined);
  void check(names[0] ?? "");
  await vi.waitFor(() => expect(looks).toEqual(names.slice(0, 2)));
});

it("who is asked about before its turn is not looked at once more", async () => {
  await announce(names);
  await check(names[1] ?? "");
  await check(names[0] ?? "");
  expect(looks.filter((name) => name === names[1])).toHaveLength(1);
});

it("a host of another wave is not taken along", async () => {
  await announce(names.slice(0, 1));
  await announce(names.slice(1));
  await check(names[0] ?? "");
  expect(looks).toEqual(names.slice(0, 1));
});

it("one that needs another look, since other files are wished there, gets it", async () => {
  await announce(names);
  await check(names[0] ?? "");
  await check(names[1] ?? "", { files: { "/etc/audit/rules.d/50-drydock.rules": "-w /a -p wa -k docker\n" } });
  expect(looks.filter((name) => name === names[1])).toHaveLength(2);
});

it("one that can't be reached is tried anew when it is asked about, and then told as such; and by its update", async () => {
  await announce(names);
  const [first = "", second = ""] = names;
  answer = (host) => (host === second ? Promise.reject(new UnreachableError(`${second}: Connection refused`)) : Promise.resolve(defaultHost()));
  await check(first);
  await check(second);
  expect(logged.join("\n")).toContain(`${second}: Connection refused`);
  expect(looks.filter((name) => name === second)).toHaveLength(2);
  await expect(provider.create(`urn:pulumi:test::drydock::drydock:index:Host::${second}`, argsOf(second) as never)).rejects.toThrow("Connection refused");
  expect(looks.filter((name) => name === second)).toHaveLength(3);
});

it("another function is not offered", () => {
  expect(() => provider.invoke("drydock:index:other", { hosts: [] })).toThrow("drydock:index:other is not a function of this provider; there is drydock:index:announce");
});
