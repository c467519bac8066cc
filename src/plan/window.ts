/** Whether a host may be disrupted now, and which changes do that. */

import { parseWindow, weekdays, type Weekday, type Window } from "../config/window.ts";
import type { Plan } from "./plan.ts";
import { stopsDocker } from "./volumes.ts";

/** What running containers, or whoever talks to them, would notice: not a reload, which nobody does. */
export const isDisruptive = ({ docker, volumes, overLimits, profiles }: Plan) => docker.how === "restart" || docker.stop.length > 0 || docker.dropBetweenContainers || volumes.some(stopsDocker) || overLimits.length > 0 || profiles.replaced.length > 0;

/**
 * What a disruptive plan waits for, in words; undefined when it need not wait.
 *
 * @param windows as written; none is at any time
 */
export function waitsForWindow(windows: string[] | undefined, plan: Plan, now: Date): string | undefined {
  if (windows === undefined || windows.length === 0 || !isDisruptive(plan)) return undefined;
  const known = windows.flatMap((written) => parseWindow(written) ?? []);
  if (known.some((window) => isOpen(window, now))) return undefined;
  const opens = nextOpening(known, now);
  return `its window (${windows.join(", ")})${opens ? `, which opens at ${opens.toISOString().slice(0, 16)}Z` : ""}`;
}

export function isOpen({ days, start, end, zone }: Window, now: Date): boolean {
  const { weekday, minute } = localTime(now, zone);
  const before = weekdays[(weekdays.indexOf(weekday) + 6) % 7] as Weekday;
  if (start < end) return days.includes(weekday) && minute >= start && minute < end;
  return (days.includes(weekday) && minute >= start) || (days.includes(before) && minute < end);
}

// --- Internal ---

/** By walking there: a clock that is put forward or back in between makes arithmetic wrong. */
function nextOpening(windows: Window[], now: Date): Date | undefined {
  const first = Math.ceil(now.getTime() / minute) * minute;
  for (let at = first; at <= first + eightDays; at += minute) {
    const date = new Date(at);
    if (windows.some((window) => isOpen(window, date))) return date;
  }
  return undefined;
}

const minute = 60_000;
const eightDays = 8 * 24 * 60 * minute;

function localTime(now: Date, zone: string): { weekday: Weekday; minute: number } {
  const parts = formatOf(zone).formatToParts(now);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((found) => found.type === type)?.value ?? "";
  return { weekday: part("weekday") as Weekday, minute: Number(part("hour")) * 60 + Number(part("minute")) };
}

/** Making one takes longer than using it a hundred times. */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone) ?? new Intl.DateTimeFormat("en-US", { timeZone: zone, weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  formats.set(zone, known);
  return known;
}

const formats = new Map<string, Intl.DateTimeFormat>();
