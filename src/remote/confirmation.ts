/** What the controller tells a host whose change waits for it, after a look over a new connection: it is kept, or it goes back. */

import type { Connection } from "../config/connection.ts";
import { seconds } from "./limits.ts";
import { quote } from "./shell.ts";
import { runAsRoot } from "./ssh.ts";

/**
 * Says so over whatever connection there is, since the look before has proved a new one.
 *
 * @param begun which change, by the moment in which it was begun: another one may wait there by now, since this one was taken back
 * @throws RemoteScriptError when there is nothing to confirm any more: the lock is held while the host takes a change back, and the
 *   next look tells what became of it. UnreachableError
 */
export async function confirmChange(connection: Connection, begun: string): Promise<void> {
  const script = `${lock}
ours=${quote(`since ${begun}`)}
# Confirmed already, and only the answer was lost.
if [ ! -e ${inHand}/step ]; then grep -qx 'result confirmed' ${outcome} && grep -qxF "$ours" ${outcome}; exit; fi
grep -qxF "$ours" ${inHand}/by || exit 1
exec sh ${inHand}/transaction.sh confirm ${inHand} >/dev/null`;
  await runAsRoot(connection, script, { step: "confirming", timeout: seconds.observe });
}

/**
 * Not all is as wished. The host goes back within seconds by itself, with this as the reason, or with its own where that is the end of
 * dockerd. Whom this does not reach goes back later, since nobody confirms it.
 *
 * @param begun as for {@link confirmChange}
 * @param why a line
 * @throws RemoteScriptError, UnreachableError
 */
export async function rejectChange(connection: Connection, begun: string, why: string): Promise<void> {
  const script = `${lock}
grep -qxF ${quote(`since ${begun}`)} ${inHand}/by || exit 1
exec sh ${inHand}/transaction.sh reject ${inHand} ${quote(why)} >/dev/null`;
  await runAsRoot(connection, script, { step: "rejecting", timeout: seconds.observe });
}

// --- Internal ---

const outcome = "/var/lib/drydock/outcome";
const inHand = "/var/lib/drydock/transaction";

const lock = `exec 9>/var/lib/drydock/lock
flock -w 60 9 || exit 1`;
