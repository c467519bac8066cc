import { expect, it } from "vitest";
import type { Disruption } from "../../src/desired/host-inputs.ts";
import { consentsToday, windowToday } from "../../src/rollback/consents.ts";

it.each<[string, Disruption[] | undefined, Disruption[] | undefined, Disruption[], Disruption[]]>([
  ["what the stack file says", ["restore-original"], ["hide-containers"], [], ["restore-original"]],
  ["what the last update was told, where the stack file can't be read", undefined, ["restore-original"], [], ["restore-original"]],
  ["what is asked for besides", ["restore-original"], undefined, ["hide-containers", "restore-original"], ["hide-containers", "restore-original"]],
  ["nothing, where nobody consents", undefined, undefined, [], []],
])("consent to a rollback is %s", (_, declared, current, asked, expected) => {
  expect(consentsToday(declared && { allow: declared }, current && { allow: current }, asked)).toEqual(expected);
});

const [a, b, c] = [{ window: ["daily 01:00-02:00 UTC"] }, { window: ["daily 02:00-03:00 UTC"] }, { window: ["daily 03:00-04:00 UTC"] }];
it.each<[string, Parameters<typeof windowToday>, object]>([
  ["that of the stack file", [a, b, c], a],
  ["none, where the stack file has none", [{}, b, c], {}],
  ["that of the state, where the stack file can't be read", [undefined, b, c], b],
  ["none, where the state has none", [undefined, {}, c], {}],
  ["the recorded one, where the host is nowhere today", [undefined, undefined, c], c],
])("the window of a rollback is %s", (_, known, expected) => {
  expect(windowToday(...known)).toEqual(expected);
});
