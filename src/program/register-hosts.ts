/** Hosts become resources of the engine. */

import { Host } from "../provider/host.ts";
import type { CustomResourceOptions } from "../sdk.ts";
import type { DeclaredHost } from "./declared-hosts.ts";

/** @param hosts by name, each with what it should have */
export function registerHosts(hosts: ReadonlyMap<string, DeclaredHost>, options: CustomResourceOptions = {}): Map<string, Host> {
  return new Map([...hosts].map(([name, declared]) => [name, new Host(name, declared, options)]));
}
