import { expect, it } from "vitest";
import { notUnchanged } from "../../../scripts/bench/pyinfra.ts";

const total = (columns: string) => `    /etc/docker/daemon.json   1   ${columns}\n    Grand total   16   ${columns}\n`;
const found = (change: string) => `--> Detected changes:\n    Operation                 Change   Conditional Change   \n    /etc/docker/daemon.json   ${change}        -                    \n    systemctl daemon-reload   -        1 (light1)           \n`;

it.each([
  ["a first run may change what it likes", "first", total("16   -   -"), undefined],
  ["a second run that changes nothing", "no-op", total("-   -   16"), undefined],
  ["a second run that changes something", "no-op", total("1   -   15"), "pyinfra's second run was to change nothing"],
  ["a second run that did not come to its end", "no-op", "", "pyinfra's second run was to change nothing"],
  ["a dry run that finds nothing", "check", found("-"), undefined],
  ["a dry run that finds a change", "check", found("1 (light1)"), "pyinfra's dry run was to find nothing to change"],
  ["a dry run that does not look", "check", "--> Skipping change detection\n", "pyinfra's dry run was to find nothing to change"],
] as const)("%s", (_what, step, output, problem) => {
  expect(notUnchanged(step, output)).toBe(problem);
});
