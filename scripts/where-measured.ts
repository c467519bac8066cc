/** What a page of figures says of itself: the machine, the day and the commit. */

import { cpus, totalmem } from "node:os";
import { $ } from "zx";

export interface WhereMeasured {
  /** e.g. `2 × AMD EPYC, 24 GiB` */
  machine: string;
  /** e.g. `2026-11-23` */
  date: string;
  /** Ten letters, with `-dirty` where something is not committed; `unknown` without a repository. */
  commit: string;
}

export async function whereMeasured(): Promise<WhereMeasured> {
  const commit = await $({ quiet: true, nothrow: true, cwd: import.meta.dirname })`git describe --always --dirty --abbrev=10`;
  const [cpu] = cpus();
  return {
    machine: `${cpus().length} × ${cpu?.model.trim() || "CPU"}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    date: new Date().toISOString().slice(0, 10),
    commit: commit.stdout.trim() || "unknown",
  };
}
