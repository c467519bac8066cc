/** An update that was under way when a firewall or sshd locked the operator out is taken back by the host alone, within the time limit: by its own journal. */

import type { Machine } from "../../../lab/machine.ts";
import { seconds } from "../../../src/remote/limits.ts";
import { limits } from "./host.ts";
import { inOrder, shows, timed } from "./shown.ts";

/** How late the timer may be on an emulated host whose processors another machine wants as well. */
const late = 15;
/** At most: dockerd may take `seconds.daemon` (48 s in a trial) to stop, to start and to answer, and the rest is read back. */
const wayBack = 180;

/** By the host's own journal: nobody who was locked out had to help, and what he was promised as the time limit was kept. */
async function wentBackInTime(machine: Machine): Promise<string> {
  const lines = await timed(machine, "_SYSTEMD_UNIT=drydock-guard.service + UNIT=drydock-apply.service");
  // One after the other: of an earlier trial the lines would be there as well.
  const [changed = NaN, goesBack = NaN, isBack = NaN] = inOrder(lines, ["drydock-apply.service: Deactivated successfully", "going back to the state of before", "the state of before is back"]);
  const [begun, took] = [goesBack - changed, isBack - goesBack];
  const most = limits.confirm + seconds.guard + late;
  // Also where one of the lines is missing.
  if (!(begun <= most && took <= wayBack)) throw new Error(`the way back did not begin within ${most} s of the change, or did not end within ${wayBack} s of that: ${lines.map((line) => `${line.second} ${line.text}`).join("\n")}`);
  return `the way back began ${Math.round(begun)} s after the change, and took ${Math.round(took)} s`;
}

/** That something really was so, and that the host was back in time. */
export const lockedOut = async (machine: Machine, command: string, pattern: RegExp): Promise<string> => `${await shows(machine, command, pattern)}; ${await wentBackInTime(machine)}`;
