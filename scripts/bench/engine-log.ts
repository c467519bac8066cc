/**
 * The engine writes a log of each command below PULUMI_HOME/logs and has no switch for it, but goes without one where it can't make that
 * folder (pkg/logging, StartLogging).
 */

import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

export interface PulumiHome {
  /** For PULUMI_HOME. */
  path: string;
  remove: () => void;
}

/** A PULUMI_HOME with the same engine, in which a file is where the folder of logs would be. */
export function homeWithoutLogs(own = process.env.PULUMI_HOME || join(homedir(), ".pulumi")): PulumiHome {
  const path = mkdtempSync(join(tmpdir(), "drydock-bench-home-"));
  symlinkSync(join(own, "versions"), join(path, "versions"));
  writeFileSync(join(path, "logs"), "");
  return { path, remove: () => rmSync(path, { recursive: true }) };
}
