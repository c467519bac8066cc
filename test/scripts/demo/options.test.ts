import { describe, expect, it } from "vitest";
import { parseHost, parseOptions } from "../../../scripts/demo/options.ts";

describe("--host", () => {
  it.each([
    ["server", { host: "server", port: 22 }],
    ["ops@server", { host: "server", port: 22, user: "ops" }],
    ["ops@server.example:2222", { host: "server.example", port: 2222, user: "ops" }],
    ["ops@[2001:db8::1]", { host: "2001:db8::1", port: 22, user: "ops" }],
    ["[2001:db8::1]:2222", { host: "2001:db8::1", port: 2222 }],
  ])("%s", (text, host) => {
    expect(parseHost(text)).toEqual(host);
  });

  it.each(["", "a b", "-oProxyCommand=x", "ops@-server", "server:", "server:0", "server:65536", "2001:db8::1", "ops@server;id"])("refuses %j", (text) => {
    expect(() => parseHost(text)).toThrow(`--host ${text}: write it as user@name or user@name:port; an IPv6 address in brackets, user@[2001:db8::1]`);
  });
});

describe("options", () => {
  it("shows a lab machine by default and changes no other host", () => {
    expect(parseOptions([])).toEqual({ host: undefined, yes: false, keep: false, profile: "strict" });
    expect(parseOptions(["--host", "server"])).toMatchObject({ yes: false });
  });

  it("gives help", () => {
    expect(parseOptions(["--help"])).toBeUndefined();
  });

  it.each([
    [["--yes"], "--yes is for a host of yours, with --host; a lab machine needs no consent"],
    [["--host", "server", "--keep"], "--keep is for the lab machine; a host of yours stays as it is anyway"],
    [["--profile", "paranoid"], "--profile paranoid: allowed are baseline and strict"],
    [["--hsot", "server"], "Unknown option '--hsot'"],
    [["server"], "Unexpected argument 'server'"],
  ])("refuses %j", (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});
