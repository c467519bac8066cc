import { describe, expect, it } from "vitest";
import { seccompFile } from "../../src/config/seccomp.ts";
import { asOnDisk, daemonKeyInEffect } from "../../src/effect/daemon.ts";
import { keepsOldFilter, seccompInEffect } from "../../src/effect/seccomp.ts";
import { unknown } from "../../src/observed/records.ts";
import { digest } from "../../src/plan/seen.ts";
import { container, defaultHost, file, info } from "../support/observation.ts";

/** dockerd of the default host started at 2000. */
const text = "{}\n";
const host = (changedAt: number, change: Parameters<typeof defaultHost>[0] = {}) => defaultHost({ files: { [seccompFile]: file(text, { changedAt }) }, ...change });
const noted = (sum: string, daemon = "500:1") => ({ applied: { daemon, seccomp: sum } });

describe("whether the daemon has read the profile", () => {
  it.each<[string, ReturnType<typeof host>, string]>([
    ["older than the daemon", host(1000), asOnDisk],
    ["newer than the daemon", host(2500), "the profile was changed after dockerd read it"],
    ["newer, and noted to be what this daemon has read", host(2500, noted(digest(text))), asOnDisk],
    ["older by its clock, and noted to be another one", host(1000, noted("0".repeat(64))), "the profile was changed after dockerd read it"],
    ["noted of an earlier daemon", host(1000, noted("0".repeat(64), "499:1")), asOnDisk],
    ["not there", defaultHost(), "not there"],
    ["not to be read", defaultHost({ files: { [seccompFile]: unknown("I/O error") } }), "unknown: I/O error"],
    ["without a daemon", host(1000, { processes: {} }), "unknown: dockerd is not running"],
  ])("%s", (_, observation, seen) => {
    expect(seccompInEffect(observation, digest)).toBe(seen);
  });
});

describe("a container", () => {
  const since = { applied: { "seccomp-since": String(Date.parse("2026-11-01T00:00:10Z") / 1000) } };
  it.each<[string, Parameters<typeof container>[1], boolean]>([
    ["started before the profile came", {}, true],
    ["started after it", { startedAt: "2026-11-01T00:00:11.5Z" }, false],
    ["with a filter of its own", { securityOpt: ["seccomp=unconfined"] }, false],
    ["that is privileged", { privileged: true }, false],
  ])("%s", (_, change, keeps) => {
    expect(keepsOldFilter(container("web", change), defaultHost(since))).toBe(keeps);
  });

  it("is not judged where nobody noted when the profile came", () => {
    expect(keepsOldFilter(container("web"), defaultHost())).toBe(false);
  });
});

describe("what the daemon says", () => {
  it.each([
    ["name=seccomp,profile=default", "builtin"],
    ["name=seccomp,profile=builtin", "builtin"],
    ["name=seccomp,profile=/etc/docker/drydock-seccomp.json", seccompFile],
    ["name=apparmor", "unconfined"],
  ])("%s is %s", (option, seen) => {
    expect(daemonKeyInEffect("seccomp-profile", "builtin", defaultHost({ info: info({ SecurityOptions: [option] }) }))).toBe(seen);
  });
});
