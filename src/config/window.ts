/** When a host may be disrupted: `Sun 02:00-04:00 UTC`, as people write maintenance windows. */

import { listOf, setting, text } from "./setting.ts";

export const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;
export type Weekday = (typeof weekdays)[number];

export interface Window {
  days: Weekday[];
  /** Minutes since midnight; an end that is not after the start is on the next day. */
  start: number;
  end: number;
  /** By its name in the time zone database. */
  zone: string;
}

/** One window. @returns undefined when it is none */
export function parseWindow(written: string): Window | undefined {
  const match = /^(?:(daily|[A-Z][a-z]{2}(?:[,-][A-Z][a-z]{2})*) )?(\d\d):([0-5]\d)-(\d\d):([0-5]\d) (\S+)$/.exec(written);
  if (!match) return undefined;
  const [, dayWords = "daily", startHour, startMinute, endHour, endMinute, zone = ""] = match;
  const days = parseDays(dayWords);
  const [start, end] = [Number(startHour) * 60 + Number(startMinute), Number(endHour) * 60 + Number(endMinute)];
  const valid = days !== undefined && start < day && end <= day && start !== end && isZone(zone);
  return valid ? { days, start, end, zone } : undefined;
}

export const windowSchema = setting(
  listOf(
    text("a window").refine((written) => parseWindow(written) !== undefined).meta({ allowed: 'days (optional), hours and time zone, e.g. "Sun 02:00-04:00 UTC", "Mon-Fri 22:00-05:30 Europe/Berlin", "daily 01:00-03:00 UTC"' }),
    'windows such as "Sun 02:00-04:00 UTC"',
  ),
  {
    description: "When running containers may be disrupted: by a restart of dockerd, by stopping them, by limits below what they use, by a move of their data. Outside, such an update is left for later as a whole and reported as pending; later waves of a rollout wait for it. `pulumi destroy` refuses to restore the originals outside of the window that the last `pulumi up` has seen. One text, or a list.",
    initially: "at any time",
    cost: "nothing",
  },
);

// --- Internal ---

const day = 24 * 60;

// Mon,Wed-Fri
function parseDays(words: string): Weekday[] | undefined {
  if (words === "daily") return [...weekdays];
  const named = words.split(",").flatMap((part) => {
    const [first = "", last = first, ...more] = part.split("-");
    const [from, to] = [weekdays.indexOf(first as Weekday), weekdays.indexOf(last as Weekday)];
    if (from < 0 || to < 0 || more.length > 0) return [undefined];
    return Array.from({ length: ((to - from + 7) % 7) + 1 }, (_, i) => weekdays[(from + i) % 7]);
  });
  return named.includes(undefined) ? undefined : weekdays.filter((name) => named.includes(name));
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
