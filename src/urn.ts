/** How the engine names a resource, and a function of the provider. */

import type { Connection } from "./config/connection.ts";

export const hostType = "drydock:index:Host";

export interface Urn {
  project: string;
  stack: string;
  /** Without those of its parents. */
  type: string;
  name: string;
}

/** urn:pulumi:prod::drydock::drydock:index:Host::web1; the type of a child stands behind its parent's and a `$`. */
export function parseUrn(urn: string): Urn {
  const [stack = "", project = "", types = "", ...name] = urn.replace(/^urn:pulumi:/, "").split("::");
  return { project, stack, type: types.split("$").at(-1) ?? "", name: name.join("::") };
}

/** The function of the provider that takes an {@link Announcement}. */
export const announceToken = "drydock:index:announce";

/** Hosts in the order in which the engine is about to ask about them, each with its connection. */
export interface Announcement {
  hosts: { host: string; connection: Connection }[];
}
