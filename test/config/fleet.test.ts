import { readdirSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { readFleet, StackFileError } from "../../src/config/fleet.ts";
import { parseStackFile, readStackFile } from "../../src/config/stack-file.ts";
import { malformedCases } from "./malformed-cases.ts";

const web1 = { connection: { host: "192.0.2.10" } };

function problemsOf(read: () => unknown): string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof StackFileError) return error.problems;
    throw error;
  }
  return [];
}

function settingsOf(raw: Record<string, unknown>, host = "web1") {
  const settings = readFleet(raw).hosts.get(host);
  if (!settings) throw new Error(`no host ${host}`);
  return settings;
}

describe("mistakes", () => {
  it.each(malformedCases)("$title", ({ yaml, problems }) => {
    expect(problemsOf(() => readFleet(parseStackFile(yaml)))).toEqual(problems);
  });

  it("come with the file and their number", () => {
    expect(() => readFleet({ hosts: { web1 }, profile: "none" }, "stacks/Pulumi.prod.yaml")).toThrow(
      'stacks/Pulumi.prod.yaml: 1 mistake\n  profile: "none" is not allowed; allowed: baseline, strict',
    );
    expect(() => readFleet({ hosts: {}, profile: "none" })).toThrow(/^the stack file: 2 mistakes\n/);
  });

  it.each(malformedCases)("show no secret: $title", ({ problems }) => {
    expect(problems.join("\n")).not.toMatch(/hunter2|BEGIN OPENSSH/);
  });

  it("are one line each", () => {
    for (const { problems } of malformedCases) for (const problem of problems) expect(problem).not.toMatch(/\n/);
  });
});

describe("layers", () => {
  it("are profile, defaults, groups in the host's order, host", () => {
    const raw = {
      profile: "strict",
      defaults: { daemon: { mtu: 1, "max-concurrent-downloads": 1, "max-concurrent-uploads": 1, "max-download-attempts": 1, "log-level": "warn" } },
      groups: {
        late: { daemon: { "max-concurrent-uploads": 3, "max-download-attempts": 3 } },
        early: { daemon: { "max-concurrent-downloads": 2, "max-concurrent-uploads": 2, "max-download-attempts": 2 } },
      },
      hosts: { web1: { ...web1, groups: ["early", "late"], daemon: { "max-download-attempts": 4 } } },
    };
    expect(settingsOf(raw).daemon).toMatchObject({
      icc: false, mtu: 1, "log-level": "warn", "max-concurrent-downloads": 2, "max-concurrent-uploads": 3, "max-download-attempts": 4,
    });
  });

  it("take a setting away with null, at any depth", () => {
    const { daemon, limits } = settingsOf({
      profile: "strict",
      hosts: { web1: { ...web1, daemon: { "userns-remap": null, "log-opts": { tag: null } }, limits: { memoryMax: null, total: null } } },
    });
    expect(daemon).not.toHaveProperty("userns-remap");
    expect(daemon["log-opts"]).not.toHaveProperty("tag");
    expect(daemon["log-opts"]).toHaveProperty("syslog-address");
    expect(daemon).not.toHaveProperty("cgroup-parent");
    expect(limits).toEqual({ tasksMax: 512, services: expect.anything() as unknown });
  });

  it("drop the log options of another driver", () => {
    const own = settingsOf({ profile: "strict", hosts: { web1: { ...web1, daemon: { "log-driver": "local", "log-opts": { "max-size": "10m" } } } } });
    expect(own.daemon["log-opts"]).toEqual({ "max-size": "10m" });
    const engines = settingsOf({ profile: "strict", hosts: { web1: { ...web1, daemon: { "log-driver": null } } } });
    expect(engines.daemon).not.toHaveProperty("log-opts");
    const same = settingsOf({ profile: "strict", hosts: { web1: { ...web1, daemon: { "log-driver": "syslog", "log-opts": { tag: "x" } } } } });
    expect(same.daemon["log-opts"]).toMatchObject({ tag: "x", mode: "non-blocking" });
  });

  it("default to baseline, which sets nothing that can break a workload", () => {
    const settings = settingsOf({ hosts: { web1 } });
    expect(settings).toEqual(settingsOf({ profile: "baseline", hosts: { web1 } }));
    expect(Object.keys(settings.daemon).sort()).toEqual(["cgroup-parent", "insecure-registries", "iptables", "live-restore", "log-level"]);
    expect(settings.limits).toEqual({ total: {} });
    expect(settings.audit.enabled).toBe(true);
  });

  it("let a group replace the ulimits of the profile in part", () => {
    const { daemon } = settingsOf({ profile: "strict", hosts: { web1: { ...web1, daemon: { "default-ulimits": { nofile: { Soft: 4096 }, memlock: { Soft: -1, Hard: -1 } } } } } });
    expect(daemon["default-ulimits"]).toEqual({
      core: { Name: "core", Soft: 0, Hard: 0 },
      memlock: { Name: "memlock", Soft: -1, Hard: -1 },
      nofile: { Name: "nofile", Soft: 4096, Hard: 65536 },
    });
  });

  it.each([
    [false, false],
    [{ enabled: false }, false],
    [true, true],
    [{ perm: "wa" }, true],
    [null, true],
  ])("read audit: %j as enabled: %j", (audit, enabled) => {
    expect(settingsOf({ hosts: { web1: { ...web1, audit } } }).audit.enabled).toBe(enabled);
  });
});

describe("addresses", () => {
  it.each(["fd://", "unix:///run/docker.sock", "unix:///var/run/docker.sock"])("may be the local socket written as %s", (listener) => {
    expect(settingsOf({ hosts: { web1: { ...web1, daemon: { hosts: [listener] } } } }).daemon.hosts).toEqual([listener]);
  });
});

describe("connections", () => {
  it("have port 22, the jump host too, and take what defaults say", () => {
    const raw = { defaults: { connection: { user: "ops", proxy: { host: "bastion.example" } } }, hosts: { web1: { connection: { host: "web1", identityFile: "~/.ssh/id" } } } };
    expect(settingsOf(raw).connection).toEqual({ host: "web1", port: 22, user: "ops", identityFile: "~/.ssh/id", proxy: { host: "bastion.example", port: 22 } });
  });

  it("may lead to the same address behind different jump hosts", () => {
    const behind = (host: string) => ({ connection: { host: "10.0.0.5", proxy: { host } } });
    expect(readFleet({ hosts: { a: behind("site-a.example"), b: behind("site-b.example") } }).hosts.size).toBe(2);
    expect(problemsOf(() => readFleet({ hosts: { a: behind("site-a.example"), b: behind("site-a.example") } }))).toHaveLength(1);
  });

  it.each(["2001:db8::1", "web1", "web1.example", "WEB_1", "192.0.2.1"])("accept the host %s", (host) => {
    expect(settingsOf({ hosts: { web1: { connection: { host } } } }).connection.host).toBe(host);
  });

  it.each(["", "-web", "a b", "a;b", "a\nb", "user@host", "ssh://host", "$(id)", "a".repeat(300)])("refuse the host %j", (host) => {
    expect(problemsOf(() => readFleet({ hosts: { web1: { connection: { host } } } }))).toHaveLength(1);
  });
});

describe("the worked examples", () => {
  const folder = join(import.meta.dirname, "../../stacks");
  it.each(readdirSync(folder).filter((file) => /^Pulumi\.(?:dev|staging|prod)\.yaml$/.test(file)))("%s is right", (file) => {
    expect(readFleet(readStackFile(join(folder, file)), file).hosts.size).toBeGreaterThan(0);
  });
});
