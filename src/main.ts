/** The program: read the fleet from the stack file, register its hosts. */

import { declaredFleet, renderFleet } from "./program/declared-hosts.ts";
import { registerHosts } from "./program/register-hosts.ts";
import { complianceOf } from "./program/summary.ts";

const fleet = declaredFleet();
const hosts = registerHosts(renderFleet(fleet));

/** A stack output: the benchmark in numbers, by host and over all. */
export const compliance = complianceOf(hosts, new Map([...fleet.hosts].map(([name, { waivers }]) => [name, waivers])));
