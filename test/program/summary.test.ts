import { describe, expect, it } from "vitest";
import { output } from "@pulumi/pulumi/output.js";
import { complianceOf, type Compliance } from "../../src/program/summary.ts";
import type { Host } from "../../src/provider/host.ts";
import type { Output } from "../../src/sdk.ts";

const cis = { passed: 34, failed: 2, pending: 1, manual: 1, notApplicable: 22, unknown: 0, failing: ["1.1.1 a separate partition", "2.12 authorization"] };
const host = (figures: object | undefined = cis, pending: string[] | undefined = []) => ({ cis: output(figures), pending: output(pending) }) as unknown as Host;
const failedHost = () => ({ cis: output(Promise.reject(new Error("web2: refused"))), pending: output(Promise.reject(new Error("web2: refused"))) }) as unknown as Host;

const valueOf = (compliance: Output<Compliance>) => (compliance as unknown as { promise: () => Promise<Compliance> }).promise();

describe("the stack's output", () => {
  it("has each host's figures and their sum", async () => {
    const waivers = new Map([["web2", { "2.12": { reason: "no plugin yet", until: "2027-03-31" } }]]);
    expect(await valueOf(complianceOf(new Map([["web1", host()], ["web2", host(cis, ["3 audit rules wait for a reboot"])]]), waivers))).toEqual({
      benchmark: "CIS Docker Benchmark 1.6.0",
      total: { hosts: 2, unknownHosts: [], passed: 68, failed: 4, pending: 2, manual: 2, notApplicable: 44, unknown: 0 },
      hosts: {
        web1: { passed: 34, failed: 2, pending: 1, manual: 1, notApplicable: 22, unknown: 0, failing: ["1.1.1", "2.12"], waiting: [] },
        web2: { passed: 34, failed: 2, pending: 1, manual: 1, notApplicable: 22, unknown: 0, failing: ["1.1.1", "2.12"], waiting: ["3 audit rules wait for a reboot"], waivedUntil: { "2.12": "2027-03-31" } },
      },
    });
  });

  it("keeps the others' figures when one host has failed", async () => {
    const compliance = await valueOf(complianceOf(new Map([["web1", host()], ["web2", failedHost()]]), new Map()));
    expect(compliance.hosts["web2"]).toEqual({ problem: "its update failed" });
    expect(compliance.total).toMatchObject({ hosts: 2, unknownHosts: ["web2"], passed: 34, failed: 2 });
  });

  it("believes nothing of a first update that was left half-done", async () => {
    const half = { cis: output(undefined), pending: output(undefined) } as unknown as Host;
    expect((await valueOf(complianceOf(new Map([["web1", half]]), new Map()))).total).toMatchObject({ hosts: 1, unknownHosts: ["web1"], passed: 0 });
  });
});
