import { expect, it } from "vitest";

import { connectionProblems } from "../../src/config/resolved-connection.ts";

const address = "allowed: a host name, an IP address or an alias of ssh_config";

const cases: [string, unknown, string[]][] = [
  ["one that was known all along", { host: "192.0.2.10", port: 22, user: "ops", proxy: { host: "bastion", port: 22 } }, []],
  ["an option of ssh", { host: "-oProxyCommand=id", port: 22 }, [`connection.host: "-oProxyCommand=id" is not allowed; ${address}`]],
  ["an address in brackets and a port in text", { host: "[2001:db8::1]", port: "22" }, [`connection.host: "[2001:db8::1]" is not allowed; ${address}`, 'connection.port: "22" is not allowed; allowed: a whole number from 1 to 65535; write it without quotes: 22']],
  ["an output that became nothing", { port: 22, proxy: { host: null, port: 22 } }, [`connection.host: is missing; ${address}`, `connection.proxy.host: is missing; ${address}`]],
  ["a key on two lines", { host: "web1", hostKey: "ssh-ed25519 AAAA\nx" }, ['connection.hostKey: "ssh-ed25519 AAAA\\nx" is not allowed; allowed: one line "ssh-ed25519 AAAA… [comment]" whose key is of that type']],
];

it.each(cases)("finds what is wrong with %s", (_title, connection, problems) => {
  expect(connectionProblems(connection)).toEqual(problems);
});

it("refuses what is no table", () => {
  expect(connectionProblems("web1")).toHaveLength(1);
});
