import { describe, expect, it } from "vitest";
import { parseCheckpoint } from "../../src/rollback/checkpoint.ts";
import { RollbackError } from "../../src/rollback/error.ts";
import { checkpointText, urnOf } from "../support/history.ts";

const host = (more: object = {}) => ({ urn: urnOf("web1"), type: "drydock:index:Host", inputs: { daemon: {} }, outputs: { asApplied: true }, ...more });

describe("the hosts of a state", () => {
  it.each([
    ["a checkpoint file", { version: 3, checkpoint: { stack: "prod", latest: { resources: [host()] } } }],
    ["what is exported", { version: 3, deployment: { resources: [host()] } }],
  ])("are read from %s", (_, file) => {
    expect([...parseCheckpoint(JSON.stringify(file), "x")]).toEqual([["web1", { name: "web1", urn: urnOf("web1"), inputs: { daemon: {} }, asApplied: true, deferred: false, unfinished: false }]]);
  });

  it.each<[string, object]>([
    ["a stack without anything", { checkpoint: { stack: "prod" } }],
    ["a stack that was emptied", { deployment: { resources: null, pending_operations: null } }],
    ["other resources", { deployment: { resources: [{ urn: "urn:pulumi:prod::drydock::command:remote:Command::gate", type: "command:remote:Command" }] } }],
    ["one that is only still to be deleted", { deployment: { resources: [host({ delete: true })] } }],
  ])("are none in %s", (_, file) => {
    expect(parseCheckpoint(JSON.stringify(file), "x").size).toBe(0);
  });

  it.each<[string, object, object]>([
    ["nothing says that they are as applied", { outputs: { engine: "29" } }, { asApplied: false, unfinished: false }],
    ["they are what was seen", { outputs: { asApplied: false } }, { asApplied: false }],
    ["the update was left for later", { outputs: { asApplied: false, deferred: true } }, { asApplied: false, deferred: true }],
    ["half of them was made", { outputs: undefined, initErrors: ["web1: the link failed"] }, { asApplied: false, unfinished: true }],
  ])("are not as applied where %s", (_, more, expected) => {
    expect(parseCheckpoint(JSON.stringify({ deployment: { resources: [host(more)] } }), "x").get("web1")).toMatchObject(expected);
  });

  it("are unfinished where an update was cut off", () => {
    const read = parseCheckpoint(checkpointText({ web1: { pending: true }, web2: {} }), "x");
    expect([...read.values()].map(({ name, unfinished }) => [name, unfinished])).toEqual([["web1", true], ["web2", false]]);
  });

  it.each([
    ["", "old.json: is not JSON"],
    ["{}", "old.json: is neither a checkpoint nor what `pulumi stack export` prints"],
    [`{"checkpoint":{"latest":{"resources":[{"type":1}]}}}`, "old.json: is neither a checkpoint nor what `pulumi stack export` prints"],
    [`[]`, "old.json: is neither a checkpoint nor what `pulumi stack export` prints"],
  ])("are refused in %j", (text, message) => {
    expect(() => parseCheckpoint(text, "old.json")).toThrow(new RollbackError(message));
  });
});
