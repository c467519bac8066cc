/** A connection as a provider gets it: what a program knew only later has become something, which nobody has checked yet. */

import { connectionSchema } from "./connection.ts";
import { isTable } from "./merge.ts";
import { explain, type Problem, showPath } from "./problems.ts";

/** One line a mistake; none for a connection that was known when the settings were read. */
export function connectionProblems(connection: unknown): string[] {
  const checked = connectionSchema.safeParse(connection);
  const wrong = checked.success ? [] : explain(connectionSchema, connection, checked.error.issues, ["connection"]);
  return [...wrong, ...withoutHost(connection)].map(({ path, text }) => `${showPath(path)}: ${text}`);
}

// --- Internal ---

/** In a layer `host` may be left out, at the end it has to be there. */
function withoutHost(connection: unknown): Problem[] {
  if (!isTable(connection)) return [];
  const places = [{ path: ["connection", "host"], endpoint: connection }, ...(isTable(connection["proxy"]) ? [{ path: ["connection", "proxy", "host"], endpoint: connection["proxy"] }] : [])];
  return places.filter(({ endpoint }) => endpoint["host"] === undefined || endpoint["host"] === null).map(({ path }) => ({ path, text: "is missing; allowed: a host name, an IP address or an alias of ssh_config" }));
}
