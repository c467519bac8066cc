/** The commit that a table of faults can name: only one that has the very code that is tried. */

import { $ } from "zx";
import { LabError } from "../../lab/settings.ts";

/**
 * @param covered what has to be in that commit as it is in the folder
 * @throws LabError with the files that are not
 */
export async function committed(root: string, covered: readonly string[]): Promise<string> {
  const git = $({ quiet: true, nothrow: true, cwd: root });
  const [commit, changed] = [await git`git rev-parse --short=10 HEAD`, await git`git status --porcelain -- ${covered}`];
  if (commit.exitCode !== 0 || changed.exitCode !== 0) throw new LabError("the table names the commit that was tried, and there is no git repository; `--only` writes no table");
  const files = changed.stdout.trimEnd();
  if (files !== "") throw new LabError(`the table names the commit that was tried, and these are not committed; commit them first, or try rows with \`--only\`, which writes no table:\n${files}`);
  return commit.stdout.trim();
}
