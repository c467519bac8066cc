/** Errors of a host, in one text: what happened, why, and in what state the host is now. */

import { visibleText } from "../redact.ts";

/** A refusal or failure people can act on: printed without a stack. */
export class HostError extends Error {
  override name = "HostError";
}

/** The change got to the host and did not end as wished: the engine must keep what is known of it. */
export class HalfDoneError extends HostError {
  override name = "HalfDoneError";
}

/** Not a failure: the host waits for its window. The engine knows no other way to hold back later waves, or to keep what it was to delete. */
export class DeferredError extends HostError {
  override name = "DeferredError";
}

/** A headline and its points, one a line. */
export function listed(headline: string, points: string[]): string {
  return points.length === 1 ? `${headline}: ${points[0] ?? ""}` : [`${headline}:`, ...points.map((point) => `  - ${point}`)].join("\n");
}

/** {@link explain}, and the host's name in front where the error does not know it. */
export function explainFor(host: string, error: unknown): string {
  const text = explain(error);
  return text.startsWith(`${host}: `) ? text : `${host}: ${text}`;
}

/** The message of an error and of its causes, the stack only where nobody expected it. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const expected = ["HostError", "HalfDoneError", "NotItsTurnError", "DeferredError", "UnreachableError", "RemoteScriptError"].includes(error.name);
  // What the host said in it is seen as it is, whatever a terminal would make of it.
  const text = visibleText(expected ? error.message : (error.stack ?? error.message));
  return error.cause === undefined ? text : `${text}\n  because: ${explain(error.cause)}`;
}

/** @param by who began it and since when, as the host has noted it */
export const anotherApply = (by: string[]) => `another apply is running there, or waits for its confirmation (${by.join(", ")})`;

export const busy = (host: string, by: string[]) => new HostError(`${host}: ${anotherApply(by)}; nothing was touched, try again when it has ended`);
