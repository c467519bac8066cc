/** A dockerd that never starts, hangs, or dies a while after its start: by a drop-in beside it, in memory, and by itself. */

import type { Machine } from "../../../lab/machine.ts";
import { logDriver, other, type FaultHost, type State } from "./host.ts";
import { timed } from "./shown.ts";

/** A drop-in beside dockerd, in memory. */
export async function dropIn({ machine }: FaultHost, lines: string): Promise<void> {
  await machine.run(`mkdir -p /run/systemd/system/docker.service.d
cat >/run/systemd/system/docker.service.d/fault.conf <<'UNIT'
[Service]
${lines}
UNIT
systemctl daemon-reload`);
}
export const withoutDropIn = ({ machine }: Pick<FaultHost, "machine">): Promise<unknown> => machine.run("rm -f /run/systemd/system/docker.service.d/fault.conf; systemctl daemon-reload");

/** It strikes with the new configuration alone. */
export const isNew = (from: State): string => `grep -qw ${logDriver[other[from]]} /etc/docker/daemon.json`;
export const neverStarts = (host: FaultHost, from: State): Promise<void> => dropIn(host, `ExecStartPre=/bin/sh -c 'if ${isNew(from)}; then echo kept from its start by the fault; exit 1; fi'`);
export const hangsWhere = (condition: string): string => `ExecStartPost=/bin/sh -c 'if ${condition}; then kill -STOP $MAINPID && echo dockerd is stopped by the fault; fi'\nTimeoutStopSec=15`;

/** By a timer on the host itself, as long after dockerd was ready; a timer of systemd may be a minute late if nobody says otherwise. */
export async function diesAfter(lifetime: number, host: FaultHost, from: State): Promise<void> {
  await host.machine.run(`cat >/run/fault-kill <<'KILL'
[ -d /proc/$1 ] && logger -t fault "dockerd $1 is killed by the fault" && kill -KILL "$1"
KILL`);
  await dropIn(host, `ExecStartPost=/bin/sh -c 'if ${isNew(from)}; then systemd-run --quiet --collect --on-active=${lifetime} --timer-property=AccuracySec=100ms /bin/sh /run/fault-kill $MAINPID; fi'`);
}

/** That it was up for that long, and that it was the fault and nobody else who ended it: systemd sees it die right after. */
export async function diedAfter(lifetime: number, machine: Machine): Promise<string> {
  const lines = await timed(machine, "UNIT=docker.service + SYSLOG_IDENTIFIER=fault");
  const at = lines.findIndex(({ text }) => text.includes("is killed by the fault"));
  const killed = lines[at];
  const up = lines.slice(0, at).findLast(({ text }) => /systemd\[1\]: Started docker\.service/.test(text));
  const ended = lines.slice(at).find(({ text }) => /Main process exited, code=killed, status=9\/KILL/.test(text));
  const told = lines.map(({ text }) => text).join("\n");
  if (!killed || !up || !ended) throw new Error(`the fault did not happen: ${told}`);
  const lived = killed.second - up.second;
  if (lived < lifetime - 2 || lived > lifetime + 5 || ended.second - killed.second > 3) throw new Error(`it did not end ${lifetime} s after its start, or not by the fault: ${told}`);
  return `${/dockerd \d+ is killed by the fault/.exec(killed.text)?.[0] ?? ""} after ${Math.round(lived)} s`;
}
