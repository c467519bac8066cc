/**
 * The part of AppArmor's language (apparmor.d(5)) that a template may render: one profile a file, under the file's own name, in
 * enforce mode, a rule a line. apparmor_parser on the host checks the rest before anything is touched; what it would take and we
 * don't is what undoes a profile: another mode, a way out of it, a second profile.
 */

import { showValue } from "../config/problems.ts";
import type { Refusal } from "./check-rendered.ts";

/** What is wrong with the text of the profile `name`; nothing if it may go to a host. */
export function checkProfile(name: string, text: string): Refusal | undefined {
  let state: "before" | "inside" | "after" = "before";
  for (const [index, line] of text.slice(0, -1).split("\n").entries()) {
    const refuse = (why: string): Refusal => ({ line: index + 1, text: why });
    const rule = line.trim();
    if (isComment(rule)) continue;
    if (state === "after") return refuse(`${showValue(rule)} stands after the profile's end`);
    if (state === "before") {
      if (preamble.test(rule)) continue;
      const [, found, flags = ""] = /^profile (\S+?)(?: flags=\(([^)]*)\))? \{$/.exec(rule) ?? [];
      if (found === undefined) return refuse(`${showValue(rule)} is no line profile ${name} flags=(…) {`);
      if (found !== name) return refuse(`the profile is called ${showValue(found)}, and must be ${name} as the file is`);
      const flag = flags.split(/[ ,]+/).find((word) => word !== "" && !harmlessFlags.includes(word));
      if (flag !== undefined) return refuse(`the flag ${showValue(flag)} is not allowed; allowed: ${harmlessFlags.join(", ")}`);
      state = "inside";
    } else if (rule === "}") {
      state = "after";
    } else {
      const refusal = checkRule(rule);
      if (refusal !== undefined) return refuse(refusal);
    }
  }
  return state === "after" ? undefined : { line: 0, text: state === "before" ? `no profile ${name}` : "the profile has no end, }" };
}

// --- Internal ---

/** `#include` is no comment but the old way to write `include`. */
const isComment = (line: string): boolean => line === "" || (line.startsWith("#") && !/^#\s*include\b/.test(line));

const preamble = /^(?:abi <abi\/[\w.-]+>,|include (?:if exists )?<(?:tunables|abstractions)\/[\w./-]+>)$/;
const inside = /^include (?:if exists )?<abstractions\/[\w./-]+>$/;
const harmlessFlags = ["attach_disconnected", "enforce", "mediate_deleted"];

const keywords = ["capability", "network", "file", "mount", "remount", "umount", "pivot_root", "signal", "ptrace", "unix", "dbus", "mqueue", "io_uring", "userns", "set rlimit", "link"];
const start = new RegExp(`^(?:(?:audit|allow|deny|owner) )*(?:(?:${keywords.join("|")})(?=[ ,]|$)|["/]|@\\{)`);

function checkRule(rule: string): string | undefined {
  if (inside.test(rule)) return undefined;
  if (!start.test(rule)) return `${showValue(rule)} is no rule; allowed: ${keywords.join(", ")}, or a path`;
  // Commas and brackets inside of a pattern, a list or quotes end nothing.
  const plain = rule.replaceAll(/"[^"]*"|@?\{[^{}]*\}|\([^()]*\)|\[[^\]]*\]/g, "0");
  if (!/^[^,{}()"#]*,$/.test(plain)) return `${showValue(rule)} is not one rule with a comma at its end`;
  if (plain.includes("->")) return `${showValue(rule)} leaves the profile`;
  // file and path rules: PATH PERMISSIONS, or PERMISSIONS PATH
  const isDeny = /^(?:audit )?deny /.test(rule);
  const permissions = /^(?:(?:audit|allow|deny|owner) )*(?:file\b|link\b|[/0])/.test(plain) ? plain.slice(0, -1).split(/\s+/).filter((word) => /^[rwaklmxiupcUPC]+$/.test(word)) : [];
  const leaves = permissions.find((word) => /[upcUPC]/.test(word) || (word.includes("x") && !word.includes("ix") && !isDeny));
  return leaves === undefined ? undefined : `${showValue(leaves)} executes outside of the profile; allowed: ix`;
}
