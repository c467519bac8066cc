import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, it } from "vitest";
import { readFleet } from "../../src/config/fleet.ts";
import { renderHost } from "../../src/desired/render-host.ts";
import { checkFleet, hardenFleet, Host, type FleetArgs, type HostArgs } from "../../src/index.ts";

interface Registered {
  type: string;
  inputs: Record<string, unknown>;
}

let registered: Map<string, Registered>;

beforeEach(async () => {
  registered = new Map();
  await pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }) => {
      registered.set(name, { type, inputs: inputs as Record<string, unknown> });
      return { id: name, state: { ...(inputs as object), engine: "29.0" } };
    },
    call: () => ({}),
  });
});

const web1 = { connection: { host: "192.0.2.10" } };
const later = <T>(value: T) => pulumi.output(Promise.resolve(value));
const known = <T>(output: pulumi.Output<T>) => new Promise<T>((resolve) => void output.apply(resolve));

describe("hardenFleet", () => {
  it("registers what a stack file with the same words does", async () => {
    const settings: FleetArgs<"web1" | "db1"> = {
      profile: "strict",
      groups: { web: { limits: { tasksMax: 4096 } } },
      hosts: { web1: { ...web1, groups: ["web"] }, db1: { connection: { host: "192.0.2.20", port: 2222, proxy: { host: "bastion" } }, daemon: { icc: true } } },
    };
    const { web1: web, db1: db } = hardenFleet(settings);
    expect(web).toBeInstanceOf(Host);
    expect(await known(pulumi.all([web.engine, db.engine]))).toEqual(["29.0", "29.0"]);
    for (const [name, host] of readFleet({ ...settings }).hosts) {
      expect(registered.get(name)).toEqual({ type: "drydock:index:Host", inputs: renderHost(host) });
    }
  });

  it("resolves what is known only later", async () => {
    const connection = { host: later("192.0.2.10"), port: Promise.resolve(2222), proxy: { host: later("bastion"), user: "jump" } };
    const { web1: host } = hardenFleet({ defaults: { connection: { user: "ops" } }, hosts: { web1: { connection } } });
    await known(host.urn);
    expect(registered.get("web1")?.inputs["connection"]).toEqual({ host: "192.0.2.10", port: 2222, user: "ops", proxy: { host: "bastion", port: 22, user: "jump" } });
  });

  it("hands its options to every host", async () => {
    const parent = new pulumi.ComponentResource("test:index:Rack", "rack");
    const { web1: host } = hardenFleet({ hosts: { web1 } }, { parent });
    expect(await known(host.urn)).toContain("test:index:Rack$drydock:index:Host::web1");
  });

  it("reports all mistakes at once, and registers nothing", () => {
    const broken = { profile: "strickt", hosts: { web1: { ...web1, daemon: { icc: "no", dns: [later("192.0.2.53")] } }, web2: {} } } as unknown as FleetArgs;
    const [error] = thrown(() => hardenFleet(broken));
    expect(pulumi.RunError.isInstance(error)).toBe(true);
    expect(String(error)).toBe(
      [
        "Error: hardenFleet: 4 mistakes",
        '  profile: "strickt" is not allowed; allowed: baseline, strict; did you mean "strict"?',
        "  hosts.web1.daemon.dns[0]: an output is not allowed; allowed: a value that is known at once; only values of connection may be outputs",
        '  hosts.web1.daemon.icc: "no" is not allowed; allowed: true or false',
        "  hosts.web2.connection.host: is missing; allowed: a host name, an IP address or an alias of ssh_config",
      ].join("\n"),
    );
    expect(registered).toEqual(new Map());
  });

  it.each([undefined, "web1", [], later({ hosts: {} })])("refuses what is no table of settings: %#", (fleet) => {
    expect(() => hardenFleet(fleet as unknown as FleetArgs)).toThrow(/^hardenFleet: 1 mistake\n {2}\S.* is not allowed; allowed: settings as those of a stack file/);
  });

  it("refuses a template that needs what is known only later", async () => {
    const templates = mkdtempSync(join(tmpdir(), "drydock-templates-"));
    mkdirSync(join(templates, "etc/tmpfiles.d"), { recursive: true });
    writeFileSync(join(templates, "etc/tmpfiles.d/drydock.conf.hbs"), "# {{connection.host}}\n");
    const withHost = (host: pulumi.Input<string>): FleetArgs => ({ templates, hosts: { web1: { connection: { host } } } });
    expect(() => hardenFleet(withHost(later("192.0.2.10")))).toThrow(/^web1: .*drydock\.conf\.hbs, line 1: "host" is not defined$/);
    expect(await known((hardenFleet(withHost("192.0.2.10")) as { web1: Host }).web1.engine)).toBe("29.0");
  });
});

describe("checkFleet", () => {
  it("finds nothing in a fleet that can be", () => {
    expect(checkFleet({ hosts: { web1: { connection: { host: later("192.0.2.10") } } } })).toEqual([]);
  });

  it("names each place in parts, and registers nothing", () => {
    const fleet = { defaults: { daemon: { "log-driver": "syslog", "log-opts": { "max-size": "10m" } } }, hosts: { web1, "web 2": web1 } } as FleetArgs;
    expect(checkFleet(fleet)).toEqual([
      { path: ["hosts", "web 2"], text: "not a name; allowed: up to 63 letters, digits, dots, dashes and underscores" },
      { path: ["defaults", "daemon", "log-opts", "max-size"], text: "the log driver syslog has no such option", host: "web1" },
    ]);
    expect(registered).toEqual(new Map());
  });

  it("finds what is no table of settings", () => {
    expect(checkFleet(7 as unknown as FleetArgs)).toEqual([{ path: [], text: expect.stringContaining("7 is not allowed") as string }]);
  });
});

describe("new Host", () => {
  it("takes the settings of one host", async () => {
    const host = new Host("web1", { profile: "strict", connection: { host: later("192.0.2.10") }, daemon: { "userns-remap": null } });
    expect(await known(host.engine)).toBe("29.0");
    const settings = readFleet({ profile: "strict", hosts: { web1: { ...web1, daemon: { "userns-remap": null } } } }).hosts.get("web1");
    expect(registered.get("web1")).toEqual({ type: "drydock:index:Host", inputs: settings && renderHost(settings) });
  });

  it("reports all mistakes at once, at their places in its arguments", () => {
    const args = { profile: "none", groups: ["web"], connection: { hosst: "web1" }, daemon: { icc: "no" } } as unknown as HostArgs;
    expect(() => new Host("web 1", args)).toThrow(
      [
        'new Host("web 1", …): 6 mistakes',
        '  name: "web 1" is not allowed; allowed: up to 63 letters, digits, dots, dashes and underscores',
        "  groups: is not allowed for a host by itself; hardenFleet takes it",
        '  profile: "none" is not allowed; allowed: baseline, strict',
        '  connection.hosst: unknown setting; did you mean "host"?',
        '  daemon.icc: "no" is not allowed; allowed: true or false',
        "  connection.host: is missing; allowed: a host name, an IP address or an alias of ssh_config",
      ].join("\n"),
    );
  });

  it("does not take rendered files for settings, whoever has rendered them", () => {
    const settings = readFleet({ hosts: { web1 } }).hosts.get("web1");
    expect(() => new Host("web1", (settings && renderHost(settings)) as unknown as HostArgs)).toThrow(/files: unknown setting/);
  });
});

function thrown(deed: () => unknown): unknown[] {
  try {
    deed();
  } catch (error) {
    return [error];
  }
  return [];
}
