import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { backendFolder } from "../../src/rollback/backend-folder.ts";
import { readFileHistory } from "../../src/rollback/file-history.ts";
import { checkpointText } from "../support/history.ts";

let folder: string;
let place: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-history-"));
  place = join(folder, ".pulumi/history/drydock/prod");
  mkdirSync(place, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = () => readFileHistory({ url: `file://${folder}`, folder: "/", project: "drydock", stack: "prod" });
const entry = (message: string) => JSON.stringify({ kind: "update", startTime: 1795438468, message, result: "succeeded" });

/** As the engine does, with the attributes that it puts beside each file. */
function write(name: string, content: string | Buffer): void {
  writeFileSync(join(place, name), content);
  writeFileSync(join(place, `${name}.attrs`), `{"user.cache_control":""}`);
}

describe("the history of a file backend", () => {
  it("is counted from its oldest update on, packed or not, and through a new name of the stack", async () => {
    write("prod-1795438474537440624.history.json.zst", zstdCompressSync(entry("third")));
    write("prod-1795438474537440624.checkpoint.json.zst", zstdCompressSync(checkpointText({ web3: {} })));
    write("old-name-1795438467489180284.history.json", entry("first"));
    write("old-name-1795438467489180284.checkpoint.json", checkpointText({ web1: {} }));
    write("prod-1795438471510244701.history.json.gz", gzipSync(entry("second")));
    // The engine copies the state as it is, whatever the name says.
    write("prod-1795438471510244701.checkpoint.json.gz", checkpointText({ web2: {} }));
    const { updates, checkpoint } = open();
    expect(updates.map(({ number, message }) => [number, message])).toEqual([[1, "first"], [2, "second"], [3, "third"]]);
    expect(await Promise.all([1, 2, 3].map(async (number) => [...(await checkpoint(number)).keys()]))).toEqual([["web1"], ["web2"], ["web3"]]);
  });

  it("says which checkpoint is gone, when it is asked for", async () => {
    write("prod-1.history.json", entry("first"));
    const { updates, checkpoint } = open();
    expect(updates).toHaveLength(1);
    await expect(checkpoint(1)).rejects.toThrow(`update 1: its checkpoint is not there any more (${place}/prod-1.checkpoint.json)`);
  });

  it.each([
    ["{", "can't be read"],
    ["{}", "is no entry of a history"],
  ])("says which entry is damaged: %j", (text, message) => {
    write("prod-1.history.json", text);
    expect(open).toThrow(`${place}/prod-1.history.json: ${message}`);
  });

  it("is not there for a stack without an update", () => {
    rmSync(place, { recursive: true });
    expect(open).toThrow(`stack prod has no update yet: ${place} is not there`);
  });
});

it.each([
  ["file:///srv/state", "/srv/state"],
  ["file:///srv/state?no_tmp_dir=true&metadata=skip", "/srv/state"],
  ["file://~", homedir()],
  ["file://~/state", join(homedir(), "state")],
  ["file://./state", "/srv/project/state"],
  ["file://../state", "/srv/state"],
])("%s is the folder %s", (url, expected) => {
  expect(backendFolder(url, "/srv/project")).toBe(expected);
});
