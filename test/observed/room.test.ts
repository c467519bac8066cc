import { expect, it } from "vitest";
import { parseNeed } from "../../src/observed/need-answers.ts";
import { parseDiskErrors, parseRoom } from "../../src/observed/room.ts";

it("room is told in bytes and inodes", () => {
  expect(parseRoom("18022183 4096 16069043 16777216 /etc\n")).toEqual([{ path: "/etc", bytes: 18022183 * 4096, inodes: 16069043, allInodes: 16777216 }]);
  expect(() => parseRoom("stat: no\n")).toThrow("stat -f printed something unexpected: stat: no");
});

it("errors of a disk are told by its number", () => {
  expect(parseDiskErrors("")).toEqual({});
  expect(parseDiskErrors("254:0 3\n8:1 12\n")).toEqual({ "254:0": 3, "8:1": 12 });
  expect(() => parseDiskErrors("vda 3\n")).toThrow("not of this form: vda 3");
});

it.each([
  ["yes\n", { met: true }],
  ["no it is not there\n", { met: false, why: "it is not there" }],
  ["no\n", { met: false, why: "" }],
])("an answer: %j", (text, answer) => {
  expect(parseNeed(text)).toEqual(answer);
});

it.each(["", "none of it", "yes and no", "no a\nb"])("no answer: %j", (text) => {
  expect(() => parseNeed(text)).toThrow(/^neither yes nor no: /);
});
