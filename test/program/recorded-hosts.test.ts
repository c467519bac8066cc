import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { recordedHosts, recordedRollout, renderRecordedHosts } from "../../src/program/recorded-hosts.ts";
import { rendered } from "../support/wish.ts";

it("hosts of a rollback come back from their file as they were", () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-recorded-"));
  try {
    const hosts = new Map([["web1", rendered()], ["web.2", rendered({}, "baseline")]]);
    writeFileSync(join(folder, "hosts.json"), renderRecordedHosts(hosts));
    expect(recordedHosts({ DRYDOCK_ROLLBACK: join(folder, "hosts.json") })).toEqual(hosts);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it.each([{}, { DRYDOCK_ROLLBACK: "" }])("without a file this is no rollback: %j", (environment) => {
  expect(recordedHosts(environment)).toBeUndefined();
});

describe("the waves of a rollback", () => {
  const hosts = new Map(["web1", "web2", "old"].map((name) => [name, {}]));

  it("are today's, and who is in none comes last", () => {
    const rollout = { waves: [["web1"], ["web2"]], maxFailures: 1 };
    expect(recordedRollout(hosts, rollout)).toEqual({ rollout: { waves: [["web1"], ["web2"], ["old"]], maxFailures: 1 } });
  });

  it("are none without any, also when the stack file is the mistake", () => {
    expect(recordedRollout(hosts, undefined)).toEqual({});
  });
});
