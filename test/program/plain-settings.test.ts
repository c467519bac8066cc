import { output, secret } from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { Later } from "../../src/config/later.ts";
import { readFleet } from "../../src/config/fleet.ts";
import { plainSettings } from "../../src/program/plain-settings.ts";

describe("plainSettings", () => {
  it("leaves plain values as they are", () => {
    const settings = { profile: "strict", hosts: { web1: { connection: { host: "web1", port: 22 }, daemon: { icc: false, dns: ["192.0.2.53"], mtu: null, debug: undefined } } } };
    expect(plainSettings(settings)).toEqual(settings);
  });

  it.each([
    ["an output", output("web1")],
    ["a secret", secret("web1")],
    ["a promise", Promise.resolve("web1")],
  ])("marks %s, in tables and in lists", (_what, value) => {
    expect(plainSettings({ a: { b: value }, c: [value] })).toEqual({ a: { b: new Later(value) }, c: [new Later(value)] });
  });

  class Machine {
    readonly id = "vm";
  }

  it.each([
    ["an instance of a class", new Machine() as unknown, "an instance of Machine"],
    ["a Map", new Map(), "an instance of Map"],
    ["a function", () => "web1", "function"],
    ["a bigint", 22n, "22n"],
  ])("leaves %s to be refused", (_what, value, shown) => {
    const read = () => readFleet(plainSettings({ hosts: { web1: { connection: { host: value } } } }) as Record<string, unknown>);
    expect(read).toThrow(`hosts.web1.connection.host: ${shown} is not allowed; allowed: a host name, an IP address or an alias of ssh_config`);
  });

  it("does not take an instance for an empty table", () => {
    expect(() => readFleet(plainSettings({ hosts: { web1: { connection: { host: "web1" }, limits: new Machine() } } }) as Record<string, unknown>)).toThrow("hosts.web1.limits: an instance of Machine is not allowed");
  });
});
