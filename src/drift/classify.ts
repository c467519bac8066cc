/**
 * Drift and change told apart. The engine's own preview mixes them: its update goes from what was found on the host to what the
 * program declares. Between the two stands what the last update had applied: from there to what was found is drift, from there to
 * what is declared is change.
 */

import { isDeepStrictEqual } from "node:util";
import type { Json } from "../desired/host-inputs.ts";
import { digestOf, placesOf, type Places } from "../plan/places.ts";
import type { Gathered, HostEvents, HostState } from "./events.ts";

/** One place that is different; undefined where there is nothing. */
export interface Difference {
  place: string;
  from: Json | undefined;
  to: Json | undefined;
  /** `from` is not known: an update failed after somebody had been on the host, and the engine has stored what it found. */
  lost?: true;
}

export interface HostFindings {
  name: string;
  /** No update has gone through yet. */
  isNew: boolean;
  /** It stands in the stack file no more. */
  goes: boolean;
  /** Why nothing is known of it now. Then no drift does not mean that there is none. */
  unread?: string;
  /** What somebody did: from what was applied to what was found. */
  drift: Difference[];
  /** What the stack file wants otherwise: from what was applied to what is declared. */
  change: Difference[];
  /** What an update would refuse to do. */
  refused: string[];
  /** What else went wrong. */
  errors: string[];
  /** Right on disk and not in effect yet, each with what it waits for. */
  pending: string[];
  /** Of a new host, which the engine can't compare with anything: the provider's own diff. */
  outlook?: string;
  /** What the update costs, what the provider warns of, and what else it says. */
  notes: string[];
}

export interface Findings {
  hosts: HostFindings[];
  others: Gathered["others"];
  /** What went wrong besides the hosts: then the whole is not to be trusted. */
  problems: string[];
  warnings: string[];
}

/** @param ended how the engine ended: its exit code, and what it printed besides the events */
export function classify(gathered: Gathered, ended: { exitCode: number; stderr: string }): Findings {
  const said = (severity: string) => gathered.said.filter((one) => one.severity === severity).map(({ message }) => message);
  const problems = said("error");
  if (gathered.result === undefined) problems.push(...[...gathered.stray, ended.stderr].map((text) => text.trim()).filter(Boolean));
  const failed = gathered.result !== "succeeded" || ended.exitCode !== 0;
  const hostsSay = [...gathered.hosts.values()].some((host) => host.said.some(({ severity }) => severity === "error"));
  if (failed && problems.length === 0 && !(hostsSay && gathered.result !== undefined)) problems.push(`the engine ended with exit code ${ended.exitCode}${gathered.result === undefined ? " before it was through" : ""}`);
  const hosts = [...gathered.hosts.values()].map(classifyHost).sort((a, b) => collator.compare(a.name, b.name));
  return { hosts, others: gathered.others, problems, warnings: [...said("warning"), ...said("info#err")] };
}

export function classifyHost(host: HostEvents): HostFindings {
  const { name, before, after, op, wish, said } = host;
  const own = (severity: string) => said.filter((one) => one.severity === severity).map(({ message }) => withoutName(message, name));
  const errors = own("error").filter((message) => !message.startsWith(wouldBeRefused));
  const isNew = before === undefined || isUnfinished(before) || hasOnlyWaited(before);
  const unread = whyUnread(host, errors);
  const { outlook, notes } = outlookIn(own("info"));
  const findings: HostFindings = {
    name,
    isNew,
    goes: op === "delete",
    ...(unread === undefined ? {} : { unread }),
    ...compare(host, isNew, unread === undefined),
    refused: own("error").filter((message) => message.startsWith(wouldBeRefused)).flatMap(points),
    // The one that says why it could not be read is no second error.
    errors: unread === undefined ? errors : errors.filter((message) => message !== unread && !sameTrouble(message, unread)),
    pending: after?.outputs.pending ?? [],
    ...(outlook === undefined ? {} : { outlook }),
    notes: [...notes, ...own("warning").filter((message) => !saidElsewhere.test(message)), ...hostIsAnother(before, after)],
  };
  if (isNew && before !== undefined) findings.notes.unshift(hasOnlyWaited(before) ? "its first update waits for its window" : "its first update did not go through");
  // Whatever the engine would do must show, even if we can't name it.
  const nothing = findings.drift.length + findings.change.length === 0;
  if (op === "update" && nothing && unread === undefined && wish) findings.notes.push("the engine would update it");
  return findings;
}

/** Whether something would be done to a host because of the stack file. */
export const isChanged = ({ change, isNew, goes, notes }: HostFindings): boolean => change.length > 0 || isNew || goes || notes.includes("the engine would update it");

// --- Internal ---

/** Warnings that `pending` and `unread` have from what was read. */
const saidElsewhere = /^(pending|could not be read): /;

const wouldBeRefused = "this would be refused";

const collator = new Intl.Collator("en", { numeric: true });

/** A create that failed half-way leaves what was wished, and no account of what was done. */
const isUnfinished = ({ outputs }: HostState) => (outputs.lastChange?.cost ?? []).length === 0;

/** For its window, since it came into the stack. */
const hasOnlyWaited = ({ outputs }: HostState) => outputs.deferred === true && Object.keys(outputs.applied ?? {}).length === 0;

function whyUnread({ before, after, op }: HostEvents, errors: string[]): string | undefined {
  // Nobody reads a new host but `check`, which says what was wrong.
  if (before === undefined) return op === "create" || op === undefined ? errors[0] : undefined;
  if (after === undefined) return "the engine did not read it";
  const { reachable } = after.inputs;
  if (reachable === "yes") return undefined;
  return reachable === undefined ? "it did not say that it was read" : reachable.replace(/^no: /, "");
}

function compare({ before, after, op, wish }: HostEvents, isNew: boolean, isRead: boolean): Pick<HostFindings, "drift" | "change"> {
  if (before === undefined) return { drift: [], change: [] };
  const stored = placesOf(before.inputs);
  const found = isRead && after ? placesOf(after.inputs) : stored;
  // Without a wish, for the program failed or the host goes, there is still drift to see.
  const wished = wish && op !== "delete" ? placesOf(wish) : undefined;
  const applied = after?.outputs.applied ?? before.outputs.applied ?? {};
  const deferred = before.outputs.deferred === true;
  const drift: Difference[] = [];
  const change: Difference[] = [];
  for (const place of allPlaces(stored, found, wished ?? stored)) {
    const [was, is] = [stored.get(place), found.get(place)];
    const want = wished ? { value: wished.get(place) } : undefined;
    if (isRead && want && isDeepStrictEqual(is, want.value)) continue;
    if (isNew) {
      if (want) change.push({ place, from: is, to: want.value });
      continue;
    }
    const base = baseOf(applied, place, { was, is, want, deferred });
    if (base === undefined) drift.push({ place, from: undefined, to: is, lost: true });
    else if (!isDeepStrictEqual(base.value, is)) drift.push({ place, from: base.value, to: is });
    const from = base ? base.value : is;
    if (want && !isDeepStrictEqual(from, want.value)) change.push({ place, from, to: want.value });
  }
  return { drift, change };
}

/** Nobody can find another value for these on a host. */
const onlyDeclared = /^(connection\.|allow$|window$|volumes\.)/;

interface Value {
  value: Json | undefined;
}

/** What the last update had applied to a place: what is stored, unless it is known to be something else. Undefined if nobody knows. */
function baseOf(applied: Record<string, string>, place: string, { was, is, want, deferred }: { was: Json | undefined; is: Json | undefined; want: Value | undefined; deferred: boolean }): Value | undefined {
  // The engine stores what is wished without an update where the host is like that already; and where the update was left for later, when it is not.
  if (Object.keys(applied).length === 0 || onlyDeclared.test(place) || (!deferred && want && isDeepStrictEqual(was, want.value))) return { value: was };
  const meant = applied[place] ?? "absent";
  return [{ value: was }, ...(want ? [want] : []), { value: is }].find(({ value }) => digestOf(value) === meant);
}

const allPlaces = (...all: Places[]): string[] => [...new Set(all.flatMap((places) => [...places.keys()]))].sort(collator.compare);

/** What a host is can make other files right for it, e.g. after dockerd has moved: that is neither drift nor the stack file's doing. */
function hostIsAnother(before: HostState | undefined, after: HostState | undefined): string[] {
  const [was, is] = [before?.inputs.host, after?.inputs.host];
  if (!was || !is || isDeepStrictEqual(was, is)) return [];
  const keys = (["starts", "dockerExecStart", "missing", "filesystems"] as const).filter((key) => !isDeepStrictEqual(was[key], is[key]));
  return keys.map((key) => `the host is not what it was, and what follows from it counts as change: host.${key}: ${JSON.stringify(was[key])} => ${JSON.stringify(is[key])}`);
}

/** src/provider/look-ahead.ts: a headline, the diff, and `Cost: …`. */
function outlookIn(messages: string[]): { outlook?: string; notes: string[] } {
  const headline = /^first update, this is what would change there\n/;
  const message = messages.find((one) => headline.test(one));
  if (message === undefined) return { notes: messages };
  const [, outlook = "", cost = ""] = /^([^]*?)(?:\nCost:([^]*))?$/.exec(message.replace(headline, "")) ?? [];
  const rest = messages.filter((one) => one !== message);
  return { outlook, notes: cost === "" ? rest : [`what the update costs there:${cost}`, ...rest] };
}

const withoutName = (message: string, name: string) => (message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message);

/** `headline: a`, or a headline and its points, one a line (src/provider/errors.ts, `listed`). */
function points(message: string): string[] {
  const rest = message.slice(wouldBeRefused.length).replace(/^: ?/, "");
  return rest.split(/^ {2}- /m).map((text) => text.trim()).filter(Boolean);
}

/** A host that is away gives another reason at each try. */
const sameTrouble = (message: string, unread: string) => message.split(": ")[0] === unread.split(": ")[0];
