import { describe, expect, it } from "vitest";
import type { Benchmark } from "../../src/cis/benchmark.ts";
import { formats, renderers } from "../../src/report/formats.ts";
import { buildReport, verdicts, type SeenHost } from "../../src/report/model.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { container, defaultHost } from "../support/observation.ts";
import { recorded } from "../support/recorded.ts";
import { noPlugin, now, recordedReport, seen, unreachable } from "../support/report.ts";

const hostOf = (report: ReturnType<typeof recordedReport>, name: string): SeenHost => {
  const host = report.hosts.find((each) => each.name === name);
  if (!host?.reachable) throw new Error(`${name} was not seen`);
  return host;
};
const controlOf = (host: SeenHost, id: string) => host.controls.find((control) => control.id === id);

describe("a report", () => {
  const report = recordedReport();

  it("counts each control of each host once", () => {
    for (const host of report.hosts) if (host.reachable) expect(verdicts.reduce((sum, verdict) => sum + host.counts[verdict], 0)).toBe(host.controls.length);
    expect(hostOf(report, "web1").counts).toEqual({ fail: 22, unknown: 0, pending: 0, waived: 0, manual: 2, pass: 21, "not applicable": 15 });
    expect(hostOf(report, "web2").counts).toEqual({ fail: 1, unknown: 0, pending: 0, waived: 1, manual: 1, pass: 45, "not applicable": 12 });
    expect(report.total).toEqual({ hosts: 3, unreachable: 1, fail: 23, unknown: 0, pending: 0, waived: 1, manual: 3, pass: 66, "not applicable": 27 });
  });

  it("says of a control what is declared, on disk and in effect, and how to see it", () => {
    expect(controlOf(hostOf(report, "web2"), "2.2")).toMatchObject({
      declared: "false",
      onDisk: "false",
      inEffect: "false",
      verdict: "pass",
      remedy: "daemon.icc",
      proof: [
        { command: `grep '"icc"' /etc/docker/daemon.json`, printed: '  "icc": false,' },
        { command: "iptables -S | grep docker0", printed: expect.stringContaining("-A FORWARD -i docker0 -o docker0 -j DROP") as unknown },
      ],
    });
  });

  it("judges waivers by its own day", () => {
    expect(controlOf(hostOf(report, "web1"), "2.12")).toMatchObject({ verdict: "fail", waiver: { state: "expired" } });
    expect(controlOf(hostOf(report, "web2"), "2.12")).toMatchObject({ verdict: "waived", waiver: { state: "in force" } });
    expect(controlOf(hostOf(report, "web2"), "2.2")).toMatchObject({ verdict: "pass", waiver: { state: "not needed" } });
  });

  it("believes nothing of a host that can't be reached", () => {
    const alone = buildReport([unreachable], { stack: "prod", now });
    expect(alone.total).toEqual({ hosts: 1, unreachable: 1, fail: 0, unknown: 0, pending: 0, waived: 0, manual: 0, pass: 0, "not applicable": 0 });
    expect(alone.hosts).toEqual([{ ...unreachable, reachable: false }]);
  });

  it("names as pending only what Drydock has hardened", () => {
    expect(hostOf(report, "web1").pending).toEqual([]);
    const kept = buildReport([seen("web1", { ...recorded("default"), owner: { stack: "drydock/prod", host: "web1" } })], { stack: "prod", now });
    expect(hostOf(kept, "web1").pending).toContain("container web keeps log-driver json-file, the right to gain privileges until it is made again");
  });

  it("keeps its containers' advice out of all counts", () => {
    const bad = container("web", { privileged: true, user: "root", health: "", readOnly: false, capAdd: ["SYS_ADMIN"], mounts: [], pidMode: "host", ipcMode: "host", utsMode: "host" });
    const [without, withOne] = [[], [bad]].map((list) => buildReport([seen("web1", defaultHost({ containers: known(list) }))], { stack: "prod", now }));
    expect(withOne?.total).toEqual(without?.total);
    expect(withOne && hostOf(withOne, "web1").containers).toMatchObject({ known: true, running: [{ container: "web", advice: expect.arrayContaining([expect.objectContaining({ id: "5.5", finding: "is privileged: as good as root on the host" })]) as unknown }] });
  });

  it("does not take containers that nobody could list for none", () => {
    const report = buildReport([seen("web1", defaultHost({ containers: unknown("docker.service is inactive") }))], { stack: "prod", now });
    expect(hostOf(report, "web1").containers).toEqual({ known: false, reason: "docker.service is inactive" });
    for (const format of ["html", "md"] as const) expect(renderers[format](report)).toContain("Containers: unknown: docker.service is inactive");
  });
});

describe("another edition of the benchmark", () => {
  const tiny: Benchmark = {
    name: "CIS Docker Benchmark",
    version: "9.9.9",
    controls: [
      { id: "7.1", title: "containers keep to themselves", setting: "icc", remedy: "daemon.icc", check: { kind: "daemon", name: "icc" } },
      { id: "7.2", title: "plugins are asked", setting: "authorization-plugins", check: { kind: "daemon", name: "authorization-plugins" } },
    ],
    containers: [{ id: "8.1", title: "containers are healthy", check: "health check" }],
  };
  const sick = container("web", { health: "" });
  const input = seen("web1", { ...recorded("hardened"), containers: known([sick]) }, { "7.2": noPlugin });
  const report = buildReport([input], { stack: "prod", now, benchmark: tiny });

  it("is what the report counts by", () => {
    expect(report.benchmark).toEqual({
      name: "CIS Docker Benchmark",
      version: "9.9.9",
      controls: [{ id: "7.1", title: "containers keep to themselves", setting: "icc", remedy: "daemon.icc" }, { id: "7.2", title: "plugins are asked", setting: "authorization-plugins" }],
    });
    expect(report.total).toMatchObject({ pass: 1, waived: 1, fail: 0, "not applicable": 0 });
    expect(hostOf(report, "web1").containers).toMatchObject({ running: [{ advice: [{ id: "8.1", finding: "has no health check" }] }] });
  });

  it.each(formats)("goes through %s", (format) => {
    const text = renderers[format](report);
    expect(text).toContain("9.9.9");
    expect(text).toContain("7.2");
    expect(text).not.toContain("1.1.1");
    expect(text).not.toContain("1.6.0");
  });
});
