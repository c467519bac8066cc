import { describe, expect, it } from "vitest";
import { originOf, rollbackMessage, updateBefore, updateNamed } from "../../src/rollback/choose-update.ts";
import { historyOf, type Left } from "../support/history.ts";

const level = (value: string, update: Left["update"] = {}, more: Left["hosts"] = {}): Left => ({ update, hosts: { web1: { args: { daemon: { "log-level": value } } }, ...more } });
const failed = { succeeded: false };
const rollback = (to: number, value: string, update: Left["update"] = {}): Left => level(value, { partial: true, message: rollbackMessage(to, ""), ...update });

describe("without --to a rollback goes to", () => {
  it.each<[string, Left[], number]>([
    ["the update before", [level("info"), level("warn"), level("error")], 2],
    ["the last one that left something else", [level("info"), level("warn"), level("warn"), level("warn", { kind: "refresh" })], 1],
    ["the last one that left something else on a host of both", [level("info"), level("warn"), level("warn", {}, { web2: {} })], 1],
    ["the last one that succeeded, after one that failed", [level("info"), level("warn"), level("error", failed)], 2],
    ["the last one that succeeded, after some that failed", [level("info"), level("warn"), level("error", failed), level("debug", failed)], 2],
    ["no update that failed", [level("info"), level("warn", failed), level("error")], 1],
    ["the last update, after a destroy", [level("info"), level("warn"), { update: { kind: "destroy" }, hosts: {} }], 2],
    ["where the last rollback went", [level("info"), level("warn"), level("info", { partial: true, message: rollbackMessage(1, "number 1") })], 1],
    ["where a rollback that failed half-way was going", [level("info"), level("warn"), level("error"), level("warn", { ...failed, partial: true, message: rollbackMessage(1, "") })], 1],
    ["the update before, where a commit only sounds like a rollback", [level("info"), level("warn"), level("error", { message: "rollback to update 1" })], 2],
    ["before what a rollback has taken back, also when the code was made to agree since", [level("info"), level("debug"), level("bad"), rollback(2, "debug"), level("debug")], 1],
    ["before what a rollback that failed half-way was to take back, after an update that failed, too", [level("info"), level("bad"), rollback(1, "bad", failed), level("bad", failed)], 1],
    ["what came after a rollback", [level("info"), level("bad"), rollback(1, "info"), level("debug"), level("error")], 4],
    ["nothing before a rollback to a file", [level("info"), level("bad"), level("info", { partial: true, message: rollbackMessage("old.json", "") }), level("warn")], 3],
    ["before the update that followed a rollback", [level("info"), level("warn"), level("info", { partial: true, message: rollbackMessage(1, "") }), level("debug")], 3],
  ])("%s", async (_, left, number) => {
    expect((await updateBefore(historyOf(...left))).number).toBe(number);
  });

  it.each<[string, Left[], string]>([
    ["there is no update", [], "no update is recorded yet, so there is nothing to go back to"],
    ["there is one", [level("info")], "before update 1 no update succeeded that left something else on a host and was not rolled back, so there is nothing to go back to"],
    ["none left something else", [level("info"), level("info")], "before update 2 no update succeeded that left something else on a host and was not rolled back, so there is nothing to go back to"],
    ["none succeeded", [level("info", failed), level("warn")], "before update 2 no update succeeded that left something else on a host and was not rolled back, so there is nothing to go back to"],
    ["the last rollback went to a file", [level("info"), level("warn", { partial: true, message: rollbackMessage("old.json", "") })], "update 2 is a rollback to a file; say where to go: --to <n>"],
    ["where it went is not recorded any more", [level("warn", { partial: true, message: rollbackMessage(40, "") })], "update 1 is a rollback to update 40, which is not recorded any more; say where to go: --to <n>"],
  ])("nowhere, when %s", async (_, left, message) => {
    await expect(updateBefore(historyOf(...left))).rejects.toThrow(message);
  });
});

it("of some hosts it goes to the last one that left something else on one of them", async () => {
  const history = historyOf(level("info", {}, { web2: {} }), level("warn", {}, { web2: {} }), level("warn", {}, { web2: { args: { daemon: { debug: true } } } }));
  expect((await updateBefore(history, ["web1"])).number).toBe(1);
  expect((await updateBefore(history, ["web2"])).number).toBe(2);
  await expect(updateBefore(historyOf(level("info"), level("info")), ["web1"])).rejects.toThrow("left something else on web1 and was not rolled back, so there is nothing to go back to; say where to go: --to <n>");
});

describe("the update whose stack file it was", () => {
  const { updates } = historyOf(level("info"), level("bad"), rollback(1, "info"), rollback(3, "info"), level("info", { partial: true, message: rollbackMessage("update 5.json", "") }));
  const origin = (number: number): number | undefined => {
    const update = updates.find((one) => one.number === number);
    return update && originOf(update, { updates })?.number;
  };

  it.each([[2, 2], [3, 1], [4, 1], [5, undefined]])("of update %i is %s", (number, expected) => expect(origin(number)).toBe(expected));
});

describe("with --to", () => {
  it("goes to that one", () => {
    expect(updateNamed(1, historyOf(level("info"), level("warn"))).number).toBe(1);
  });

  it("says which there are", () => {
    expect(() => updateNamed(3, historyOf(level("info"), level("warn")))).toThrow("--to 3: is not recorded; allowed are 1 to 2");
    expect(() => updateNamed(3, historyOf())).toThrow("--to 3: no update is recorded yet");
  });
});

it.each([
  [2, "second", "rollback to update 2 (second)"],
  [2, "", "rollback to update 2"],
  ["old.json", "", "rollback to old.json"],
  ["update 5", "", 'rollback to "update 5"'],
] as const)("an update to %s (%s) is called %s", (target, note, message) => {
  expect(rollbackMessage(target, note)).toBe(message);
});
