/** The program: read the fleet from the stack file, register its hosts. */

import { declaredFleet, renderFleet } from "./program/declared-hosts.ts";
import { recordedHosts } from "./program/recorded-hosts.ts";
import { registerHosts } from "./program/register-hosts.ts";

// A rollback brings its hosts along: the stack file may be the very mistake.
registerHosts(recordedHosts() ?? renderFleet(declaredFleet()));
