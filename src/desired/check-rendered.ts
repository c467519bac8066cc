/** Nothing goes to a host before its own grammar has accepted it, whoever wrote the template. */

import { daemonSchema, type DaemonSettings } from "../config/daemon.ts";
import { isTable } from "../config/merge.ts";
import { explain, showPath, showValue } from "../config/problems.ts";
import { isOneLine } from "../config/setting.ts";
import { auditRule } from "./audit-rules.ts";
import type { RenderedPath } from "./templates.ts";

/** A line that can't go to the host, counted from 1; 0 is the file as a whole. */
export interface Refusal {
  line: number;
  text: string;
}

/** What is wrong with the text of a file other than daemon.json; nothing if it may go to a host. */
export function checkFile(path: RenderedPath, text: string): Refusal | undefined {
  if (!text.endsWith("\n")) return { line: text.split("\n").length, text: "the last line does not end" };
  const check = lineChecks[path] ?? iniLine(sections[path] ?? []);
  let section = "";
  for (const [index, line] of text.slice(0, -1).split("\n").entries()) {
    if (!isOneLine(line)) return { line: index + 1, text: "a control character" };
    section = /^\[(\w+)\]$/.exec(line)?.[1] ?? section;
    const refusal = check(line, section);
    if (refusal !== undefined) return { line: index + 1, text: refusal };
  }
  return undefined;
}

/** The keys of a rendered daemon.json, or what is wrong with it. */
export function parseDaemonJson(text: string): DaemonSettings | Refusal[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return [refuseJson(text)];
  }
  if (!isTable(parsed)) return [{ line: 1, text: "not a table of keys" }];
  const lost = Object.keys(parsed).find((key) => parsed[key] === null);
  if (lost !== undefined) return [{ line: lineOfKey(text, lost), text: `${lost}: null is not allowed` }];
  const checked = daemonSchema.safeParse(parsed);
  if (checked.success) return checked.data as DaemonSettings;
  return explain(daemonSchema, parsed, checked.error.issues, []).map((problem) => ({
    line: lineOfKey(text, String(problem.path[0])),
    text: `${showPath(problem.path)}: ${problem.text}`,
  }));
}

// --- Internal ---

type LineCheck = (line: string, section: string) => string | undefined;

const isComment = (line: string): boolean => line === "" || line.startsWith("#");

const lineChecks: Partial<Record<RenderedPath, LineCheck>> = {
  "/etc/audit/rules.d/50-drydock.rules": (line) =>
    isComment(line) || auditRule.test(line) ? undefined : `${showValue(line)} is no rule; allowed: -a always,exit -F arch=b64 -F path=… -F perm=… -F key=docker`,
  "/etc/modules-load.d/drydock.conf": (line) => (isComment(line) || /^[A-Za-z0-9_-]+$/.test(line) ? undefined : `${showValue(line)} is no name of a module`),
  "/etc/tmpfiles.d/drydock.conf": (line) =>
    isComment(line) || /^d \/run\/[\w./-]+ 0[0-7]{3} [\w-]+ [\w-]+ -$/.test(line) ? undefined : `${showValue(line)} makes no folder; allowed: d /run/… 0711 root root -`,
};

const sections: Partial<Record<RenderedPath, string[]>> = {
  "/etc/systemd/system/docker.service.d/40-drydock-volume.conf": ["Unit"],
  "/etc/systemd/system/containerd.service.d/40-drydock-volume.conf": ["Unit"],
  "/etc/systemd/system/var-lib-containerd.mount": ["Unit", "Mount", "Install"],
  "/etc/systemd/system/var-lib-docker.mount": ["Unit", "Mount", "Install"],
  "/etc/systemd/system/docker.service.d/50-drydock.conf": ["Unit", "Service"],
  "/etc/systemd/system/containerd.service.d/50-drydock.conf": ["Unit", "Service"],
  "/etc/systemd/system/docker-.scope.d/10-drydock.conf": ["Unit", "Scope"],
  "/etc/systemd/system/drydock-containers.slice": ["Unit", "Slice", "Install"],
};

/** systemd.syntax(7) without continued lines: a `\` at the end would swallow the line below. */
function iniLine(allowed: readonly string[]): LineCheck {
  return (line, section) => {
    if (isComment(line)) return undefined;
    if (line.startsWith("[")) return allowed.some((name) => line === `[${name}]`) ? undefined : `${showValue(line)} is no section; allowed: ${allowed.join(", ")}`;
    if (section === "") return `${showValue(line)} stands before the first section`;
    return /^[A-Z][A-Za-z0-9]*=.*[^\\\s]$|^[A-Z][A-Za-z0-9]*=$/.test(line) ? undefined : `${showValue(line)} is no line Directive=value`;
  };
}

function lineOfKey(text: string, key: string): number {
  return text.split("\n").findIndex((line) => line.includes(JSON.stringify(key))) + 1;
}

/** The line of a syntax error: the first whose text, with all before it, no more lines could mend. V8 often gives no position. */
function refuseJson(text: string): Refusal {
  const lines = text.split("\n");
  for (const index of lines.keys()) {
    const start = lines.slice(0, index + 1).join("\n");
    const message = syntaxError(start);
    if (message !== undefined) return { line: index + 1, text: `no JSON: ${message}` };
  }
  return { line: lines.length, text: "no JSON: it ends too soon" };
}

/** What is wrong with the start of a text, unless it only ends too soon. */
function syntaxError(start: string): string | undefined {
  try {
    JSON.parse(start);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const position = Number(/at position (\d+)/.exec(message)?.[1] ?? -1);
    const onlyShort = message.startsWith("Unexpected end") || message.startsWith("Unterminated string") || position >= start.trimEnd().length;
    return onlyShort ? undefined : message.replace(/, .*|\s*in JSON at position.*/s, "");
  }
  return undefined;
}
