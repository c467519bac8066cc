import { describe, expect, it } from "vitest";
import { containerProfiles, profilesInEffect, profilesWished, usersOf } from "../../src/effect/apparmor.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { apparmor, container, defaultHost } from "../support/observation.ts";

const web = "drydock-web";
const enforced = { [web]: { mode: "enforce", asOnDisk: true } };

describe("profiles among the files", () => {
  it("are wished in enforce mode, by their names", () => {
    expect(profilesWished({ "/etc/apparmor.d/drydock-web": "", "/etc/apparmor.d/drydock-container": "", "/etc/other": "" })).toEqual({ "drydock-container": "enforce", [web]: "enforce" });
    expect(profilesWished({ "/etc/other": "" })).toBeUndefined();
  });
});

describe("a wished profile", () => {
  it.each<[string, Parameters<typeof apparmor>[0], string]>([
    ["as it should be", { profiles: enforced }, "enforce"],
    ["on a kernel that keeps no sums", { profiles: { [web]: { mode: "enforce", asOnDisk: undefined } } }, "enforce"],
    ["in complain mode", { profiles: { [web]: { mode: "complain", asOnDisk: true } } }, "complain"],
    ["not loaded", {}, "not loaded"],
    ["loaded with another text", { profiles: { [web]: { mode: "enforce", asOnDisk: false } } }, "enforce, and not what the file says"],
    ["in complain mode by another text", { profiles: { [web]: { mode: "complain", asOnDisk: false } } }, "complain, and not what the file says"],
    ["that the next boot does not load", { profiles: enforced, boot: "disabled" }, "enforce until the next boot: apparmor.service is disabled"],
    ["on a kernel without AppArmor", { enabled: false }, "not loaded: the kernel has no AppArmor"],
  ])("%s", (_, change, seen) => {
    expect(profilesInEffect({ [web]: "enforce" }, defaultHost({ apparmor: apparmor(change) }))).toEqual({ [web]: seen });
  });

  it("that can't be asked about is unknown", () => {
    expect(profilesInEffect({ [web]: "enforce" }, defaultHost({ apparmor: unknown("no securityfs") }))).toEqual({ [web]: "unknown: no securityfs" });
  });
});

it("a profile under our name that nobody wished shows", () => {
  const host = defaultHost({ apparmor: apparmor({ profiles: enforced }) });
  expect(profilesInEffect(undefined, host)).toEqual({ [web]: "enforce" });
  expect(profilesInEffect(undefined, defaultHost())).toBeUndefined();
});

describe("the profile of each running container", () => {
  const containers = known([container("web", { pid: 10 }), container("db", { pid: 11 }), container("lost", { pid: 12 }), container("old", { running: false, pid: 0 })]);
  const labels = { 10: "drydock-web (complain)", 11: "docker-default (enforce)" };

  it("is what its process has", () => {
    expect(containerProfiles(defaultHost({ containers, apparmor: apparmor({ labels }) }))).toEqual({ db: "docker-default", lost: "unknown: process 12 was not seen", web: "drydock-web (complain)" });
  });

  it("is none without AppArmor, and unknown when that can't be asked", () => {
    expect(containerProfiles(defaultHost({ containers, apparmor: apparmor({ enabled: false }) }))).toEqual({ db: "unconfined", lost: "unconfined", web: "unconfined" });
    expect(containerProfiles(defaultHost({ containers, apparmor: unknown("gone") })).db).toBe("unknown: gone");
  });
});

describe("who has a profile", () => {
  it.each<[string, Parameters<typeof defaultHost>[0], string[]]>([
    ["a container by its label", { containers: known([container("web", { pid: 10 })]), apparmor: apparmor({ labels: { 10: "drydock-web (enforce)" } }) }, ["container web"]],
    ["a stopped container", { containers: known([container("web", { running: false, pid: 0, securityOpt: ["apparmor=drydock-web"] })]) }, ["container web"]],
    ["one of before Docker 1.11", { containers: known([container("web", { securityOpt: ["apparmor:drydock-web"] })]) }, ["container web"]],
    ["a process of nobody's", { apparmor: apparmor({ labels: { 10: "drydock-web//null-/bin/sh (complain)" } }) }, ["process 10"]],
    ["nobody", { containers: known([container("web", { securityOpt: ["apparmor=drydock-web2"] })]), apparmor: apparmor({ labels: { 900: "drydock-web2 (enforce)" } }) }, []],
  ])("%s", (_, change, users) => {
    expect(usersOf(web, defaultHost(change))).toEqual(users);
  });
});
