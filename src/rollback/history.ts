/** The updates of a stack, as every backend tells them. */

import { z } from "zod";
import type { Checkpoint } from "./checkpoint.ts";

export interface Update {
  /** From 1, the first one. */
  number: number;
  /** `update`, `refresh`, `destroy`, `import`, … */
  kind: string;
  started: Date;
  message: string;
  /** Author of the commit that the program stood at; the engine notes nobody else. */
  author?: string;
  /** The commit that the program stood at. */
  commit?: string;
  /** There were changes besides the commit. */
  dirty: boolean;
  succeeded: boolean;
  /** Only some of the resources were to be updated (`--target`, `--exclude`). */
  partial: boolean;
}

export interface History {
  /** Oldest first. */
  updates: readonly Update[];
  /** The state that an update left. */
  checkpoint: (number: number) => Promise<Checkpoint>;
}

/**
 * One entry as the engine writes it into a history file, or prints it (`pulumi stack history --json`).
 *
 * @returns undefined when it is none
 */
export function parseUpdate(value: unknown, number?: number): Update | undefined {
  const parsed = entry.safeParse(value);
  if (!parsed.success) return undefined;
  const { kind, startTime, message, environment, result, version } = parsed.data;
  const said = environment ?? {};
  const [author, commit] = [said["git.author"], said["git.head"]];
  return {
    number: number ?? version ?? 0,
    kind,
    // Seconds in a file, text in what is printed.
    started: new Date(typeof startTime === "number" ? startTime * 1000 : startTime),
    message: message ?? "",
    ...(author ? { author } : {}),
    ...(commit ? { commit } : {}),
    dirty: said["git.dirty"] === "true",
    succeeded: result === "succeeded",
    partial: partialFlags.some((flag) => `pulumi.flag.${flag}` in said),
  };
}

/** The same checkpoint is asked for several times: for the table, for the choice, for the apply. */
export function remembering(read: (number: number) => Promise<Checkpoint>): History["checkpoint"] {
  const seen = new Map<number, Promise<Checkpoint>>();
  return (number) => {
    const found = seen.get(number) ?? read(number);
    seen.set(number, found);
    return found;
  };
}

/** `update 2, 2026-11-23 12:54 UTC, commit 974b3ef: second` */
export function describeUpdate({ number, started, commit, message }: Update): string {
  return `update ${number}, ${showTime(started)} UTC${commit === undefined ? "" : `, commit ${shortCommit(commit)}`}: ${headline(message)}`;
}

export const showTime = (time: Date) => time.toISOString().slice(0, 16).replace("T", " ");
export const shortCommit = (commit: string) => commit.slice(0, 7);
export const headline = (message: string) => message.split("\n")[0]?.trim() || "(no message)";

// --- Internal ---

const entry = z.looseObject({
  kind: z.string(),
  startTime: z.union([z.number(), z.iso.datetime({ offset: true })]),
  message: z.string().nullish(),
  environment: z.record(z.string(), z.string()).nullish(),
  result: z.string().nullish(),
  version: z.number().int().nullish(),
});

const partialFlags = ["target", "target-dependents", "exclude", "exclude-dependents"];
