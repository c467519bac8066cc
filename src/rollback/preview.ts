/** What the engine's preview of a rollback says, host by host, from its events. */

import { z } from "zod";
import type { HostInputs } from "../desired/host-inputs.ts";
import { differences, patch, sideNotes } from "../plan/describe.ts";
import { auditRulesFile, daemonJson } from "../plan/wish.ts";
import { hostType, parseUrn } from "../urn.ts";

export interface Preview {
  /** That would be updated, or made again. */
  hosts: PreviewedHost[];
  /** What else it said that matters: errors and warnings. */
  notes: string[];
  /** It came to its end, and said so; what has no end has told nothing. */
  ended: boolean;
}

export interface PreviewedHost {
  name: string;
  /** What would change there, as unified diffs; empty for one that is new, of which `said` tells it. */
  change: string;
  /** What the host has to say: the cost, what would be refused. */
  said: { level: string; text: string }[];
}

/**
 * @param events one a line, as `pulumi preview --json` streams them
 */
export function readPreview(events: string): Preview {
  const read = events.split("\n").map(parseEvent).filter((event) => event !== undefined);
  const said = read.flatMap(({ diagnosticEvent: event }) => (event && event.severity !== "debug" ? [{ level: event.severity, text: event.message.trimEnd(), host: hostOf(event.urn) }] : []));
  const hosts = read.flatMap(({ resourcePreEvent }): PreviewedHost[] => {
    const metadata = resourcePreEvent?.metadata;
    const name = hostOf(metadata?.urn);
    if (!metadata || name === undefined || unchanged.includes(metadata.op)) return [];
    const [before, after] = [metadata.old?.inputs, metadata.new?.inputs];
    return [{ name, change: before && after ? describeHostChange(whole(before), whole(after)) : "", said: said.filter(({ host }) => host === name).map(({ level, text }) => ({ level, text })) }];
  });
  hosts.sort((a, b) => (a.name < b.name ? -1 : 1));
  const ended = read.some(({ summaryEvent }) => summaryEvent !== undefined);
  const shown = new Set(hosts.map(({ name }) => name));
  return { hosts, ended, notes: said.filter(({ level, host }) => level !== "info" && (host === undefined || !shown.has(host))).map(({ text }) => text) };
}

/** Unified diffs of the files, then one line for each other difference. */
export function describeHostChange(before: HostInputs, after: HostInputs): string {
  const paths = [...new Set([...Object.keys(before.files), ...Object.keys(after.files)])].filter((path) => before.files[path] !== after.files[path]).sort();
  const [daemonBefore, daemonAfter] = [before, after].map(({ daemon }) => `${JSON.stringify(sorted(daemon), null, 2)}\n`) as [string, string];
  // What is in effect follows from the files; it is news only where those are right already.
  const follows = (line: string) =>
    /^(files|daemon)\./.test(line) ||
    (line.startsWith("inEffect.audit") && paths.includes(auditRulesFile)) ||
    (/^inEffect\.(daemon|configuration)/.test(line) && daemonBefore !== daemonAfter) ||
    (/^inEffect\.(limits|apparmor|seccomp|mounts)/.test(line) && paths.length > 0);
  return [
    ...(before.reachable === after.reachable ? [] : [`reachable: ${before.reachable}`]),
    ...(daemonBefore === daemonAfter ? [] : [patch(daemonJson, daemonBefore, daemonAfter)]),
    ...paths.map((path) => patch(path, before.files[path] ?? "", after.files[path] ?? "", sideNotes(path in before.files, path in after.files))),
    ...differences(after, before).filter((line) => !follows(line)),
  ].join("\n");
}

// --- Internal ---

const unchanged = ["same", "refresh", "read"];

const step = z.object({
  metadata: z.object({
    op: z.string(),
    urn: z.string(),
    old: z.object({ inputs: z.record(z.string(), z.unknown()).nullish() }).nullish(),
    new: z.object({ inputs: z.record(z.string(), z.unknown()).nullish() }).nullish(),
  }),
});

const engineEvent = z.object({
  diagnosticEvent: z.object({ urn: z.string().optional(), message: z.string(), severity: z.string() }).optional(),
  resourcePreEvent: step.optional(),
  summaryEvent: z.object({}).optional(),
});

function parseEvent(line: string): z.infer<typeof engineEvent> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return engineEvent.parse(JSON.parse(line));
  } catch {
    // What is no event is the engine's own talk.
    return undefined;
  }
}

/** What is in the state may be of a schema that had less. */
function whole(inputs: Partial<HostInputs>): HostInputs {
  const inEffect = { services: {}, configuration: "", daemon: {}, limits: {}, ...inputs.inEffect };
  return { connection: { host: "", port: 22 }, allow: [], daemon: {}, files: {}, modes: {}, reachable: "yes", host: { starts: [], dockerExecStart: "", missing: [] }, ...inputs, inEffect };
}

function hostOf(urn: string | undefined): string | undefined {
  const { type, name } = parseUrn(urn ?? "");
  return type === hostType ? name : undefined;
}

const sorted = (table: Record<string, unknown>) => Object.fromEntries(Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1)));
