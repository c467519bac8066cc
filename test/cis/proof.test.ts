import { describe, expect, it } from "vitest";
import fc from "fast-check";
import type { Check } from "../../src/cis/benchmark.ts";
import { docker16 } from "../../src/cis/docker-1.6.ts";
import { printed, proofsOf } from "../../src/cis/proof.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { defaultHost, file, info, mount } from "../support/observation.ts";
import { recorded } from "../support/recorded.ts";
import type { Observation } from "../../src/observed/observation.ts";

const proofs = (check: Check, observation: Observation) => proofsOf(check, { observation, wish: undefined });
const daemon = (name: (Check & { kind: "daemon" })["name"]): Check => ({ kind: "daemon", name });
const withFile = (text: string) => defaultHost({ files: { "/etc/docker/daemon.json": file(text) } });

describe("what can be run on the host", () => {
  it("is there for every control that applies to a real host", () => {
    const observation = recorded("hardened");
    const without = docker16.controls.filter(({ check }) => proofs(check, observation).length === 0).map(({ id }) => id);
    // No such file or certificate is there.
    expect(without).toEqual(["1.1.13", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"]);
  });

  it.each<[string, string, { command: string; printed: string }]>([
    ["a value on one line", '{\n  "icc": false,\n  "dns": []\n}\n', { command: `grep '"icc"' /etc/docker/daemon.json`, printed: '  "icc": false,' }],
    ["a file of one line, of which only the key is shown", '{"proxies":{"http-proxy":"http://me:secret@proxy"},"icc": false}', { command: `grep -o '"icc": *[^,}]*' /etc/docker/daemon.json`, printed: '"icc": false' }],
    ["a key that is not there", '{\n  "dns": []\n}\n', { command: `grep '"icc"' /etc/docker/daemon.json`, printed: "" }],
    ["a file that is no JSON, cut in the middle of a secret", `{${" ".repeat(170)}"splunk-token": "SEKRIT-SEKRIT-SEKRIT", }`, { command: "head -c 200 /etc/docker/daemon.json", printed: `{${" ".repeat(170)}"splunk-token": (hidden), }` }],
    ["a file that is no JSON", "icc=false", { command: "head -c 200 /etc/docker/daemon.json", printed: "icc=false" }],
  ])("shows of daemon.json %s", (_what, text, expected) => {
    expect(proofs(daemon("icc"), withFile(text))[0]).toEqual(expected);
  });

  it("shows a table of daemon.json until its bracket is closed", () => {
    const text = JSON.stringify({ "default-ulimits": { nofile: { Name: "nofile", Soft: 1, Hard: 2 } }, dns: [] }, undefined, 2);
    const [proof] = proofs(daemon("default-ulimits"), withFile(text));
    expect(proof?.command).toBe(`grep -A 6 '"default-ulimits"' /etc/docker/daemon.json`);
    expect(proof?.printed.split("\n")).toHaveLength(7);
    expect(proof?.printed).not.toContain("dns");
  });

  it("shows a list of a file of one line", () => {
    expect(proofs(daemon("insecure-registries"), withFile('{"insecure-registries":["a:5000","b:5000"],"icc":true}'))[0]).toEqual({
      command: `grep -o '"insecure-registries": *\\[[^]]*]' /etc/docker/daemon.json`,
      printed: '"insecure-registries":["a:5000","b:5000"]',
    });
  });

  it("says so when there is no daemon.json, and why one could not be read", () => {
    expect(proofs(daemon("icc"), defaultHost())[0]?.printed).toBe("grep: /etc/docker/daemon.json: No such file or directory");
    expect(proofs(daemon("icc"), defaultHost({ files: { "/etc/docker/daemon.json": unknown("Input/output error") } }))[0]?.printed).toBe("grep: /etc/docker/daemon.json: Input/output error");
  });

  it("asks the daemon where it can be asked, and else what it was started with", () => {
    expect(proofs(daemon("live-restore"), defaultHost())[1]).toEqual({ command: "docker info --format '{{json .LiveRestoreEnabled}}'", printed: "false" });
    expect(proofs(daemon("log-level"), defaultHost())[1]).toEqual({ command: "tr '\\0' ' ' </proc/500/cmdline", printed: "/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock" });
    expect(proofs(daemon("log-level"), defaultHost({ processes: {} }))[1]).toEqual({ command: "systemctl is-active docker.service", printed: "active" });
    expect(proofs(daemon("live-restore"), defaultHost({ info: unknown("docker.service is inactive") }))[1]?.printed).toBe("docker.service is inactive");
  });

  it("finds the rules for a path, and not those for one below it", () => {
    const rules = ["-w /etc/docker/ -p wa", "-a always,exit -F dir=/etc/docker -F perm=wa", "-a always,exit -F path=/etc/docker/daemon.json -F perm=wa", "-w /etcXdocker -p wa"];
    const observation = defaultHost({ auditRules: known(rules), auditRulesOnDisk: known([]) });
    expect(proofs({ kind: "audit", paths: ["/etc/docker"] }, observation)).toEqual([
      { command: "auditctl -l | grep -E '[= ]/etc/docker/?( |$)'", printed: rules.slice(0, 2).join("\n") },
      { command: "grep -hE '[= ]/etc/docker/?( |$)' /etc/audit/rules.d/*.rules", printed: "" },
    ]);
  });

  it("says why the kernel takes no more rules", () => {
    expect(proofs({ kind: "audit", paths: ["/etc/docker"] }, defaultHost({ auditStatus: known({ enabled: "2" }) })).at(-1)).toEqual({ command: "auditctl -s | grep enabled", printed: "enabled 2" });
  });

  it("tells one filesystem from another by its number", () => {
    const check: Check = { kind: "host", name: "separate partition" };
    const observation = defaultHost({ mounts: known([mount("/", "8:1"), mount("/var/lib/docker", "8:17", "xfs")]) });
    expect(proofs(check, observation).map((proof) => proof.printed)).toEqual(["8:1 ext4", "8:17 xfs"]);
    expect(proofs(check, { ...observation, info: info({ DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]] }) })).toHaveLength(4);
  });
});

describe("what was printed", () => {
  it("is cut where it is long", () => {
    expect(printed(Array.from({ length: 20 }, (_, i) => String(i)).join("\n"))).toMatch(/^0\n1\n(.*\n)+11\n… 8 more lines$/);
    expect(printed("x".repeat(400))).toBe(`${"x".repeat(300)}…`);
  });

  it("has nothing that looks like a secret, also where it is cut, and nothing that a terminal would act on", () => {
    expect(printed("dockerd --log-opt splunk-token=SEKRIT --debug\u001b]0;title\u0007")).toBe("dockerd --log-opt splunk-token=(hidden) --debug\\u001b]0;title\\u0007");
    expect(printed(`${"x".repeat(280)} token=ghp_${"a1".repeat(40)}`)).not.toContain("ghp_");
  });

  it("never has the password of an address", () => {
    fc.assert(
      fc.property(fc.string(), fc.stringMatching(/^[a-z]{1,8}$/), fc.stringMatching(/^[A-Za-z0-9+=:!-]{1,20}$/), (before, user, password) => {
        expect(printed(`${before}http://${user}:!${password}!@proxy.example:3128`)).not.toContain(`!${password}!`);
      }),
    );
  });
});
