/** Who applies: what a host keeps of it, for people who find it changed. */

import { execFileSync } from "node:child_process";
import { hostname, userInfo } from "node:os";
import type { Owner } from "../observed/observation.ts";
import { updateNumber } from "./update-number.ts";

/** e.g. `by ops@desk`, on a file backend `update 7`, and, inside a git checkout, `commit 1a2b3c4d5e`. */
export function signature({ stack }: Owner): string[] {
  // One process serves one stack.
  known ??= [`by ${oneWord(`${userInfo().username}@${hostname()}`)}`, ...update(stack), ...commit()];
  return known;
}

// --- Internal ---

let known: string[] | undefined;

function update(owner: string): string[] {
  const [project = "", stack = ""] = owner.split("/");
  const number = updateNumber(project, stack);
  return number === undefined ? [] : [`update ${number}`];
}

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
