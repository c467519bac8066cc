/** A fleet in somebody's own program. */

import type { Host } from "../provider/host.ts";
import type { CustomResourceOptions } from "../sdk.ts";
import { fleetOf, printed, renderFleet } from "./declared-hosts.ts";
import type { FleetArgs } from "./fleet-args.ts";
import { registerFleet } from "./register-hosts.ts";

/**
 * Registers the hosts of a fleet: profile, defaults, groups and host are merged as those of a stack file.
 *
 * Values of `connection` may be outputs of other resources, such as the address of a machine that the same program makes. A preview
 * looks at such a host as soon as they are known.
 *
 * @param fleet what a stack file says, without the prefix `drydock:`
 * @param options for each of the resources, e.g. `dependsOn`
 * @returns the hosts by name
 * @throws RunError with every mistake of every host, each at its place, e.g. `hosts.web1.daemon.icc`; nothing is registered then
 */
export function hardenFleet<Name extends string>(fleet: FleetArgs<Name>, options: CustomResourceOptions = {}): Record<Name, Host> {
  const read = printed(() => fleetOf(fleet, "hardenFleet"));
  const hosts = registerFleet(read, renderFleet(read), options);
  return Object.fromEntries(hosts) as Record<Name, Host>;
}
