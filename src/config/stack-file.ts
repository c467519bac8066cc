/** A stack file as it lies on disk, `stacks/Pulumi.<env>.yaml`, for tools that run without the engine. */

import { readFileSync } from "node:fs";

import { isScalar, parseDocument, visit, type Document } from "yaml";

import { isTable } from "./merge.ts";
import { StackFileError } from "./problems.ts";

const namespace = "drydock:";

/**
 * The values of `drydock:*` without their prefix, as `readFleet` takes them; other namespaces are not ours.
 * @throws StackFileError if the file is no YAML or has no `config`
 */
export function readStackFile(path: string): Record<string, unknown> {
  return parseStackFile(readFileSync(path, "utf8"), path);
}

/** The same for a text. `source` names it in errors. */
export function parseStackFile(text: string, source?: string): Record<string, unknown> {
  // The engine reads YAML with merge keys, so we do.
  const document = parseDocument(text, { merge: true, prettyErrors: true });
  if (document.errors.length > 0) {
    // Only what and where: yaml's message goes on with the line itself, which may hold a secret.
    throw new StackFileError(document.errors.map((error) => error.message.split("\n")[0]?.replace(/:$/, "") ?? error.code), source);
  }
  const unquoted = unquotedIds(document);
  if (unquoted.length > 0) throw new StackFileError(unquoted, source);
  const content: unknown = document.toJS({ maxAliasCount: 100 });
  const config = isTable(content) ? content["config"] : undefined;
  if (!isTable(config)) throw new StackFileError(["config: is missing; allowed: a table with drydock:hosts and others"], source);
  const ours = Object.entries(config).filter(([key]) => key.startsWith(namespace));
  return Object.fromEntries(ours.map(([key, value]) => [key.slice(namespace.length), value]));
}

// --- Internal ---

/** `2.10` without quotes is the number 2.1, and 2.1 is another control. */
function unquotedIds(document: Document): string[] {
  const found: string[] = [];
  visit(document, {
    Pair(_, { key }, path) {
      const above = path.at(-2);
      const inWaivers = above !== undefined && "key" in above && isScalar(above.key) && above.key.value === "waivers";
      if (inWaivers && isScalar(key) && typeof key.value === "number") found.push(`waivers: ${key.source ?? key.value} is not allowed without quotes, since YAML takes it for a number; write "${key.source ?? key.value}"`);
    },
  });
  return found;
}
