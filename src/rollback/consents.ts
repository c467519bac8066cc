/** What may be disrupted by a rollback, and when: what the stack file of today says, and who asks for it. Never what was consented to then. */

import type { HostSettings } from "../config/fleet.ts";
import type { Disruption, HostArgs } from "../desired/host-inputs.ts";
import { disruptions } from "../desired/host-inputs.ts";

/**
 * @param declared the host in the stack file, where that can be read and has it
 * @param current what the state of today has of the host
 * @param asked for this rollback alone
 */
export function consentsToday(declared: Pick<HostSettings, "allow"> | undefined, current: Pick<HostArgs, "allow"> | undefined, asked: Disruption[]): Disruption[] {
  const today = declared?.allow ?? current?.allow ?? [];
  return disruptions.filter((disruption) => today.includes(disruption) || asked.includes(disruption));
}

/**
 * @param declared,current as above
 * @param recorded what it was then, for a host of which nobody knows anything today
 */
export function windowToday(declared: Pick<HostSettings, "window"> | undefined, current: Pick<HostArgs, "window"> | undefined, recorded: Pick<HostArgs, "window">): Pick<HostArgs, "window"> {
  const { window } = declared ?? current ?? recorded;
  return window === undefined ? {} : { window };
}
