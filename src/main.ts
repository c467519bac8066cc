/** The program: read the fleet from the stack file, register its hosts. */

import type { Fleet } from "./config/fleet.ts";
import { declaredFleet, readableFleet, renderFleet } from "./program/declared-hosts.ts";
import { recordedHosts, recordedRollout } from "./program/recorded-hosts.ts";
import { registerFleet, registerHosts } from "./program/register-hosts.ts";
import { complianceOf } from "./program/summary.ts";
import type { Host } from "./provider/host.ts";

function register(): { fleet: Fleet | undefined; hosts: Map<string, Host> } {
  const recorded = recordedHosts();
  if (!recorded) {
    const fleet = declaredFleet();
    return { fleet, hosts: registerFleet(fleet, renderFleet(fleet)) };
  }
  // A rollback brings its hosts along, and the stack file may be the very mistake.
  const fleet = readableFleet();
  return { fleet, hosts: registerHosts(recorded, recordedRollout(recorded, fleet?.rollout)) };
}

const { fleet, hosts } = register();

/** A stack output: the benchmark in numbers, by host and over all. */
export const compliance = complianceOf(hosts, new Map([...(fleet?.hosts ?? [])].map(([name, { waivers }]) => [name, waivers])));
