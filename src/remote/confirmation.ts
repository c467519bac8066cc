/** The controller has seen that all is as wished, over a new connection: the host keeps the change that waits for it. */

import type { Connection } from "../config/connection.ts";
import { seconds } from "./limits.ts";
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

// --- Internal ---

const inHand = "/var/lib/drydock/transaction";

const confirmation = `exec 9>/var/lib/drydock/lock
flock -w 60 9 || exit 1
# Confirmed already, and only the answer was lost.
if [ ! -e ${inHand}/step ]; then grep -qx 'result confirmed' /var/lib/drydock/outcome; exit; fi
exec sh ${inHand}/transaction.sh confirm ${inHand} >/dev/null`;
