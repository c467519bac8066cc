/** What the controller tells a host whose change waits for it, after a look over a new connection: it is kept, or it goes back. */

import type { Connection } from "../config/connection.ts";
import { seconds } from "./limits.ts";
import { quote } from "./shell.ts";
import { runAsRoot } from "./ssh.ts";

/**
 * Says so over whatever connection there is, since the look before has proved a new one.
 *
 * @throws RemoteScriptError when there is nothing to confirm any more: the lock is held while the host takes a change back, and the
 *   next look tells what became of it. UnreachableError
 */
export async function confirmChange(connection: Connection): Promise<void> {
  await runAsRoot(connection, confirmation, { step: "confirming", timeout: seconds.observe });
}

/**
 * Not all is as wished. The host goes back within seconds by itself, with this as the reason, or with its own where it has one, as that
 * dockerd has ended. Whom this does not reach goes back later, since nobody confirms it.
 *
 * @param why a line
 * @throws RemoteScriptError, UnreachableError
 */
export async function rejectChange(connection: Connection, why: string): Promise<void> {
  await runAsRoot(connection, `${locked}\nexec sh ${inHand}/transaction.sh reject ${inHand} ${quote(why)} >/dev/null`, { step: "rejecting", timeout: seconds.observe });
}

// --- Internal ---

const inHand = "/var/lib/drydock/transaction";

const locked = `exec 9>/var/lib/drydock/lock
flock -w 60 9 || exit 1`;

const confirmation = `${locked}
# Confirmed already, and only the answer was lost.
if [ ! -e ${inHand}/step ]; then grep -qx 'result confirmed' /var/lib/drydock/outcome; exit; fi
exec sh ${inHand}/transaction.sh confirm ${inHand} >/dev/null`;
