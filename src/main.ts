/** The program: read the fleet from the stack file, register its hosts. */

import { declaredFleet, renderFleet } from "./program/declared-hosts.ts";
import { registerHosts } from "./program/register-hosts.ts";

registerHosts(renderFleet(declaredFleet()));
