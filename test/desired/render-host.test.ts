import { readdirSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { readFleet, type HostSettings } from "../../src/config/fleet.ts";
import { readStackFile } from "../../src/config/stack-file.ts";
import type { HostArgs } from "../../src/desired/host-inputs.ts";
import { renderHost } from "../../src/desired/render-host.ts";

const stacks = join(import.meta.dirname, "../../stacks");

function settings(raw: Record<string, unknown>, own: Record<string, unknown> = {}): HostSettings {
  const host = readFleet({ ...raw, hosts: { web1: { connection: { host: "192.0.2.10" }, ...own } } }).hosts.get("web1");
  if (!host) throw new Error("no host");
  return host;
}

/** A host as one page: what `pulumi preview` is about to compare. */
function page({ connection, allow, daemon, files, modes }: HostArgs): string {
  const texts = Object.entries(files).flatMap(([path, text]) => [`==> ${path} <==`, text]);
  const json = (value: unknown): string => JSON.stringify(value, undefined, 2);
  return [`connection ${json(connection)}`, `allow ${json(allow)}`, `daemon ${json(daemon)}`, `modes ${json(modes)}`, ...texts].join("\n");
}

describe("the worked examples, rendered", () => {
  const hosts = readdirSync(stacks)
    .flatMap((file) => /^Pulumi\.(dev|staging|prod)\.yaml$/.exec(file)?.slice(0, 2) ?? [])
    .filter((name) => !name.endsWith(".yaml"))
    .flatMap((env) => [...readFleet(readStackFile(join(stacks, `Pulumi.${env}.yaml`))).hosts].map(([name, host]) => ({ env, name, host })));

  it.each(hosts)("$env $name", async ({ env, name, host }) => {
    await expect(page(renderHost(host))).toMatchFileSnapshot(`golden/${env}-${name}.txt`);
  });
});

describe("files", () => {
  it("are only those that say something", () => {
    expect(Object.keys(renderHost(settings({ profile: "baseline" })).files)).toEqual([
      "/etc/audit/rules.d/50-drydock.rules",
      "/etc/systemd/system/drydock-containers.slice",
      "/etc/tmpfiles.d/drydock.conf",
    ]);
    expect(renderHost(settings({ profile: "baseline" }, { audit: false, limits: null })).files).toEqual({});
  });

  it("load br_netfilter for either of the two settings that need it", () => {
    const path = "/etc/modules-load.d/drydock.conf";
    for (const daemon of [{ icc: false }, { "userland-proxy": false }]) expect(renderHost(settings({}, { daemon })).files[path]).toContain("br_netfilter\n");
    expect(renderHost(settings({}, { daemon: { icc: true } })).files).not.toHaveProperty([path]);
  });

  it("each have a mode, and daemon.json and its folder too", () => {
    const { files, modes } = renderHost(settings({ profile: "strict" }));
    expect(Object.keys(modes)).toEqual(["/etc/docker", "/etc/docker/daemon.json", ...Object.keys(files)].sort());
    expect(modes["/etc/audit/rules.d/50-drydock.rules"]).toBe("root:root 0640");
    expect(modes["/etc/docker"]).toBe("root:root 0755");
  });

  it("are the same whatever the order of the keys", () => {
    const a = settings({}, { daemon: { mtu: 1400, debug: true, "log-level": "warn" }, limits: { tasksMax: 5, memoryMax: "1G" } });
    const b = settings({}, { limits: { memoryMax: "1G", tasksMax: 5 }, daemon: { "log-level": "warn", debug: true, mtu: 1400 } });
    expect(JSON.stringify(renderHost(a))).toBe(JSON.stringify(renderHost(b)));
  });
});

describe("audit rules", () => {
  const rules = (own: Record<string, unknown>): string[] =>
    (renderHost(settings({}, own)).files["/etc/audit/rules.d/50-drydock.rules"] ?? "").split("\n").filter((line) => line.startsWith("-a"));

  it("name each path once for each ABI", () => {
    const all = rules({});
    expect(new Set(all).size).toBe(all.length);
    expect(all.filter((line) => line.includes("arch=b64"))).toHaveLength(all.length / 2);
    expect(rules({ audit: { abi32: false } })).toHaveLength(all.length / 2);
  });

  it.each([
    "/usr/bin/dockerd", "/run/containerd", "/var/lib/docker", "/etc/docker", "/lib/systemd/system/docker.service", "/run/containerd/containerd.sock",
    "/lib/systemd/system/docker.socket", "/run/docker.sock", "/etc/default/docker", "/etc/docker/daemon.json", "/etc/containerd/config.toml",
    "/etc/sysconfig/docker", "/usr/bin/containerd", "/usr/bin/containerd-shim", "/usr/bin/containerd-shim-runc-v1", "/usr/bin/containerd-shim-runc-v2",
    "/usr/bin/runc", "/usr/sbin/dockerd",
  ])("watch %s", (path) => {
    expect(rules({}).some((line) => line.includes(`=${path} `))).toBe(true);
  });

  it("take the permissions of the settings", () => {
    const some = rules({ audit: { perm: "wa", dataPerm: "a", abi32: false } });
    expect(some).toContain("-a always,exit -F arch=b64 -F dir=/var/lib/docker -F perm=a -F key=docker");
    expect(some).toContain("-a always,exit -F arch=b64 -F path=/etc/docker/daemon.json -F perm=wa -F key=docker");
  });
});
