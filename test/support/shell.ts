/** Running POSIX sh for tests, the way hosts do: dash where there is one, since it is the strictest and Debian's `sh`. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export const sh = existsSync("/usr/bin/dash") ? "/usr/bin/dash" : "/bin/sh";

/** What a script prints. @throws when it fails, with what it said on stderr. */
export function runSh(script: string, env: Record<string, string> = {}): Buffer {
  const { status, stdout, stderr } = spawnSync(sh, ["-s"], { input: script, env: { PATH: process.env.PATH ?? "", LC_ALL: "C", ...env }, maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) throw new Error(`sh ended with ${status ?? "a signal"}: ${stderr.toString()}`);
  return stdout;
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "drydock-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
