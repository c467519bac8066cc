/** How to make the code agree with the hosts after a rollback: the next plain `pulumi up` applies what the stack file says. */

import { headline, shortCommit, type Update } from "./history.ts";

/** Runs `git` in the project. @returns what it printed; undefined when it failed */
export type AskGit = (words: string[]) => string | undefined;

/**
 * @param paths what the hosts are rendered from, relative to the project; the stack file first
 */
export function adviseCode(update: Update, paths: string[], git: AskGit): string {
  const file = paths[0] ?? "";
  const { commit, number, dirty } = update;
  if (commit === undefined) return `The history names no commit for update ${number}: make ${file} say again what it said then.`;
  const at = `commit ${shortCommit(commit)}${dirty ? ", with changes that were not committed" : ""}`;
  const known = git(["cat-file", "-e", `${commit}^{commit}`]) !== undefined;
  if (!known) return `Update ${number} was made from ${at}, which is not in this clone: fetch it, then git checkout ${shortCommit(commit)} -- ${file}`;
  const tracked = paths.filter((path) => git(["ls-files", "--error-unmatch", "--", path]) !== undefined && git(["cat-file", "-e", `${commit}:./${path}`]) !== undefined);
  if (!tracked.includes(file)) return `Update ${number} was made from ${at}, but git does not have ${file}: make it say again what it said then.`;
  const since = (git(["log", "--format=%h %s", `${commit}..HEAD`, "--", ...tracked]) ?? "").split("\n").filter(Boolean);
  const uncommitted = (git(["status", "--porcelain", "--", ...tracked]) ?? "").trim() !== "";
  if (since.length === 0 && !uncommitted) {
    return dirty
      ? `Update ${number} was made from ${at}: make ${file} say again what it said then.`
      : `${tracked.join(" and ")} ${tracked.length === 1 ? "is" : "are"} as of ${at} already; if \`pulumi preview\` shows a change, it comes from another commit of Drydock itself.`;
  }
  const checkout = `git checkout ${shortCommit(commit)} -- ${tracked.join(" ")}`;
  const [only] = since;
  const revert = only !== undefined && since.length === 1 && !uncommitted ? `git revert ${only.split(" ")[0] ?? ""}` : undefined;
  return [
    `Update ${number} was made from ${at}. Since then:`,
    ...since.slice(0, shownCommits).map((line) => `  ${headline(line)}`),
    ...(since.length > shownCommits ? [`  and ${since.length - shownCommits} older ones`] : []),
    ...(uncommitted ? ["  changes that are not committed"] : []),
    revert === undefined ? `To take that back: ${checkout}` : `To take that back: ${revert}, or ${checkout}`,
  ].join("\n");
}

// --- Internal ---

const shownCommits = 10;
