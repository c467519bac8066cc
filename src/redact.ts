/**
 * What must not get from a host or an environment into a report, a comment, an issue or a build's artifacts. Nothing of ours holds secrets;
 * what somebody else has put into a file may.
 */

/** Of the environment: whatever looks like a secret by its name. */
export function secretsOf(env: Record<string, string | undefined>): string[] {
  return Object.entries(env).flatMap(([name, value]) => (value !== undefined && value.length >= 6 && secretName.test(name) && !/_(FILE|PATH|ID|NAME|TYPE|SOCK)$/i.test(name) ? [value] : []));
}

/** One line without what looks like a secret, and with every character visible that a terminal or a page would act on. */
export function redactLine(line: string, secrets: readonly string[] = []): string {
  let text = line;
  for (const secret of secrets) text = text.replaceAll(secret, hidden);
  return visible(shapes.reduce((shown, [shape, instead]) => shown.replace(shape, instead), text));
}

/** The same for several lines; the inside of a key block goes, too. */
export function redact(text: string, secrets: readonly string[] = []): string {
  // A secret that spans lines, e.g. a key in a variable, is nowhere whole in a line.
  const whole = secrets.filter((secret) => secret.includes("\n")).reduce((shown, secret) => shown.replaceAll(secret, hidden), text);
  const single = secrets.filter((secret) => !secret.includes("\n"));
  return whole.split("\n").map((line) => redactLine(line, single)).join("\n");
}

/** The same for every text inside of a value. */
export function redactAll<T>(value: T): T;
export function redactAll(value: unknown): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map((each) => redactAll<unknown>(each));
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, redactAll<unknown>(each)])) : value;
}

/** Control characters, those that turn the direction of text, and those that XML has no place for, as `\u202e`. */
export const visible = (line: string): string =>
  line.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFE\uFFFF]/gu, (character) => (character === "\t" ? character : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`));

/** The same for several lines. */
export const visibleText = (text: string): string => text.split("\n").map(visible).join("\n");

/** What stands in the place of a secret. */
export const hidden = "(hidden)";

// --- Internal ---

const secretName = /passw|passphrase|secret|token|credential|(?:private|api|access|storage|account|shared)[-_]?key/i;

const shapes: [RegExp, string][] = [
  // No secret: the engine's stand-in for what another resource has to tell first (sdk/nodejs/runtime/rpc.ts).
  [/04da6b54-80e4-46f7-96ec-b56ff0331ba9/g, "(known only later)"],
  // user:password@ in an address; the user alone is none.
  [/(:\/\/[^\s:/@]*:)[^\s/]+@/g, `$1${hidden}@`],
  // As long as a token, it is one.
  [/(:\/\/)[\w-]{20,}@/g, `$1${hidden}@`],
  [/(hooks\.slack\.com\/services\/)\S+/g, `$1${hidden}`],
  // Assigned to a name that says it: `"splunk-token": "…"`, `PASSWORD=…`. A quote may be missing at the end: texts get cut.
  [/((?:passw(?:or)?d|passphrase|secret|token|credentials?|private[-_]?key|api[-_]?key|access[-_]?key)[\w.-]*["']?\s*(?:[=:]|\s=>)\s*)("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,;"']+)/gi, `$1${hidden}`],
  // The same for short names, which are parts of many other words; `auth` is of Docker's own config.json.
  [/((?:\b|_)(?:pass|pwd|auth)["']?\s*[=:]\s*)("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,;"']+)/gi, `$1${hidden}`],
  // `--password hunter2`
  [/(--(?:password|passphrase|secret|token|api-key)\s+)\S+/gi, `$1${hidden}`],
  [/(\bAuthorization:\s*|\bBearer\s+)\S.*/gi, `$1${hidden}`],
  // Tokens that are known by their looks: GitHub, GitLab, Slack, AWS, Pulumi, JSON web tokens, Pulumi's and Ansible's ciphertexts.
  [/\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|pul-|AKIA|ASIA)[A-Za-z0-9_-]{12,}/g, hidden],
  [/\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*)?/g, hidden],
  [/\bv1:[A-Za-z0-9+/=]{8,}(?::[A-Za-z0-9+/=]+)?/g, hidden],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----.*/g, `-----BEGIN PRIVATE KEY----- ${hidden}`],
  // The inside of such a block, of which a diff may show nothing else.
  [/^([ +-]?\s*)(?=[A-Za-z0-9+/]*[A-Z])(?=[A-Za-z0-9+/]*[a-z])[A-Za-z0-9+/]{48,}={0,2}$/g, `$1${hidden}`],
];
