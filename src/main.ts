/** The program: read the fleet from the stack file, register its hosts. */

import { commandsOf } from "./program/commands.ts";
import { declaredFleet, renderFleet } from "./program/declared-hosts.ts";
import { recordedHosts, recordedRollout } from "./program/recorded-hosts.ts";
import { registerHosts } from "./program/register-hosts.ts";

const recorded = recordedHosts();
if (recorded) {
  registerHosts(recorded, recordedRollout(recorded));
} else {
  const fleet = declaredFleet();
  registerHosts(renderFleet(fleet), { ...(fleet.rollout && { rollout: fleet.rollout }), commands: commandsOf(fleet.hosts) });
}
