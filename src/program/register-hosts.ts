/** Hosts become resources of the engine. */

import type { HostArgs } from "../desired/host-inputs.ts";
import { Host } from "../provider/host.ts";

/** @param hosts by name, each with what it should have */
export function registerHosts(hosts: ReadonlyMap<string, HostArgs>): Map<string, Host> {
  return new Map([...hosts].map(([name, args]) => [name, new Host(name, args)]));
}
