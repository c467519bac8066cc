/** What goes wrong on production hosts, each so that it really happens, and can be shown to have. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Machine } from "../../../lab/machine.ts";
import { seconds } from "../../../src/remote/limits.ts";
import { breakAt, type Step } from "./breakpoint.ts";
import { journal, limits, logDriver, other, type FaultHost, type State, type Update } from "./host.ts";

/** `original`: as before the first update, after a destroy. */
export type End = "old" | "new" | "old, with what somebody else changed" | "original";

/** One update with a fault in it. */
export interface Circumstances {
  host: FaultHost;
  machine: Machine;
  update: Update;
  /** The state that the update leads away from. */
  from: State;
  step: Step;
}

export interface Fault {
  name: string;
  /** Where it strikes: the update waits there until it has. */
  steps: Step[];
  /** It is of a kind that another one stands for in `npm test`. */
  variant?: true;
  /** In which operation. @default "up" */
  during?: "destroy";
  /** Until the host takes back what nobody has confirmed. @default limits.confirm */
  confirm?: number;
  /** Before it is looked at: Drydock leaves the host, and the update is its first one. */
  leaves?: (host: FaultHost) => Promise<unknown>;
  /** Before the update begins; what an update sees is refused instead. */
  prepare?: (host: FaultHost, from: State) => Promise<unknown>;
  strike?: (circumstances: Circumstances) => Promise<unknown>;
  /** It does not last: the host has to help itself as long as it does, and to be whole afterwards. */
  passes?: (circumstances: Circumstances) => Promise<unknown>;
  /** What the operator has to do by hand then. */
  finish?: (circumstances: Circumstances) => Promise<unknown>;
  /** What shows that it has happened, once all is over. @throws when it has not */
  evidence: (circumstances: Circumstances) => Promise<string>;
  /** After the end state was looked at: what the operator does next, and what came of it. */
  next?: (circumstances: Circumstances) => Promise<string>;
  /** At the very end. */
  undo?: (host: FaultHost) => Promise<unknown>;
  /** In which state the host ends; a change of somebody else stays in both. */
  ends: (step: Step) => End;
  /** What the operator is told, if there is anybody left to tell. */
  says?: RegExp;
  /** The container has to be started again by somebody. */
  restarts?: boolean;
}

/** New when the fault strikes in one of these steps. */
const newIn = (...steps: Step[]) => (step: Step): End => (steps.includes(step) ? "new" : "old");
const old = newIn();
const kept = newIn("keeping", "ending");
/** Who confirms has seen the host before: what it began there goes on without it. */
const confirmedOnce = newIn("confirming", "keeping", "ending");

/** What a pattern finds in the text of a command on the host. */
async function shows(machine: Machine, command: string, pattern: RegExp): Promise<string> {
  const { stdout } = await machine.ssh(command);
  const found = pattern.exec(stdout)?.[0];
  if (found === undefined) throw new Error(`the fault did not happen: ${command} says ${stdout.trim() || "nothing"}`);
  return found.replace(/\s+/g, " ");
}

const all: Step[] = ["saving", "arming", "begun", "installing", "loading profiles", "stopping dockerd", "starting dockerd", "health check", "confirming", "keeping", "ending"];
const onTheHost: Step[] = ["saving", "begun", "installing", "loading profiles", "starting dockerd", "health check"];
const inDestroy: Step[] = ["stopping dockerd", "removing ours", "starting dockerd"];

const bootIds = new WeakMap<Update, string>();
const bootId = (machine: Machine) => machine.run("cat /proc/sys/kernel/random/boot_id");

async function powerCut({ machine, update }: Circumstances): Promise<void> {
  bootIds.set(update, await bootId(machine));
  await machine.powerCut();
  await update.done;
  await machine.boot();
}

async function booted({ machine, update }: Circumstances): Promise<string> {
  const [before = "", after] = [bootIds.get(update), await bootId(machine)];
  if (before === after) throw new Error("the machine was not booted again");
  return `boot ${before.slice(0, 8)}, then ${after.slice(0, 8)}`;
}

/** A drop-in beside dockerd, in memory. */
async function dropIn({ machine }: FaultHost, lines: string): Promise<void> {
  await machine.run(`mkdir -p /run/systemd/system/docker.service.d
cat >/run/systemd/system/docker.service.d/fault.conf <<'UNIT'
[Service]
${lines}
UNIT
systemctl daemon-reload`);
}
const withoutDropIn = ({ machine }: Pick<FaultHost, "machine">): Promise<unknown> => machine.run("rm -f /run/systemd/system/docker.service.d/fault.conf; systemctl daemon-reload");

/** It strikes with the new configuration alone. */
const isNew = (from: State): string => `grep -qw ${logDriver[other[from]]} /etc/docker/daemon.json`;
const neverStarts = (host: FaultHost, from: State): Promise<void> => dropIn(host, `ExecStartPre=/bin/sh -c 'if ${isNew(from)}; then echo kept from its start by the fault; exit 1; fi'`);
const hangsWhere = (condition: string): string => `ExecStartPost=/bin/sh -c 'if ${condition}; then kill -STOP $MAINPID && echo dockerd is stopped by the fault; fi'\nTimeoutStopSec=15`;

/** By a timer on the host itself, as long after dockerd was ready; a timer of systemd may be a minute late if nobody says otherwise. */
async function diesAfter(lifetime: number, host: FaultHost, from: State): Promise<void> {
  await host.machine.run(`cat >/run/fault-kill <<'KILL'
[ -d /proc/$1 ] && logger -t fault "dockerd $1 is killed by the fault" && kill -KILL "$1"
KILL`);
  await dropIn(host, `ExecStartPost=/bin/sh -c 'if ${isNew(from)}; then systemd-run --quiet --collect --on-active=${lifetime} --timer-property=AccuracySec=100ms /bin/sh /run/fault-kill $MAINPID; fi'`);
}

/** That it was up for that long, and that it was the fault and nobody else who ended it: systemd sees it die right after. */
async function diedAfter(lifetime: number, machine: Machine): Promise<string> {
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

interface Line {
  /** Since the boot: no clock that was set moves it. */
  second: number;
  text: string;
}

/** What the journal has of the trial. */
async function timed(machine: Machine, matches: string): Promise<Line[]> {
  const { stdout } = await machine.ssh(`${journal} ${matches}`);
  return stdout.split("\n").flatMap((line) => {
    const [, second, text = ""] = /^\[ *([\d.]+)\] (.*)/.exec(line) ?? [];
    return second === undefined ? [] : [{ second: Number(second), text }];
  });
}

/** How late the timer may be on an emulated host whose processors another machine wants as well. */
const late = 15;
/** At most: dockerd may take `seconds.daemon` (48 s in a trial) to stop, to start and to answer, and the rest is read back. */
const wayBack = 180;

/** By the host's own journal: nobody who was locked out had to help, and what he was promised as the time limit was kept. */
async function wentBackInTime(machine: Machine): Promise<string> {
  const lines = await timed(machine, "_SYSTEMD_UNIT=drydock-guard.service + UNIT=drydock-apply.service");
  const second = (text: string): number => lines.find((line) => line.text.includes(text))?.second ?? NaN;
  const begun = second("going back to the state of before") - second("drydock-apply.service: Deactivated successfully");
  const took = second("the state of before is back") - second("going back to the state of before");
  const most = limits.confirm + seconds.guard + late;
  // Also where one of the lines is missing.
  if (!(begun <= most && took <= wayBack)) throw new Error(`the way back did not begin within ${most} s of the change, or did not end within ${wayBack} s of that: ${lines.map((line) => `${line.second} ${line.text}`).join("\n")}`);
  return `the way back began ${Math.round(begun)} s after the change, and took ${Math.round(took)} s`;
}

/** That something really was so, and that the host was back in time. */
const lockedOut = async (machine: Machine, command: string, pattern: RegExp): Promise<string> => `${await shows(machine, command, pattern)}; ${await wentBackInTime(machine)}`;

/** A filesystem of its own for a folder, small enough to be filled, with what is in it. */
const ownFilesystem = (folder: string, size: string) => ({ machine }: FaultHost): Promise<unknown> => machine.run(`truncate -s ${size} /root/small.img; mkfs.ext4 -q /root/small.img; mount -o loop /root/small.img /mnt; rmdir /mnt/lost+found; cp -a ${folder}/. /mnt/; mount --bind /mnt ${folder}; umount /mnt`);
/** With what became of it there; /etc is not emptied meanwhile, since a system runs by it. */
const withoutFilesystem = (folder: string) => ({ machine }: FaultHost): Promise<unknown> => machine.run(`rm -rf /root/folder; cp -a ${folder} /root/folder; umount -l ${folder}; rm -f /root/small.img
    [ ${folder} = /etc ] || find ${folder} -mindepth 1 -delete; cp -a /root/folder/. ${folder}/; systemctl daemon-reload`);

/** To its last block, also of those that are freed only once the journal is written: some KiB would be enough for an update of /etc. */
const fill = (folder: string) => ({ machine }: Circumstances): Promise<unknown> => machine.run(`cd ${folder}; fallocate -l "$(df --output=avail -B1 . | tail -1)" filler 2>/dev/null || :
    cat /dev/zero >filler-2 2>/dev/null || :
    for pass in 3 4 5; do sync -f .; cat /dev/zero >"filler-$pass" 2>/dev/null || :; done
    ! (head -c 4096 /dev/zero >filler-last && sync filler-last) 2>/dev/shm/full || exit 1; rm -f filler-last`);
/** What filled it is there still: nobody has made room but by the MiB that was reserved. */
const full = (folder: string) => ({ machine }: Circumstances): Promise<string> => shows(machine, `[ -s ${folder.replace(/\/$/, "")}/filler-2 ] && sed "s,.*: ,4 KiB in ${folder}: ," /dev/shm/full`, /4 KiB in .*: No space left on device/);
const unfill = (folder: string) => ({ machine }: FaultHost): Promise<unknown> => machine.run(`rm -f ${folder}/filler*`);

const fullFolder = (folder: string, size: string, ends: Fault["ends"] = old): Fault => ({
  name: `disk full on ${folder}`,
  steps: ["saving", "begun", "installing"],
  prepare: ownFilesystem(folder, size),
  strike: fill(folder),
  evidence: full(folder),
  undo: async (host) => {
    await unfill(folder)(host);
    await withoutFilesystem(folder)(host);
  },
  ends,
});

const connections = "pgrep -fc '^sshd: ops@' || :";
const connected = new WeakMap<Update, string>();
async function killController({ machine, update }: Circumstances): Promise<void> {
  const before = await machine.run(connections);
  update.kill();
  await update.done;
  const after = await machine.run(`i=0; while [ "$(${connections})" -ge ${before} ] && [ $i -lt 20 ]; do i=$((i+1)); sleep 0.5; done; ${connections}`);
  if (Number(after) >= Number(before)) throw new Error(`the controller's connections are there still: ${before}, then ${after}`);
  connected.set(update, `${before}, then ${after}`);
}
const isKilled = async ({ update }: Circumstances): Promise<string> => {
  const { exitCode } = await update.done;
  if (exitCode !== -1) throw new Error(`the controller ended by itself with ${exitCode}`);
  return `pulumi ended by SIGKILL; connections to the host: ${connected.get(update) ?? ""}`;
};

/** From ours. */
const hoursOff = async ({ machine }: Circumstances, hours: number): Promise<string> => {
  const off = Math.round((Number(await machine.run("date +%s")) - Date.now() / 1000) / 3600);
  if (Math.abs(off - hours) > 1) throw new Error(`the host's clock is ${off} h off`);
  return `the host's clock is ${off} h off`;
};

const writable = ({ machine }: Pick<Circumstances, "machine">): Promise<unknown> => machine.run("! mountpoint -q /etc || { umount -l /etc; systemctl daemon-reload; }");
/** What the host said while it was. */
const readOnly = new WeakMap<Update, string>();

/** What the second of two operators was told. */
const toldSecond = new WeakMap<Update, string>();

/** Refused once, it plans again with what somebody else has made, and goes through. */
async function plansAgain({ host, from }: Circumstances): Promise<string> {
  const { exitCode, output } = await host.stack.up();
  if (exitCode !== 0) throw new Error(`the next update does not go through: ${output}`);
  host.hasBecome(other[from]);
  return "the next update goes through";
}

async function destroyed(host: FaultHost): Promise<void> {
  const { exitCode, output } = await host.stack.destroy();
  if (exitCode !== 0) throw new Error(`the host could not be left: ${output}`);
}

const killProgram = ({ machine }: Circumstances): Promise<unknown> => machine.run("systemctl kill -s KILL drydock-apply.service");
const isProgramKilled = ({ machine }: Circumstances): Promise<string> => shows(machine, `${journal} -u drydock-apply.service`, /code=killed, status=9\/KILL/);

export const faults: Fault[] = [
  { name: "controller killed (SIGKILL)", steps: ["sending", "installing", "loading audit rules", "starting dockerd", "confirming", "keeping"], strike: killController, evidence: isKilled, ends: confirmedOnce },
  {
    name: "SSH link cut",
    steps: ["installing", "starting dockerd", "confirming"],
    // The packets of that connection are lost in both directions; new ones come through.
    strike: ({ machine }) =>
      machine.run(`
        for pid in $(pgrep -f '^sshd: ops'); do ss -tnpH state established '( sport = :22 )' | grep "pid=$pid," | sed 's/.*:\\([0-9]*\\) *users.*/\\1/'; done | sort -u >/root/ports
        [ -s /root/ports ]
        for port in $(cat /root/ports); do iptables -I INPUT -p tcp --dport 22 --sport "$port" -j DROP; iptables -I OUTPUT -p tcp --sport 22 --dport "$port" -j DROP; done`),
    evidence: ({ machine }) => shows(machine, `iptables -vnxL OUTPUT | awk '/DROP/ { n += $1 } END { print n " packets dropped" }'`, /^[1-9]\d* packets dropped/m),
    undo: ({ machine }) => machine.run(`for port in $(cat /root/ports); do iptables -D INPUT -p tcp --dport 22 --sport "$port" -j DROP; iptables -D OUTPUT -p tcp --sport 22 --dport "$port" -j DROP; done`),
    ends: confirmedOnce,
  },
  {
    name: "SIGINT in `pulumi up`",
    steps: ["saving", "starting dockerd", "confirming"],
    strike: ({ update }) => Promise.resolve(update.interrupt()),
    evidence: async ({ update }) => {
      const { output } = await update.done;
      const said = /\^C received[^\n]*/.exec(output)?.[0];
      if (said === undefined) throw new Error(`the engine saw no SIGINT: ${output}`);
      return said;
    },
    ends: () => "new",
  },
  { name: "power cut, and boot", steps: all, strike: powerCut, evidence: booted, ends: kept, restarts: true },
  {
    name: "power cut on the way back, and boot",
    variant: true,
    steps: ["going back"],
    prepare: neverStarts,
    strike: powerCut,
    evidence: booted,
    ends: old,
    restarts: true,
  },
  {
    name: "power cut, and another one while the boot takes it back",
    variant: true,
    steps: ["starting dockerd"],
    strike: async (circumstances) => {
      const { machine, update } = circumstances;
      bootIds.set(update, await bootId(machine));
      await breakAt(machine, "going back", "power off");
      await machine.powerCut();
      await update.done;
      await machine.boot().catch(() => undefined);
      const end = Date.now() + 120_000;
      while (machine.isRunning() && Date.now() < end) await sleep(500);
      if (machine.isRunning()) throw new Error("the second power cut did not come");
      await machine.boot();
    },
    evidence: async (circumstances) => `${await shows(circumstances.machine, "ls /root/breakpoint/reached", /reached/)} the way back at boot; ${await booted(circumstances)}`,
    ends: old,
    restarts: true,
  },
  {
    name: "power cut in the first update, and boot",
    variant: true,
    leaves: destroyed,
    steps: ["installing", "starting dockerd"],
    strike: powerCut,
    evidence: booted,
    ends: () => "original",
    restarts: true,
  },
  {
    name: "program killed on the host (SIGKILL)",
    steps: onTheHost,
    strike: killProgram,
    evidence: isProgramKilled,
    ends: old,
    says: /refused|taken? (the change )?back|took the change back/,
  },
  {
    name: "program killed on its way back (SIGKILL)",
    variant: true,
    steps: ["going back"],
    prepare: neverStarts,
    strike: killProgram,
    evidence: isProgramKilled,
    undo: withoutDropIn,
    ends: old,
  },
  { name: "disk full on /", steps: ["saving", "begun", "installing", "stopping dockerd"], strike: fill("/"), evidence: full("/"), undo: unfill(""), ends: old },
  // At "installing" all new files are written there, beside their places: only names are missing, and those need no room.
  fullFolder("/etc", "24M", newIn("installing")),
  fullFolder("/var/lib/drydock", "16M"),
  {
    name: "/etc read-only, and writable again after the update",
    steps: ["saving", "begun", "installing", "starting dockerd"],
    strike: ({ machine }) => machine.run("mount --bind /etc /etc; mount -o remount,bind,ro /etc"),
    passes: async ({ machine, update }) => {
      await update.done;
      readOnly.set(update, await shows(machine, "findmnt -no OPTIONS /etc; touch /etc/x 2>&1", /Read-only file system/));
      await writable({ machine });
    },
    evidence: ({ update }) => Promise.resolve(`touch /etc/x: ${readOnly.get(update) ?? ""}`),
    // A trial that failed before that must not leave it to the next one.
    undo: writable,
    // With all files in their place nothing else needs /etc, and only the units for a boot go later.
    ends: newIn("starting dockerd"),
  },
  {
    name: "dockerd never starts",
    steps: ["starting dockerd"],
    prepare: neverStarts,
    evidence: ({ machine }) => shows(machine, `${journal} -u docker.service -o cat`, /kept from its start by the fault/),
    undo: withoutDropIn,
    ends: old,
    says: /the state of before was restored and read back[^]*dockerd does not start/,
  },
  {
    name: "dockerd starts, and dies after 20 s",
    steps: ["starting dockerd"],
    prepare: (host, from) => diesAfter(20, host, from),
    // As operators have it: what takes the change back has to be that dockerd died, and not a look that took too long.
    confirm: 60,
    evidence: ({ machine }) => diedAfter(20, machine),
    undo: withoutDropIn,
    ends: old,
    says: new RegExp(`took the change back by itself \\(dockerd ended within ${limits.settle} s of its start`),
  },
  {
    name: "dockerd hangs",
    steps: ["starting dockerd"],
    prepare: (host, from) => dropIn(host, hangsWhere(isNew(from))),
    evidence: ({ machine }) => shows(machine, `${journal} -u docker.service -o cat`, /dockerd is stopped by the fault/),
    undo: withoutDropIn,
    ends: old,
    says: /the state of before was restored and read back[^]*dockerd did not answer within/,
  },
  {
    name: "auditd stopped",
    steps: ["begun", "health check"],
    strike: ({ machine }) => machine.run("pidof auditd >/root/auditd; kill -TERM $(cat /root/auditd); while pidof auditd >/dev/null; do sleep 0.2; done"),
    evidence: ({ machine }) => shows(machine, "pid=$(cat /root/auditd); [ -d /proc/$pid ] || echo auditd $pid is gone, the unit $(systemctl is-active auditd)", /auditd \d+ is gone, the unit (inactive|failed)/),
    undo: ({ machine }) => machine.run("systemctl start auditd; auditctl -e 1 >/dev/null"),
    ends: old,
    says: /services\.auditd\.service|auditd/,
  },
  {
    name: "apparmor_parser missing",
    steps: ["sending", "begun", "loading profiles"],
    strike: ({ machine }) => machine.run("mv /usr/sbin/apparmor_parser /root/apparmor_parser"),
    evidence: ({ machine }) => shows(machine, "ls /usr/sbin/apparmor_parser 2>&1", /No such file or directory/),
    undo: ({ machine }) => machine.run("mv /root/apparmor_parser /usr/sbin/apparmor_parser"),
    ends: old,
  },
  {
    name: "firewall that locks us out",
    steps: ["begun", "starting dockerd"],
    strike: ({ machine }) => machine.run("iptables -I INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -j DROP"),
    evidence: ({ machine }) => lockedOut(machine, `iptables -vnxL INPUT | awk '/DROP.*dpt:22 ctstate NEW/ { print $1 " packets dropped" }'`, /^[1-9]\d* packets dropped/m),
    undo: ({ machine }) => machine.run("iptables -D INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -j DROP"),
    ends: old,
    says: /took the change back by itself \(nobody confirmed it over a new connection within 25 s\)/,
  },
  {
    name: "sshd that locks us out",
    variant: true,
    steps: ["begun", "starting dockerd"],
    strike: ({ machine }) => machine.run("echo 'DenyUsers ops' >/etc/ssh/sshd_config.d/fault.conf; systemctl reload ssh"),
    evidence: ({ machine }) => lockedOut(machine, `${journal} -t sshd`, /User ops from \S+ not allowed because listed in DenyUsers/),
    undo: ({ machine }) => machine.run("rm /etc/ssh/sshd_config.d/fault.conf; systemctl reload ssh"),
    ends: old,
    says: /took the change back by itself \(nobody confirmed it over a new connection within 25 s\)/,
  },
  {
    name: "two applies at once",
    steps: ["saving", "starting dockerd", "confirming"],
    strike: async ({ host, update }) => void toldSecond.set(update, (await host.second()).output),
    evidence: ({ update }) => {
      const said = /another apply is running there[^\n]*/.exec(toldSecond.get(update) ?? "")?.[0];
      if (said === undefined || !/stack drydock\/.*since 20/.test(said)) throw new Error(`the second apply was not told who is at work: ${toldSecond.get(update) ?? ""}`);
      return Promise.resolve(`the second one: ${said.slice(0, 60)}…`);
    },
    ends: () => "new",
  },
  {
    name: "clock jumps ahead by a year",
    variant: true,
    steps: ["begun", "starting dockerd"],
    strike: ({ machine }) => machine.run("date -s '+1 year' >/dev/null"),
    evidence: (circumstances) => hoursOff(circumstances, 365 * 24),
    ends: () => "new",
  },
  {
    name: "clock jumps back by a day, controller killed",
    steps: ["begun"],
    strike: async (circumstances) => {
      await circumstances.machine.run("date -s '-1 day' >/dev/null");
      await killController(circumstances);
    },
    evidence: async (circumstances) => `${await isKilled(circumstances)}; ${await hoursOff(circumstances, -24)}`,
    ends: old,
  },
  {
    name: "file changed by somebody else after it was read",
    steps: ["sending"],
    strike: ({ machine }) => machine.run("cp -p /etc/docker/daemon.json /root/daemon.json; sed -i 's/^{/{ \"labels\": [\"somebody=else\"],/' /etc/docker/daemon.json"),
    evidence: ({ machine }) => shows(machine, "cat /etc/docker/daemon.json", /somebody=else/),
    next: async (circumstances) => {
      const planned = await plansAgain(circumstances);
      await shows(circumstances.machine, "docker info -f '{{.Labels}}'; cat /etc/docker/daemon.json", /somebody=else[^]*somebody=else/);
      return `${planned}, and keeps it`;
    },
    undo: ({ machine }) => machine.run("sed -i '/somebody=else/d' /etc/docker/daemon.json; systemctl reload docker"),
    ends: () => "old, with what somebody else changed",
    says: /refused, nothing was touched[^]*changed by somebody else since it was read: \/etc\/docker\/daemon\.json/,
  },
  {
    name: "file removed by somebody else after it was read",
    variant: true,
    steps: ["sending"],
    strike: ({ machine }) => machine.run("mv /etc/audit/rules.d/50-drydock.rules /root/"),
    evidence: ({ machine }) => shows(machine, "ls /etc/audit/rules.d/50-drydock.rules 2>&1", /No such file/),
    next: plansAgain,
    // Where the next update has not made it again.
    undo: ({ machine }) => machine.run("mv -n /root/50-drydock.rules /etc/audit/rules.d/; rm -f /root/50-drydock.rules"),
    ends: () => "old, with what somebody else changed",
    says: /refused, nothing was touched[^]*changed by somebody else since it was read: \/etc\/audit\/rules\.d\/50-drydock\.rules/,
  },
  { name: "destroy: controller killed (SIGKILL)", variant: true, during: "destroy", steps: ["stopping dockerd", "starting dockerd"], strike: killController, evidence: isKilled, ends: () => "original", restarts: true },
  { name: "destroy: program killed on the host (SIGKILL)", variant: true, during: "destroy", steps: ["removing ours", "starting dockerd"], strike: killProgram, evidence: isProgramKilled, ends: () => "original", restarts: true, says: /restoring the originals was cut off; the host goes on with it by itself/ },
  { name: "destroy: power cut, and boot", variant: true, during: "destroy", steps: inDestroy, strike: powerCut, evidence: booted, ends: () => "original", restarts: true },
  {
    name: "destroy: dockerd hangs",
    variant: true,
    during: "destroy",
    steps: ["starting dockerd"],
    prepare: (host, from) => dropIn(host, hangsWhere(`! grep -qw ${logDriver[from]} /etc/docker/daemon.json`)),
    passes: async ({ machine, update }) => {
      const { exitCode, output } = await update.done;
      if (exitCode === 0) throw new Error(`destroy reports success, and dockerd does not answer: ${output}`);
      await withoutDropIn({ machine });
      await machine.run("kill -CONT $(systemctl show -p MainPID --value docker.service)");
    },
    finish: ({ host }) => destroyed(host),
    evidence: ({ machine }) => shows(machine, `${journal} -u docker.service -o cat`, /dockerd is stopped by the fault/),
    undo: withoutDropIn,
    ends: () => "original",
    restarts: true,
    says: /could not be restored|goes on with it by itself/,
  },
];
