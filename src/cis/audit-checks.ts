/** CIS 1.1.3 to 1.1.18: whether the kernel records what is done to Docker's files, and will after the next boot. */

import { auditRulesOf, normalizeAuditRule, once } from "../effect/audit-rules.ts";
import type { Observation } from "../observed/observation.ts";
import { known, type Known } from "../observed/records.ts";
import type { AuditTarget } from "./benchmark.ts";
import { decide, whenKnown, type Evidence, type Finding } from "./verdict.ts";

export function checkAudit(target: AuditTarget, { observation, wish }: Evidence): Finding {
  const paths = pathsToWatch(target, observation);
  if (paths.length === 0) return { verdict: "not applicable", evidence: `${named(target)} is not on this host` };
  const declared = Object.entries(wish?.files ?? {}).flatMap(([path, text]) => (path.startsWith(rulesFolder) ? auditRulesOf(text) : []));
  const onDisk = observation.auditRulesOnDisk;
  const kernel = rulesInKernel(observation);
  const immutable = observation.auditStatus.known && observation.auditStatus.value.enabled === "2";
  const covered = (rules: Known<string[]>) => whenKnown(rules, (list) => paths.every((path) => permissionsOn(path, list) !== undefined));
  const waitsFor = immutable ? "a reboot: the kernel takes no more audit rules (auditctl -s: enabled 2)" : undefined;
  const verdict = decide({ disk: covered(onDisk), effect: covered(kernel), waitsFor });
  return {
    ...(wish ? { declared: inWords(paths, declared) } : {}),
    onDisk: onDisk.known ? inWords(paths, onDisk.value) : `unknown: ${onDisk.reason}`,
    inEffect: kernel.known ? inWords(paths, kernel.value) : `unknown: ${kernel.reason}`,
    verdict,
    evidence: verdict === "pending" ? `waits for ${waitsFor ?? ""}` : evidence(paths, onDisk, kernel),
  };
}

/**
 * The permissions that a rule list records for a path, undefined when they don't hold at least `w` and `a`.
 *
 * Only a rule that names this very path counts, not one for a folder above it: the kernel does follow `dir=` downwards, but
 * not into a filesystem mounted there after the rule was loaded (auditctl(8), -q), which nobody sees from the list. CIS and
 * docker-bench look for the path itself, too, so that two reports on a host agree (docs/decisions/0020).
 */
export function permissionsOn(path: string, rules: string[]): string | undefined {
  const found = new Set<string>();
  const asked = canonical(path);
  for (const { recordsNothing, only, never, permissions } of rules.map(readRule)) {
    if (recordsNothing) return undefined;
    if (only !== asked) continue;
    if (never) break;
    for (const letter of permissions) found.add(letter);
  }
  return found.has("w") && found.has("a") ? letters.filter((letter) => found.has(letter)).join("") : undefined;
}

/** The paths of a target that are on this host. */
export function pathsToWatch(target: AuditTarget, observation: Observation): string[] {
  const present = new Set(observation.present.map(canonical));
  const unitFile = target.unit ? observation.units[target.unit]?.FragmentPath : undefined;
  // { path=/usr/sbin/dockerd ; argv[]=/usr/sbin/dockerd -H fd:// ; … }
  const started = target.startedBy ? /\bpath=(\S+)/.exec(observation.units[target.startedBy]?.ExecStart ?? "")?.[1] : undefined;
  const listed = target.paths.filter((path) => target.evenIfAbsent === true || present.has(canonical(path)) || path in observation.files);
  return [...new Set([...listed, ...(unitFile ? [unitFile] : []), ...(started ? [started] : [])])];
}

// --- Internal ---

const rulesFolder = "/etc/audit/";
const letters = ["r", "w", "x", "a"];

interface Rule {
  /** Fedora's default file ends with `-a never,task`: no system call of a process started after it is ever looked at. */
  recordsNothing: boolean;
  /** The one path that it is about, whoever does what there. */
  only: string | undefined;
  never: boolean;
  permissions: string;
}

/** Each control asks about each path and each rule, and all hosts have much the same rules: each is read once. */
const readRule = once((written: string): Rule => {
  const rule = normalizeAuditRule(written);
  return { recordsNothing: /^-a (never,task|task,never)$/.test(rule), only: onlyPath(rule), never: rule.startsWith("-a never"), permissions: permissionsOf(rule) };
});

/** Filters on users, results or the like would let others through; `arch` and `key` don't narrow what is seen. */
function onlyPath(rule: string): string | undefined {
  if (!/^-a (always|never),exit\b/.test(rule) && !rule.startsWith("-w ")) return undefined;
  const fields = [...rule.matchAll(/-F (\S+)|-w (\S+)/g)].map(([, field, watch]) => field ?? `path=${watch ?? ""}`);
  // Some system calls only; one that has all that its permissions need is spelled without them.
  if (/ -S /.test(rule)) return undefined;
  if (!fields.every((field) => /^(?:path|dir|perm|key|arch)=/.test(field))) return undefined;
  const where = fields.filter((field) => /^(?:path|dir)=/.test(field)).map((field) => canonical(field.replace(/^\w+=/, "")));
  return where.length === 1 ? where[0] : undefined;
}

const permissionsOf = (rule: string) => /(?:perm=|-p )([rwxa]+)/.exec(rule)?.[1] ?? "rwxa";

/** Two spellings of one place on every system that has systemd's merged directories. */
const canonical = (path: string) => path.replace(/\/$/, "").replace(/^\/var\/run\//, "/run/").replace(/^\/lib\/systemd\//, "/usr/lib/systemd/");

function rulesInKernel({ auditRules, auditStatus }: Observation): Known<string[]> {
  if (auditStatus.known && auditStatus.value.enabled === "0") return known([]);
  return auditRules;
}

function inWords(paths: string[], rules: string[]): string {
  const words = paths.map((path) => permissionsOn(path, rules) ?? "no rule");
  return new Set(words).size === 1 ? (words[0] ?? "") : paths.map((path, i) => `${path}: ${words[i] ?? ""}`).join(", ");
}

function evidence(paths: string[], onDisk: Known<string[]>, kernel: Known<string[]>): string {
  const missing = (rules: string[]) => paths.filter((path) => permissionsOn(path, rules) === undefined);
  if (!kernel.known) return `auditctl -l: ${kernel.reason}`;
  const inKernel = missing(kernel.value);
  if (inKernel.length > 0) return `auditctl -l has no rule that records writes to ${inKernel.join(", ")}`;
  if (!onDisk.known) return onDisk.reason;
  const inFiles = missing(onDisk.value);
  return inFiles.length > 0 ? `in the kernel until the next boot only: no file has a rule for ${inFiles.join(", ")}` : `auditctl -l has a rule for ${paths.join(", ")}`;
}

const named = ({ paths, unit }: AuditTarget) => [...paths, ...(unit ? [unit] : [])].join(", ");
