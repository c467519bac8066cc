/** Mistakes in a stack file: collected, worded the same way everywhere, and thrown all at once. */

import { distance } from "fastest-levenshtein";
import { z } from "zod";

import { aboutOf, unwrap } from "./setting.ts";

export type Path = (string | number)[];

export interface Problem {
  path: Path;
  text: string;
  /** The host whose merged settings are wrong, if the place is shared by several. */
  host?: string;
}

/** The stack file asks for something that can't be. `problems` has one line for each mistake. */
export class StackFileError extends Error {
  override name = "StackFileError";
  readonly problems: string[];
  /** The same in parts, but for what is no YAML. */
  readonly places: readonly Problem[];

  constructor(problems: string[], source?: string, places: readonly Problem[] = []) {
    const headline = `${source ?? "the stack file"}: ${problems.length} ${problems.length === 1 ? "mistake" : "mistakes"}`;
    super([headline, ...problems.map((problem) => `  ${problem}`)].join("\n"));
    this.problems = problems;
    this.places = places;
  }
}

/** One line a mistake; the same mistake of several hosts in one line that names them. */
export function wordProblems(problems: readonly Problem[]): string[] {
  const hosts = new Map<string, string[]>();
  for (const { path, text, host } of problems) {
    const line = `${showPath(path)}: ${text}`;
    hosts.set(line, [...(hosts.get(line) ?? []), ...(host === undefined ? [] : [host])]);
  }
  return [...hosts].map(([line, names]) => (names.length === 0 ? line : `${line} (${names.length === 1 ? "host" : "hosts"} ${names.join(", ")})`));
}

/** `hosts.web1.daemon.dns[0]`; a key that is no plain word is quoted. */
export function showPath(path: Path): string {
  const parts = path.map((step, index) => {
    if (typeof step === "number") return `[${step}]`;
    const plain = /^[\w.-]{1,60}$/.test(step) && !(step.includes(".") && index > 1);
    return plain ? (index === 0 ? step : `.${step}`) : `[${shorten(JSON.stringify(step))}]`;
  });
  return parts.join("");
}

const secretName = /passw|passphrase|secret|token|credential|private|api-?key/i;
const secretValue = /-----BEGIN|:\/\/\S*@|\bv1:[A-Za-z0-9+/=]{8,}/;

/** A value as a message may show it: short, and never one that looks like a secret. */
export function showValue(value: unknown, path: Path = []): string {
  if (value === undefined) return "nothing";
  if (path.some((step) => typeof step === "string" && secretName.test(step))) return "(hidden)";
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined) return typeof value === "symbol" ? String(value.description) : typeof value;
  return secretValue.test(json) ? "(hidden)" : shorten(json);
}

/** `; did you mean "live-restore"?`, or nothing if no known name is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const name = nearest(word, known);
  return name === undefined ? "" : `; did you mean "${name}"?`;
}

/** What zod found wrong with `value`, in our words. `at` is where the value stands in the file. */
export function explain(schema: z.core.$ZodType, value: unknown, issues: readonly z.core.$ZodIssue[], at: Path): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const inside = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
    const path = [...at, ...inside];
    if (issue.code === "unrecognized_keys") {
      const table = schemaAt(schema, inside);
      const names = namesOf(table);
      if (names) return issue.keys.map((key) => ({ path: [...path, key], text: `not a name that is allowed; allowed: ${names.allowed}${didYouMean(key, names.known)}` }));
      const known = knownKeys(table);
      return issue.keys.map((key) => ({ path: [...path, key], text: `unknown setting${unknownKey(key, known)}` }));
    }
    if (issue.code === "invalid_key") return [{ path, text: `not a name that is allowed; allowed: ${keyAllowed(schema, inside)}` }];
    const found = valueAt(value, inside);
    const expected = schemaAt(schema, inside);
    const allowed = expected ? describe(expected) : issue.message;
    if (found === undefined) return [{ path, text: `is missing; allowed: ${allowed}` }];
    const hint = expected ? choiceHint(expected, found) || quotesHint(expected, found) : "";
    return [{ path, text: `${showValue(found, path)} is not allowed; allowed: ${allowed}${hint}` }];
  });
}

/** The schema of what stands at `path` inside a value of `schema`. */
export function schemaAt(schema: z.core.$ZodType, path: Path): z.core.$ZodType | undefined {
  let current: z.core.$ZodType | undefined = schema;
  for (const step of path) {
    const inner: z.core.$ZodType = unwrap(current);
    if (inner instanceof z.ZodObject) current = inner.shape[String(step)] as z.core.$ZodType | undefined;
    else if (inner instanceof z.ZodRecord) current = inner.valueType;
    else if (inner instanceof z.ZodArray) current = inner.element;
    else return undefined;
    if (!current) return undefined;
  }
  return current;
}

// --- Internal ---

/** Names that people bring along from elsewhere, and what to write instead. */
const instead: Record<string, string> = {
  privateKey: "key material stays out of stack files; name its path with identityFile, or use an agent",
  privateKeyPassword: "passphrases stay out of stack files; use an agent",
  password: "passwords stay out of stack files; use a key with identityFile, or an agent",
  agentSocketPath: "the agent is found by SSH_AUTH_SOCK",
  dialErrorLimit: "use connectTimeout",
  perDialTimeout: "use connectTimeout",
  "graph": 'use "data-root"',
  "oom-score-adjust": "engines from 26 on refuse it; use limits.services.docker.oomScoreAdjust",
  "deprecated-key-path": "engines from 24 on have no such key",
  "cluster-store": "engines from 24 on have no such key",
  "cluster-advertise": "engines from 24 on have no such key",
  "cluster-store-opts": "engines from 24 on have no such key",
  "containerd-plugin-namespace": 'every engine refuses it in daemon.json, although the documentation names it',
  "resolv-conf": "the engine refuses it in daemon.json",
  "default-init": 'the engine refuses it in daemon.json; use "init-path"',
  "swarm-raft-heartbeat-tick": "the engine refuses it in daemon.json",
  "swarm-raft-election-tick": "the engine refuses it in daemon.json",
};

function unknownKey(key: string, known: readonly string[]): string {
  const advice = Object.hasOwn(instead, key) ? instead[key] : undefined;
  if (advice !== undefined) return `; ${advice}`;
  const near = didYouMean(key, known);
  if (near !== "" || known.length === 0) return near;
  return known.length > 12 ? "; docs/reference.md lists all" : `; known: ${known.join(", ")}`;
}

function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_ ]/g, "");
  const ranked = known
    .map((name) => ({ name, far: distance(plain(word), plain(name)) }))
    .sort((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1));
  const best = ranked[0];
  return best && best.far <= Math.max(1, Math.floor(plain(word).length / 3)) ? best.name : undefined;
}

function knownKeys(schema: z.core.$ZodType | undefined): string[] {
  const inner = schema && unwrap(schema);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

/** Of a table that takes only certain names. */
function namesOf(schema: z.core.$ZodType | undefined): { known: string[]; allowed: string } | undefined {
  const inner = schema && unwrap(schema);
  if (!(inner instanceof z.ZodRecord && inner.keyType instanceof z.ZodEnum)) return undefined;
  const known = inner.keyType.options.map(String);
  return { known, allowed: aboutOf(inner.keyType).allowed ?? known.join(", ") };
}

function describe(schema: z.core.$ZodType): string {
  const allowed = aboutOf(schema).allowed;
  if (allowed !== undefined) return allowed;
  return unwrap(schema) instanceof z.ZodObject ? `a table with ${knownKeys(schema).slice(0, 6).join(", ")}` : "another value";
}

/** What the names in a table must be like. */
function keyAllowed(schema: z.core.$ZodType, path: Path): string {
  const table = schemaAt(schema, path.slice(0, -1));
  const inner = table && unwrap(table);
  return (inner instanceof z.ZodRecord && aboutOf(inner.keyType).allowed) || "another name";
}

function choiceHint(schema: z.core.$ZodType, found: unknown): string {
  const inner = unwrap(schema);
  return inner instanceof z.ZodEnum && typeof found === "string" ? didYouMean(found, inner.options.map(String)) : "";
}

/** `"4096"` for 4096 and the other way round are the commonest slips in YAML. */
function quotesHint(schema: z.core.$ZodType, found: unknown): string {
  const accepts = (value: unknown): boolean => z.safeParse(schema, value).success;
  if (typeof found === "string") {
    const bare = /^-?\d+$/.test(found) ? Number(found) : found === "true" ? true : found === "false" ? false : undefined;
    if (bare !== undefined && accepts(bare)) return `; write it without quotes: ${found}`;
  }
  if ((typeof found === "number" || typeof found === "boolean") && accepts(String(found))) return `; write it in quotes: "${String(found)}"`;
  if (typeof found === "string" && accepts([found])) return `; write it as a list: [${JSON.stringify(found)}]`;
  return "";
}

function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== "object" || current === null) return undefined;
    current = (current as Record<string | number, unknown>)[step];
  }
  return current;
}

/** Short, and without characters that a terminal would act on or that look like the end of a line. */
function shorten(json: string): string {
  const visible = json.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return visible.length > 80 ? `${visible.slice(0, 77)}...` : visible;
}
