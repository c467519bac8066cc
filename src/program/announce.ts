/** Tells the provider which hosts it is about to be asked about, so that it can look at several of them at a time. */

import type { Connection } from "../config/connection.ts";
import { isTable } from "../config/merge.ts";
import { invoke, Output, type CustomResourceOptions } from "../sdk.ts";
import { announceToken, type Announcement } from "../urn.ts";
import type { DeclaredHost } from "./declared-hosts.ts";

/**
 * Nothing waits for it, and nothing depends on it: who is not announced is looked at when its turn comes.
 *
 * @param names in the order in which they are registered, all at once
 */
export function announce(names: string[], hosts: ReadonlyMap<string, DeclaredHost>, { provider }: CustomResourceOptions): void {
  const announced = names.flatMap((host) => {
    const connection = hosts.get(host)?.connection;
    // What is known only after another resource is made can't be reached yet.
    return connection !== undefined && isKnown(connection) ? [{ host, connection: connection as Connection }] : [];
  });
  if (announced.length < 2) return;
  const said: Announcement = { hosts: announced };
  void invoke(announceToken, said, provider ? { provider } : {}).catch(() => undefined);
}

// --- Internal ---

function isKnown(value: unknown): boolean {
  if (Output.isInstance(value) || value instanceof Promise) return false;
  if (Array.isArray(value)) return value.every(isKnown);
  return isTable(value) ? Object.values(value).every(isKnown) : true;
}
