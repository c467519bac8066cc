/** What a waiver makes of a verdict, on a certain day. */

import type { Verdict } from "../cis/evaluate.ts";
import type { Waiver } from "../config/waivers.ts";

export interface JudgedWaiver extends Waiver {
  state: "in force" | "expired" | "not needed";
}

export interface Judged {
  verdict: Verdict | "waived";
  waiver?: JudgedWaiver;
}

/**
 * A waiver covers what fails, and what is for a person to judge: it is that person's judgement. Once it has expired, both fail:
 * somebody has to look again. It covers neither what waits nor what could not be read, and a control that passes does not need it.
 */
export function judge(verdict: Verdict, waiver: Waiver | undefined, today: string): Judged {
  if (!waiver) return { verdict };
  const expired = waiver.until < today;
  const covers = verdict === "fail" || verdict === "manual";
  if (covers) return expired ? { verdict: "fail", waiver: { ...waiver, state: "expired" } } : { verdict: "waived", waiver: { ...waiver, state: "in force" } };
  const isNeeded = verdict === "pending" || verdict === "unknown";
  return { verdict, waiver: { ...waiver, state: isNeeded ? (expired ? "expired" : "in force") : "not needed" } };
}

/** In words, for people. */
export function aboutWaiver({ state, reason, until }: JudgedWaiver, verdict: Judged["verdict"]): string {
  if (state === "expired") return `the waiver expired on ${until}: ${reason}`;
  if (state === "not needed") return `the waiver until ${until} is not needed: ${reason}`;
  return verdict === "waived" ? `waived until ${until}: ${reason}` : `the waiver until ${until} does not cover what is ${verdict}: ${reason}`;
}
