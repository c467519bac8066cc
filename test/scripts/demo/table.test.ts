import { expect, it } from "vitest";
import { differences, renderSummary, renderTable, takeSnapshot, type Snapshot } from "../../../scripts/demo/table.ts";
import { currentBenchmark } from "../../../src/cis/current.ts";
import type { HostInputs } from "../../../src/desired/host-inputs.ts";
import { defaultHost, noIcc, withDaemonJson } from "../../support/observation.ts";

const wish: HostInputs = {
  connection: { host: "192.0.2.10", port: 22 }, allow: [], daemon: { icc: false }, files: {}, modes: {}, reachable: "yes",
  host: { missing: [], starts: [], dockerExecStart: "" },
  inEffect: { services: {}, configuration: "as on disk", daemon: {}, limits: {} },
};

const before = takeSnapshot(defaultHost(), wish);
const after = takeSnapshot(withDaemonJson({ icc: false }, noIcc), wish);

const row = ({ rows }: Snapshot, setting: string) => rows.find((candidate) => candidate.setting === setting);

it("shows what is in effect, and the file where it says something else", () => {
  expect(row(before, "icc")).toEqual({ setting: "icc", value: "true", cis: "2.2", verdict: "fail" });
  expect(row(after, "icc")).toEqual({ setting: "icc", value: "false", cis: "2.2", verdict: "pass" });
  expect(row(takeSnapshot(withDaemonJson({ icc: false }), wish), "icc")?.value).toBe("true (on disk: false)");
});

it("puts the many audit controls in one line", () => {
  expect(row(before, "audit rules")).toEqual({ setting: "audit rules", value: "0 of 9 paths watched", cis: "1.1.3–18", verdict: "fail" });
});

it("names what differs between two looks, and nothing when nothing does", () => {
  expect(differences(before, before)).toEqual([]);
  expect(differences(before, after)[0]).toBe("icc: true => false");
});

it("says which edition of the benchmark it counts by", () => {
  expect(renderSummary(after.summary)).toContain(`${currentBenchmark.name} ${currentBenchmark.version}, sections 1.1, 2 and 3: `);
});

it("fits a terminal of 100 columns", () => {
  for (const table of [renderTable(after), renderTable(after, before)]) {
    expect(Math.max(...table.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  }
});
