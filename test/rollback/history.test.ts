import { describe, expect, it } from "vitest";
import { describeUpdate, parseUpdate } from "../../src/rollback/history.ts";

// As the file backend writes it, and as `pulumi stack history --json` prints it.
const inFile = { kind: "update", startTime: 1795438468, message: "second\n\nwhy", environment: { "git.author": "Ann", "git.head": "974b3ef0501801c80bf4ea037a3f603c2c61b7dd", "git.dirty": "true", "pulumi.flag.target": "set" }, version: 0, result: "succeeded", endTime: 1795438471 };
const printed = { version: 7, kind: "destroy", startTime: "2026-11-23T12:54:28.000Z", message: "", environment: {}, result: "failed" };

describe("an entry of the history", () => {
  it("of a file has its number from its place", () => {
    const update = parseUpdate(inFile, 2);
    expect(update).toEqual({ number: 2, kind: "update", started: new Date("2026-11-23T12:54:28Z"), message: "second\n\nwhy", author: "Ann", commit: inFile.environment["git.head"], dirty: true, succeeded: true, partial: true });
    expect(update && describeUpdate(update)).toBe("update 2, 2026-11-23 12:54 UTC, commit 974b3ef: second");
  });

  it("that is printed has its number in it, and outside of git no commit", () => {
    const update = parseUpdate(printed);
    expect(update).toEqual({ number: 7, kind: "destroy", started: new Date("2026-11-23T12:54:28Z"), message: "", dirty: false, succeeded: false, partial: false });
    expect(update && describeUpdate(update)).toBe("update 7, 2026-11-23 12:54 UTC: (no message)");
  });

  it.each([[undefined], [null], ["x"], [{}], [{ kind: "update", startTime: "yesterday" }]])("is not %j", (value) => {
    expect(parseUpdate(value)).toBeUndefined();
  });
});
