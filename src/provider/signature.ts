/** Who applies: what a host keeps of it, for people who find it changed. */

import { execFileSync } from "node:child_process";
import { hostname, userInfo } from "node:os";

/** e.g. `by ops@desk` and, inside a git checkout, `commit 1a2b3c4d5e`. */
export function signature(): string[] {
  known ??= [`by ${oneWord(`${userInfo().username}@${hostname()}`)}`, ...commit()];
  return known;
}

// --- Internal ---

let known: string[] | undefined;

function commit(): string[] {
  try {
    const head = execFileSync("git", ["rev-parse", "--short=10", "HEAD"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 5000 });
    return [`commit ${oneWord(head.trim())}`];
  } catch {
    // No git, or no repository: there is none to tell.
    return [];
  }
}

const oneWord = (text: string) => text.replaceAll(/[^\w@.-]/g, "_");
