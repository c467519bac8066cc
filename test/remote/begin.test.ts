/** What every part of the program on the host stands on: in each shell that a host's `sh` may be. */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/shell.ts";

const begin = new URL("../../src/remote/transaction/begin.sh", import.meta.url).pathname;

/** A word a line on stdout. */
function run(shell: string, script: string): string[] {
  const stage = temporaryFolder();
  writeFileSync(join(stage, "settings"), "");
  const { stdout } = spawnSync(shell, ["-c", `. ${begin}\n${script}`, "sh", "apply", stage], { encoding: "utf8" });
  return stdout.split("\n").filter(Boolean);
}

describe.each(["dash", "bash"])("apart, in %s,", (shell) => {
  it("what fails in the middle goes no further, and who called it does", () => {
    expect(run(shell, `work() { echo begun; false; echo "went on"; }\napart work\necho "status $status"`)).toEqual(["begun", "status 1"]);
  });

  it("also where a part of it asks whether something went well", () => {
    const script = `part() { false; }\nwork() { part || echo asked; part; echo "went on"; }\nwhole() { apart work; [ "$status" -eq 0 ] || { echo "refused"; exit 20; }; }\nwhole`;
    expect(run(shell, script)).toEqual(["asked", "refused"]);
  });

  it("the status of who ends it by itself is told, and one that went well is 0", () => {
    expect(run(shell, `apart refuse "no room"\necho "status $status"\napart true\necho "status $status"`)).toEqual(["refused: no room", "status 20", "status 0"]);
  });

  it("nothing that it sets is left, and it has what was set before", () => {
    expect(run(shell, `word=before\nwork() { echo "$word"; word=after; }\napart work\necho "$word"`)).toEqual(["before", "before"]);
  });
});
