/**
 * Audit rules: the lines of a rules.d file and what `auditctl -l` prints for the same rules, in one spelling (auditctl(8)).
 */

import type { Known } from "../observed/records.ts";
import { coverPermissions } from "./audit-syscalls.ts";

/** The rules of a file, in the spelling of {@link normalizeAuditRule}: comments and empty lines are left out. */
export function auditRulesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("-"))
    .map(normalizeAuditRule);
}

/**
 * One spelling for a rule, whichever way it is written: `-w PATH -p wa -k KEY` (the kernel lists a watch so), a filter and
 * an action in either order, `-S all`, `-k KEY` for `-F key=KEY`, permissions in any order, with or without all system calls that
 * they need.
 */
export const normalizeAuditRule = once(normalize);

/** What is made of a rule is kept: all hosts have much the same rules, and the benchmark asks for each of them again and again. */
export function once<T>(make: (rule: string) => T): (rule: string) => T {
  const made = new Map<string, { value: T }>();
  return (rule) => {
    const before = made.get(rule);
    if (before !== undefined) return before.value;
    // More than any fleet has; whoever sends others all the time shall not fill our memory.
    if (made.size > 10_000) made.clear();
    const value = make(rule);
    made.set(rule, { value });
    return value;
  };
}

/** The path a rule watches. */
export function watchedPath(rule: string): string | undefined {
  return / (?:-F (?:path|dir)=|-w )(\S+)/.exec(` ${rule}`)?.[1];
}

/**
 * What `inEffect.audit` shows for the rules of our file.
 *
 * @returns the rules the kernel has, in the file's order; where it audits nothing or can't be asked, that in one line.
 */
export function auditInEffect(rules: string[], kernel: Known<string[]>, status: Known<Record<string, string>>): string {
  if (!status.known) return `unknown: ${status.reason}`;
  if (!kernel.known) return `unknown: ${kernel.reason}`;
  if (status.value.enabled === "0") return "auditing is off (auditctl -s: enabled 0)";
  const present = new Set(kernel.value.map(normalizeAuditRule));
  return lines(rules.filter((rule) => present.has(rule)));
}

export const lines = (items: string[]) => items.map((item) => `${item}\n`).join("");

// --- Internal ---

function normalize(rule: string): string {
  const words = rule.trim().split(/\s+/);
  const fields: string[] = [];
  const keys: string[] = [];
  let filter = "always,exit";
  let watch: string | undefined;
  for (let i = 0; i < words.length; i += 2) {
    const value = words[i + 1] ?? "";
    if (words[i] === "-a" || words[i] === "-A") filter = value.split(",").sort((a, b) => actions.indexOf(b) - actions.indexOf(a)).join(",");
    else if (words[i] === "-w") watch = value;
    else if (words[i] === "-p") fields.push(`perm=${sortPermissions(value)}`);
    else if (words[i] === "-k") keys.push(`key=${value}`);
    else if (words[i] === "-S") {
      if (value !== "all") fields.push(`-S ${value}`);
    } else if (value.startsWith("key=")) keys.push(value);
    else fields.push(value.startsWith("perm=") ? `perm=${sortPermissions(value.slice(5))}` : value);
  }
  const permissions = fields.find((field) => field.startsWith("perm="))?.slice("perm=".length);
  const telling = fields.filter((field) => !(permissions !== undefined && field.startsWith("-S ") && coverPermissions(permissions, field.slice("-S ".length))));
  if (watch !== undefined) return [`-w ${watch}`, ...fields.map((field) => field.replace("perm=", "-p ")), ...keys.map((key) => key.replace("key=", "-k "))].join(" ");
  return [`-a ${filter}`, ...[...telling, ...keys].map((field) => (field.startsWith("-S") ? field : `-F ${field}`))].join(" ");
}

const actions = ["never", "always"];

const sortPermissions = (permissions: string) => ["r", "w", "x", "a"].filter((letter) => permissions.includes(letter)).join("");
