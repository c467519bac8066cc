import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readFleet, StackFileError } from "../../src/config/fleet.ts";
import { Later } from "../../src/config/later.ts";
import { mergeLayers, type Table } from "../../src/config/merge.ts";

const address = new Later("the machine's address");
const only = "allowed: a value that is known at once; only values of connection may be outputs";
const single = "allowed: a table; only its single values may be outputs, as connection: { host: machine.address }";

describe("a connection that is known only later", () => {
  it("is kept apart from what is known", () => {
    const fleet = readFleet({
      defaults: { connection: { user: "ops", proxy: { host: new Later("bastion"), user: "jump" } } },
      hosts: { web1: { connection: { host: address } }, web2: { connection: { host: "192.0.2.12", proxy: null } } },
    });
    expect(fleet.hosts.get("web1")?.connection).toEqual({ port: 22, user: "ops", proxy: { port: 22, user: "jump" } });
    expect(fleet.later).toEqual(new Map([["web1", { host: "the machine's address", proxy: { host: "bastion" } }]]));
  });

  it("may stand for several hosts: whether they are one machine is not known", () => {
    const host = { connection: { host: address } };
    expect(readFleet({ hosts: { web1: host, web2: host } }).hosts.size).toBe(2);
  });

  it("does not hide one machine under two names where that is known", () => {
    const host = { connection: { host: "192.0.2.10", hostKey: new Later("key") } };
    expect(() => readFleet({ hosts: { web1: host, web2: host } })).toThrow(/one machine, one name/);
  });

  const mistakes: [string, Record<string, unknown>, string[]][] = [
    ["in a file", { daemon: { mtu: address, icc: 3 } }, [`daemon.mtu: an output is not allowed; ${only}`, "daemon.icc: 3 is not allowed; allowed: true or false"]],
    ["in a list", { daemon: { dns: ["192.0.2.53", address] } }, [`daemon.dns[1]: an output is not allowed; ${only}`]],
    ["for a whole layer", { limits: address }, [`limits: an output is not allowed; ${only}`]],
    ["for the whole connection", { connection: address }, [`connection: an output is not allowed; ${single}`]],
    ["for the whole jump host", { connection: { host: "web1", proxy: address } }, [`connection.proxy: an output is not allowed; ${single}`]],
    ["under a name that is misspelled", { connection: { host: "web1", portt: address } }, ['connection.portt: unknown setting; did you mean "port"?']],
    ["beside a mistake", { connection: { host: address, user: "a b" } }, ['connection.user: "a b" is not allowed; allowed: a user name']],
  ];

  it.each(mistakes)("is refused %s, at its place", (_where, web1, problems) => {
    expect(problemsOf({ hosts: { web1: { connection: { host: "web1" }, ...web1 } } })).toEqual(problems.map((problem) => `hosts.web1.${problem}`));
  });

  it("is refused instead of hosts, a host or a profile", () => {
    expect(problemsOf({ hosts: address })[0]).toBe('hosts: "(an output)" is not allowed; allowed: a table of hosts by name');
    expect(problemsOf({ hosts: { web1: address } })).toEqual([`hosts.web1: an output is not allowed; ${only}`]);
    expect(problemsOf({ profile: address, hosts: { web1: { connection: { host: "web1" } } } })).toEqual(['profile: "(an output)" is not allowed; allowed: baseline, strict']);
  });

  it("comes to the same as one that is known, wherever it is written", () => {
    const endpoint = { host: fc.constantFrom("a", "b"), port: fc.constantFrom(22, 2222), user: fc.constantFrom("ops", null) };
    const connection = fc.record({ ...endpoint, proxy: fc.option(fc.record(endpoint, { requiredKeys: ["host"] })) }, { requiredKeys: [] });
    const layers = fc.record({ defaults: connection, group: connection, own: fc.record({ ...endpoint, proxy: connection }, { requiredKeys: ["host"] }) });
    fc.assert(
      fc.property(layers, fc.infiniteStream(fc.boolean()), ({ defaults, group, own }, late) => {
        const fleetOf = (change: (table: Table) => Table) =>
          readFleet({ defaults: { connection: change(defaults) }, groups: { web: { connection: change(group) } }, hosts: { web1: { groups: ["web"], connection: change({ proxy: null, ...own }) } } });
        const known = outcome(() => fleetOf((table) => table));
        const mixed = outcome(() => fleetOf((table) => withLaters(table, late)));
        expect(mixed).toEqual(known);
      }),
    );
  });
});

function problemsOf(raw: Table): string[] {
  try {
    readFleet(raw);
  } catch (error) {
    if (error instanceof StackFileError) return error.problems;
    throw error;
  }
  return [];
}

/** The connection with both halves together, or why there is none. */
function outcome(read: () => ReturnType<typeof readFleet>): unknown {
  try {
    const { hosts, later } = read();
    return mergeLayers({ ...hosts.get("web1")?.connection }, later.get("web1") ?? {});
  } catch (error) {
    if (error instanceof StackFileError) return error.problems;
    throw error;
  }
}

function withLaters(table: Table, late: Iterator<boolean>): Table {
  return Object.fromEntries(
    Object.entries(table).map(([key, value]) => {
      if (value === null) return [key, value];
      if (typeof value === "object") return [key, withLaters(value as Table, late)];
      return [key, late.next().value === true ? new Later(value) : value];
    }),
  );
}
