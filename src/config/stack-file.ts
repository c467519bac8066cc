/** A stack file as it lies on disk, `stacks/Pulumi.<env>.yaml`, for tools that run without the engine. */

import { readFileSync } from "node:fs";

import { parseDocument } from "yaml";

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
  const content: unknown = document.toJS({ maxAliasCount: 100 });
  const config = isTable(content) ? content["config"] : undefined;
  if (!isTable(config)) throw new StackFileError(["config: is missing; allowed: a table with drydock:hosts and others"], source);
  const ours = Object.entries(config).filter(([key]) => key.startsWith(namespace));
  return Object.fromEntries(ours.map(([key, value]) => [key.slice(namespace.length), value]));
}
