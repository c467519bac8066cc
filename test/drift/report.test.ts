import { describe, expect, it } from "vitest";
import type { HostFindings } from "../../src/drift/classify.ts";
import { reportOn } from "../../src/drift/report.ts";
import { headline } from "../../src/drift/words.ts";
import { recordedReport } from "../support/drift.ts";

const findings = (more: Partial<HostFindings> = {}): HostFindings => ({ name: "web1", isNew: false, goes: false, drift: [], change: [], refused: [], errors: [], pending: [], notes: [], ...more });
const drift = [{ place: "daemon.icc", from: false, to: true }];
const change = [{ place: "daemon.debug", from: undefined, to: true }];

const report = (hosts: HostFindings[], more: { pendingFails?: boolean; problems?: string[]; others?: { op: string; type: string; name: string }[]; secrets?: string[] } = {}) =>
  reportOn({ hosts, others: more.others ?? [], problems: more.problems ?? [], warnings: [] }, { stack: "prod", pendingFails: more.pendingFails ?? false, secrets: more.secrets ?? [] });

describe("the exit code", () => {
  const gate = [{ op: "create", type: "command:remote:Command", name: "gate" }];

  it.each([
    ["nothing", [findings()], {}, 0],
    ["no host at all", [], {}, 0],
    ["change", [findings({ change })], {}, 2],
    ["a new host", [findings({ isNew: true })], {}, 2],
    ["a host that goes", [findings({ goes: true })], {}, 2],
    ["another resource that changes", [findings()], { others: gate }, 2],
    ["drift", [findings({ drift })], {}, 3],
    ["drift and change", [findings({ drift, change })], {}, 3],
    ["pending", [findings({ pending: ["a reboot"] })], {}, 0],
    ["pending that fails", [findings({ pending: ["a reboot"] })], { pendingFails: true }, 4],
    ["pending that fails, and change", [findings({ pending: ["a reboot"], change })], { pendingFails: true }, 2],
    ["a host that can't be read, among drift", [findings({ drift }), findings({ name: "web2", unread: "away" })], {}, 1],
    ["a refusal", [findings({ change, refused: ["no consent"] })], {}, 1],
    ["an error", [findings({ errors: ["boom"] })], {}, 1],
    ["a failed preview", [findings()], { problems: ["boom"] }, 1],
  ])("of %s", (_, hosts, more, code) => {
    expect(report(hosts, more).exitCode).toBe(code);
  });

  it.each([["mixed", 1], ["after-a-failed-update", 3], ["refused-and-removed", 1], ["mistake-in-the-stack-file", 1]] as const)("of the recorded stream %s", (name, code) => {
    expect(recordedReport(name).exitCode).toBe(code);
  });
});

describe("the headline", () => {
  it.each([
    [[findings()], "the one host is as declared"],
    [[findings(), findings({ name: "web2" })], "all 2 hosts are as declared"],
    [[], "no host is known"],
    [[findings({ drift }), findings({ name: "web2", unread: "away" }), findings({ name: "web3" })], "1 host could not be read, 1 host drifted; 1 of 3 hosts is as declared"],
    [[findings({ pending: ["a"] }), findings({ name: "web2", pending: ["a"] })], "2 hosts wait for something; 0 of 2 hosts are as declared"],
  ])("of %#", (hosts, text) => {
    expect(headline(report(hosts))).toBe(text);
  });
});

describe("what is shown of a difference", () => {
  const text = (place: string, from: unknown, to: unknown, lost?: true) => report([findings({ drift: [{ place, from, to, ...(lost ? { lost } : {}) } as never] })]).hosts[0]?.drift[0]?.text;

  it("is a unified diff of a file, with what is around", () => {
    expect(text("files./etc/x", "a\nb\nc\nd\ne\n", "a\nb\nc\nD\ne\n")).toBe("--- /etc/x\n+++ /etc/x\n@@ -2,4 +2,4 @@\n b\n c\n-d\n+D\n e");
  });

  it("says when a file was not there, or is gone", () => {
    expect(text("files./etc/x", undefined, "a\n")).toBe("--- /etc/x\tnot there\n+++ /etc/x\n@@ -0,0 +1,1 @@\n+a");
    expect(text("files./etc/x", "a\n", undefined)).toBe("--- /etc/x\n+++ /etc/x\tgone\n@@ -1,1 +0,0 @@\n-a");
  });

  it("is one diff of daemon.json for all of its keys", () => {
    const [piece, ...more] = report([findings({ drift: [...drift, { place: "daemon.dns", from: ["a"], to: undefined }] })]).hosts[0]?.drift ?? [];
    expect(more).toEqual([]);
    expect(piece).toEqual({ title: "/etc/docker/daemon.json", places: ["daemon.icc", "daemon.dns"], text: '--- /etc/docker/daemon.json\n+++ /etc/docker/daemon.json\n@@ -1,4 +1,1 @@\n-"icc": false\n-"dns": [\n-  "a"\n-]\n+"icc": true' });
  });

  it("is a line for a value", () => {
    expect(text("modes./etc/docker", "root:root 0755", "root:root 0777")).toBe('modes./etc/docker: "root:root 0755" => "root:root 0777"');
    expect(text("inEffect.audit", "-w /a\n", "-w /a\n-w /b\n")).toContain("+-w /b");
  });

  it("says when what was applied is not known any more", () => {
    expect(text("daemon.icc", undefined, true, true)).toContain("--- /etc/docker/daemon.json\twhat was applied is not stored any more");
    expect(text("modes./etc/docker", undefined, "x", true)).toBe('modes./etc/docker: (what was applied is not stored any more) => "x"');
  });
});

it("holds no secret, wherever it came from", () => {
  const secret = "hunter2-of-the-environment";
  const all = report([findings({ unread: secret, drift: [{ place: `files./etc/${secret}`, from: "", to: `x ${secret}\n` }], refused: [secret], errors: [secret], pending: [secret], notes: [secret], outlook: secret })], { problems: [secret], others: [{ op: secret, type: secret, name: secret }], secrets: [secret] });
  expect(JSON.stringify(all)).not.toContain(secret);
});
