import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { root } from "../../../scripts/engine.ts";
import { codeDigest, count, covered, digestIn, renderTable, rowsIn, type TriedRow } from "../../../scripts/faults/table.ts";
import { withoutRow } from "../../../scripts/faults/without-row.ts";
import { faults } from "../../e2e/faults/faults.ts";

describe("docs/faults.md", () => {
  const table = readFileSync(join(root, "docs/faults.md"), "utf8");

  it("is of this very code; else run `npm run faults`", () => {
    expect(digestIn(table)).toBe(codeDigest(root));
  });

  it("has a row for each fault in each of its steps, 60 at least, but for those that it says it is without", () => {
    const rows = rowsIn(table);
    expect(rows.map(({ fault, step }) => `${fault}, ${step}`)).toEqual(faults.flatMap(({ name, steps }) => steps.map((step) => `${name}, ${step}`).filter((row) => !withoutRow.includes(row))));
    expect(withoutRow.length === 0 || table.includes(`Without a row that passed with this code: ${withoutRow.join("; ")}.`)).toBe(true);
    expect(rows.map(({ number }) => number)).toEqual(rows.map((_, i) => i + 1));
    expect(rows.length).toBeGreaterThanOrEqual(60);
  });

  it("has no row with a mixture, a daemon that is lost or data that are", () => {
    expect(count(rowsIn(table))).toEqual({ mixtures: 0, daemonsLost: 0, bytesLost: 0 });
  });

  it("has each row end as that fault has to, with its evidence and a time", () => {
    for (const row of rowsIn(table)) {
      const fault = faults.find(({ name }) => name === row.fault);
      const step = fault?.steps.find((name) => name === row.step) ?? expect.fail(`no such row: ${row.fault}, ${row.step}`);
      expect([row.fault, row.step, row.ended]).toEqual([row.fault, row.step, fault?.ends(step)]);
      expect(["ran on", ...(fault?.restarts ? ["runs again"] : [])]).toContain(row.container);
      expect(row.evidence).not.toBe("");
      expect(row.seconds).toBeGreaterThan(0);
    }
  });

  it("has each way back from a lock-out begin after the change, and within its time limit", () => {
    const rows = rowsIn(table).filter(({ fault }) => fault.includes("locks us out"));
    expect(rows).not.toEqual([]);
    for (const { evidence } of rows) {
      const [, seconds] = /the way back began (-?\d+) s after the change/.exec(evidence) ?? [];
      expect(Number(seconds)).toBeGreaterThanOrEqual(0);
      // The limit of a trial, and what the timer may be late on an emulated machine.
      expect(Number(seconds)).toBeLessThanOrEqual(45);
    }
  });
});

describe("a table", () => {
  const run = { date: "2026-11-23 14:05", commit: "abc1234567", machine: "2 cores" };
  const row: TriedRow = { fault: "power cut, and boot", step: "installing", evidence: "boot a|b", ended: "old", daemon: "up, old", container: "runs again", files: "64 old", kernel: "41 old", data: "4000000 of 4000000", seconds: 40, run };
  const text = renderTable([row, { ...row, seconds: 20 }], "0123456789abcdef");

  it("can be read again", () => {
    expect(digestIn(text)).toBe("0123456789abcdef");
    expect(text).toContain(String.raw`| 1 | power cut, and boot | installing | boot a\|b | old | up, old | runs again | 64 old | 41 old | 4000000 of 4000000 | 40 |`);
    const cells = { ...row, run: undefined, evidence: String.raw`boot a\|b` };
    expect(rowsIn(text)).toEqual([{ ...cells, number: 1 }, { ...cells, number: 2, seconds: 20 }]);
    expect(() => rowsIn("| 1 | a row | of an older table |")).toThrow("not a row of the table");
  });

  it("says how long it takes, and where it was made", () => {
    expect(text).toContain("2 rows, 0 mixtures, 0 daemons lost, 0 bytes of user data lost. Median 40 s, longest 40 s.");
    expect(text).toContain("\nDate: 2026-11-23 14:05 UTC. Commit: abc1234567. 2 cores.\n");
  });

  it("says what it is without", () => {
    expect(text).not.toContain("Without a row");
    expect(renderTable([row], "0123456789abcdef", ["a fault, saving", "another, begun"])).toMatch(/\n\nWithout a row that passed with this code: a fault, saving; another, begun\.\n$/);
  });

  it("says which rows are of another run", () => {
    const resumed = renderTable([row, { ...row, run: { ...run, date: "2026-11-24 09:00", commit: "def1234567" } }, row], "0123456789abcdef");
    expect(resumed).toContain("\n- Date: 2026-11-23 14:05 UTC. Commit: abc1234567. 2 cores. 2 rows.\n- Date: 2026-11-24 09:00 UTC. Commit: def1234567. 2 cores. 1 rows.\n");
  });

  it.each<[string, Partial<TriedRow>, Partial<ReturnType<typeof count>>]>([
    ["files of the other state", { files: "64 new" }, { mixtures: 1 }],
    ["files of no state", { files: "64 no state" }, { mixtures: 1 }],
    ["a kernel of the other state", { kernel: "41 new" }, { mixtures: 1 }],
    ["a daemon with other settings", { daemon: "up, new" }, { mixtures: 1 }],
    ["a daemon that is down", { daemon: "down" }, { mixtures: 1, daemonsLost: 1 }],
    ["a byte that is lost", { data: "3999999 of 4000000" }, { bytesLost: 1 }],
    ["data that nobody can read", { data: "" }, { bytesLost: 1 }],
    ["what somebody else changed", { ended: "old, with what somebody else changed", files: "64 old, with theirs" }, {}],
    ["theirs in a row that has none", { files: "64 old, with theirs" }, { mixtures: 1 }],
  ])("counts %s, and says it", (_, change, expected) => {
    const counted = { mixtures: 0, daemonsLost: 0, bytesLost: 0, ...expected };
    const changed = renderTable([row, { ...row, ...change }], "0123456789abcdef");
    expect(count(rowsIn(changed))).toEqual(counted);
    expect(changed).toContain(`2 rows, ${counted.mixtures} mixtures, ${counted.daemonsLost} daemons lost, ${counted.bytesLost} bytes of user data lost.`);
  });
});

describe("the code that a table covers", () => {
  const copy = mkdtempSync(join(tmpdir(), "drydock-covered-"));
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it("has another sum with one letter more, or one file more, in any of it", () => {
    for (const folder of covered) cpSync(join(root, folder), join(copy, folder), { recursive: true });
    const sums = [codeDigest(root), codeDigest(copy)];
    expect(sums[1]).toBe(sums[0]);
    for (const file of ["src/config/daemon/network.ts", "src/desired/json.ts", "src/effect/daemon.ts", "src/observed/observation.ts", "src/plan/plan.ts", "src/provider/release.ts", "src/remote/transaction/guard.sh", "templates/etc/apparmor.d/drydock-container.hbs", "test/e2e/faults/faults.ts"]) {
      appendFileSync(join(copy, file), "#");
      sums.push(codeDigest(copy));
    }
    mkdirSync(join(copy, "src/remote/more"));
    writeFileSync(join(copy, "src/remote/more/file.sh"), "");
    sums.push(codeDigest(copy));
    expect(new Set(sums).size).toBe(sums.length - 1);
  });
});
