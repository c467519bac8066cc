import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { engineEnvironment, EngineError, runEngine } from "../../scripts/engine.ts";

describe("the engine's environment", () => {
  it("lets other hosts go on, and many at a time", () => {
    expect(engineEnvironment({})).toMatchObject({ PULUMI_SKIP_UPDATE_CHECK: "1", PULUMI_CONTINUE_ON_ERROR: "true", PULUMI_PARALLEL: "32" });
  });

  it("is as the user wants it", () => {
    expect(engineEnvironment({ PULUMI_PARALLEL: "4", PULUMI_CONTINUE_ON_ERROR: "false" })).toMatchObject({ PULUMI_PARALLEL: "4", PULUMI_CONTINUE_ON_ERROR: "false" });
  });
});

describe("a run of the engine", () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-engine-"));

  function standIn(script: string): { program: string } {
    mkdirSync(folder, { recursive: true });
    const program = join(folder, "pulumi");
    writeFileSync(program, `#!/bin/sh\n${script}\n`);
    chmodSync(program, 0o755);
    return { program };
  }

  it("gives its lines, what it said to stderr and its exit code", async () => {
    const run = await runEngine({ ...standIn('echo "$1 $2"; printf "no end"; echo oops >&2; exit 3'), words: ["a", "b c"] });
    expect(run).toEqual({ exitCode: 3, lines: ["a b c", "no end"], stderr: "oops\n" });
  });

  it("hands on each line as it comes", async () => {
    const lines: string[] = [];
    const run = await runEngine({ ...standIn("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done"), words: [], onLine: (line) => lines.push(line) });
    expect([run.lines, lines.length, lines.at(-1)]).toEqual([[], 2000, "line 1999"]);
  });

  it("has our environment, and what is taken away is gone", async () => {
    const { lines } = await runEngine({ ...standIn('echo "${PULUMI_CONTINUE_ON_ERROR-} ${ADDED-} ${HOME-none}"'), words: [], env: { ADDED: "yes", HOME: undefined } });
    expect(lines).toEqual(["true yes none"]);
  });

  it("that can't begin says what to do", async () => {
    rmSync(folder, { recursive: true });
    await expect(runEngine({ program: join(folder, "pulumi"), words: [] })).rejects.toThrow(EngineError);
    await expect(runEngine({ program: join(folder, "pulumi"), words: [] })).rejects.toThrow("`npm run setup` installs it");
  });
});
