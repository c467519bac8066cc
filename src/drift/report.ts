/**
 * What a look at a stack has shown, ready to be printed: everything in it is text without secrets. `--format json` prints it as it
 * is; the other formats are made of nothing else. A field that goes, or means something else, makes another `version`.
 */

import { isChanged, type Findings, type HostFindings } from "./classify.ts";
import { pieces, type Piece } from "./describe.ts";
import { redact } from "../redact.ts";

export interface DriftReport {
  version: 1;
  stack: string;
  /** As the command ends, see {@link exitCodes}. */
  exitCode: ExitCode;
  /** How many hosts; one can count as drift and as change. */
  summary: Record<"hosts" | "clean" | "drift" | "change" | "pending" | "unread" | "refused" | "failed", number>;
  /** What went wrong besides the hosts: then the rest is not the whole truth. */
  problems: string[];
  warnings: string[];
  hosts: HostReport[];
  /** Resources that are no hosts and would change. */
  others: { op: string; type: string; name: string }[];
}

export interface HostReport {
  name: string;
  /** What it counts as; a host that only waits for something is `pending`, one that nothing is wrong with has none. */
  is: Verdict[];
  /** No update has gone through yet. */
  isNew: boolean;
  /** It stands in the stack file no more. */
  goes: boolean;
  /** Why it could not be read. */
  unread?: string;
  drift: Piece[];
  change: Piece[];
  refused: string[];
  errors: string[];
  pending: string[];
  /** What the provider says of the change and its cost, and what it warns of, change or none. */
  notes: string[];
}

export type Verdict = "unread" | "refused" | "failed" | "drift" | "change" | "pending";

export const exitCodes = {
  0: "every host is as declared",
  1: "an error: a host could not be read, an update would be refused, or the preview failed",
  2: "change only: the stack file wants something else than what was applied",
  3: "drift: somebody changed something on a host",
  4: "only with --pending-fails: something waits for a restart, a reboot or a container to be made again",
} as const;

export type ExitCode = keyof typeof exitCodes;

export interface ReportOptions {
  stack: string;
  /** Pending makes exit code 4. @default false */
  pendingFails?: boolean;
  /** Values that must not be printed. */
  secrets?: readonly string[];
}

export function reportOn(findings: Findings, { stack, pendingFails = false, secrets = [] }: ReportOptions): DriftReport {
  const clean = (text: string) => redact(text, secrets);
  const hosts = findings.hosts.map((host) => hostReport(host, secrets));
  const counted = (verdict: Verdict) => hosts.filter(({ is }) => is.includes(verdict)).length;
  const summary = {
    hosts: hosts.length,
    clean: hosts.filter(({ is }) => is.length === 0).length,
    drift: counted("drift"),
    change: counted("change"),
    pending: counted("pending"),
    unread: counted("unread"),
    refused: counted("refused"),
    failed: counted("failed"),
  };
  const others = findings.others.map(({ op, type, name }) => ({ op: clean(op), type: clean(type), name: clean(name) }));
  const problems = findings.problems.map(clean);
  return { version: 1, stack, exitCode: exitCode({ problems, summary, others }, pendingFails), summary, problems, warnings: findings.warnings.map(clean), hosts, others };
}

// --- Internal ---

/** The worst counts. */
function exitCode({ problems, summary, others }: Pick<DriftReport, "problems" | "summary" | "others">, pendingFails: boolean): ExitCode {
  if (problems.length + summary.unread + summary.refused + summary.failed > 0) return 1;
  if (summary.drift > 0) return 3;
  if (summary.change + others.length > 0) return 2;
  return pendingFails && summary.pending > 0 ? 4 : 0;
}

function hostReport(host: HostFindings, secrets: readonly string[]): HostReport {
  const clean = (texts: string[]) => texts.map((text) => redact(text, secrets));
  const is: [Verdict, boolean][] = [
    ["unread", host.unread !== undefined],
    ["refused", host.refused.length > 0],
    ["failed", host.errors.length > 0],
    ["drift", host.drift.length > 0],
    ["change", isChanged(host)],
    ["pending", host.pending.length > 0],
  ];
  return {
    name: redact(host.name, secrets),
    is: is.filter(([, holds]) => holds).map(([verdict]) => verdict),
    isNew: host.isNew,
    goes: host.goes,
    ...(host.unread === undefined ? {} : { unread: redact(host.unread, secrets) }),
    drift: pieces(host.drift, secrets),
    change: [...(host.outlook === undefined ? [] : [{ title: "first update", places: [], text: redact(host.outlook, secrets) }]), ...pieces(host.change, secrets)],
    refused: clean(host.refused),
    errors: clean(host.errors),
    pending: clean(host.pending),
    notes: clean(host.notes),
  };
}
