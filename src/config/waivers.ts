/** What a stack file may say under `waivers`: which failing controls somebody has accepted, why, and until when. */

import { z } from "zod";

import { currentBenchmark } from "../cis/current.ts";
import { text, type Settled } from "./setting.ts";
import { isTable } from "./merge.ts";

const ids = currentBenchmark.controls.map(({ id }) => id) as [string, ...string[]];

const waiver = z
  .strictObject({
    reason: text("one line that says why, for whoever reads the report", /\S/).meta({ description: "Why it is accepted; stands in every report." }),
    until: text("a day such as 2027-03-31")
      .refine(isDay)
      .meta({ description: "The last day on which it holds (UTC). From the day after the control fails again, and the report says that the waiver expired." }),
  })
  .meta({ allowed: "a table with reason and until" });

export const waiversSchema = z
  .partialRecord(z.enum(ids).meta({ allowed: `an id of the ${currentBenchmark.name} ${currentBenchmark.version} in quotes, e.g. "2.12"` }), waiver.nullable())
  .meta({ allowed: 'a table of waivers by the id of a control, e.g. { "2.12": { reason: "no plugin yet", until: 2027-03-31 } }' });

export type Waiver = Settled<z.infer<typeof waiver>>;
export type Waivers = Record<string, Waiver>;

/**
 * A day without quotes is a text to one YAML reader and a point in time to another: our own reads `2027-03-31` as it stands, one that
 * knows YAML 1.1 as a Date, and the engine as a time of Go, which it also writes into the stack file: `2027-03-31 00:00:00 +0000 UTC`
 * (seen with 3.259).
 */
export function withPlainDays(waivers: unknown): unknown {
  if (!isTable(waivers)) return waivers;
  return Object.fromEntries(Object.entries(waivers).map(([id, written]) => [id, isTable(written) && "until" in written ? { ...written, until: plainDay(written["until"]) } : written]));
}

// --- Internal ---

function plainDay(until: unknown): unknown {
  if (until instanceof Date && !Number.isNaN(until.getTime())) return until.toISOString().slice(0, 10);
  return typeof until === "string" ? until.replace(/^(\d{4}-\d{2}-\d{2})[T ]00:00:00(?:\.0+)?(?: \+0000)?(?: ?UTC|Z)$/, "$1") : until;
}

/** Also of those that look like one: February has no 30th. */
function isDay(day: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return false;
  const time = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(day);
}
