import { expect, it } from "vitest";
import type { Disruption } from "../../src/desired/host-inputs.ts";
import { consentsToday } from "../../src/rollback/consents.ts";

it.each<[string, Disruption[] | undefined, Disruption[] | undefined, Disruption[], Disruption[]]>([
  ["what the stack file says", ["restore-original"], ["hide-containers"], [], ["restore-original"]],
  ["what the last update was told, where the stack file can't be read", undefined, ["restore-original"], [], ["restore-original"]],
  ["what is asked for besides", ["restore-original"], undefined, ["hide-containers", "restore-original"], ["hide-containers", "restore-original"]],
  ["nothing, where nobody consents", undefined, undefined, [], []],
])("consent to a rollback is %s", (_, declared, current, asked, expected) => {
  expect(consentsToday(declared && { allow: declared }, current && { allow: current }, asked)).toEqual(expected);
});
