/** What goes wrong on production hosts, each so that it really happens, and can be shown to have. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Machine } from "../../../lab/machine.ts";
import { breakAt, type Step } from "./breakpoint.ts";
import { logDriver, other, type FaultHost, type State, type Update } from "./host.ts";

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
  /** Before the update begins; what an update sees is refused instead. */
  prepare?: (host: FaultHost, from: State) => Promise<unknown>;
  strike?: (circumstances: Circumstances) => Promise<unknown>;
  /** It does not last: the host has to help itself as long as it does, and to be whole afterwards. */
  passes?: (circumstances: Circumstances) => Promise<unknown>;
  /** What shows that it has happened, once all is over. @throws when it has not */
  evidence: (circumstances: Circumstances) => Promise<string>;
  /** After the end state was looked at. */
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

/** A drop-in beside dockerd, in memory, that strikes with the new configuration alone. */
async function withNewConfiguration({ machine }: FaultHost, from: State, line: (hasNew: string) => string): Promise<void> {
  await machine.run(`mkdir -p /run/systemd/system/docker.service.d
cat >/run/systemd/system/docker.service.d/fault.conf <<'UNIT'
[Service]
${line(`grep -qw ${logDriver[other[from]]} /etc/docker/daemon.json`)}
UNIT
date +%s >/root/since; systemctl daemon-reload`);
}
const neverStarts = (host: FaultHost, from: State): Promise<void> => withNewConfiguration(host, from, (hasNew) => `ExecStartPre=/bin/sh -c "! ${hasNew}"`);
const withoutDropIn = ({ machine }: FaultHost): Promise<unknown> => machine.run("rm -f /run/systemd/system/docker.service.d/fault.conf; systemctl daemon-reload");
const daemonJournal = "journalctl -q --no-pager -u docker.service --since @$(cat /root/since)";

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
const full = (folder: string) => ({ machine }: Circumstances): Promise<string> => shows(machine, `sed "s,.*: ,4 KiB in ${folder}: ," /dev/shm/full`, /4 KiB in .*: No space left on device/);
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

async function killController({ update }: Circumstances): Promise<void> {
  update.kill();
  await update.done;
}
const isKilled = async ({ update }: Circumstances): Promise<string> => {
  const { exitCode } = await update.done;
  if (exitCode !== -1) throw new Error(`the controller ended by itself with ${exitCode}`);
  return "pulumi ended by SIGKILL, and its connection with it";
};

const writable = ({ machine }: Pick<Circumstances, "machine">): Promise<unknown> => machine.run("! mountpoint -q /etc || { umount -l /etc; systemctl daemon-reload; }");
/** What the host said while it was. */
const readOnly = new WeakMap<Update, string>();

/** What the second of two operators was told. */
const toldSecond = new WeakMap<Update, string>();

const killProgram = ({ machine }: Circumstances): Promise<unknown> => machine.run("date +%s >/root/since; systemctl kill -s KILL drydock-apply.service");
const isProgramKilled = ({ machine }: Circumstances): Promise<string> => shows(machine, "journalctl -q --no-pager -u drydock-apply.service --since @$(cat /root/since)", /code=killed, status=9\/KILL/);

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
    evidence: ({ machine }) => shows(machine, daemonJournal, /Control process exited, code=exited, status=1\/FAILURE/),
    undo: withoutDropIn,
    ends: old,
    says: /the state of before was restored and read back/,
  },
  {
    name: "dockerd starts, and dies after 20 s",
    steps: ["starting dockerd"],
    prepare: (host, from) => withNewConfiguration(host, from, (hasNew) => `ExecStartPost=/bin/sh -c 'if ${hasNew}; then systemd-run --collect --on-active=20 kill -KILL $MAINPID; fi'`),
    evidence: ({ machine }) => shows(machine, daemonJournal, /Main process exited, code=killed, status=9\/KILL/),
    undo: withoutDropIn,
    ends: old,
    // On a slow machine the health check is not through by then.
    says: /took the change back by itself \(dockerd ended within 25 s of its start|the state of before was restored and read back/,
  },
  {
    name: "dockerd hangs",
    steps: ["starting dockerd"],
    prepare: (host, from) => withNewConfiguration(host, from, (hasNew) => `ExecStartPost=/bin/sh -c 'if ${hasNew}; then kill -STOP $MAINPID && echo stopped by the fault; fi'\nTimeoutStopSec=15`),
    evidence: ({ machine }) => shows(machine, daemonJournal, /stopped by the fault/),
    undo: withoutDropIn,
    ends: old,
    says: /the state of before was restored and read back/,
  },
  {
    name: "auditd stopped",
    steps: ["begun", "health check"],
    strike: ({ machine }) => machine.run("kill -TERM $(pidof auditd); while pidof auditd >/dev/null; do sleep 0.2; done"),
    evidence: ({ machine }) => shows(machine, "systemctl is-active auditd", /inactive|failed/),
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
    evidence: ({ machine }) => shows(machine, `iptables -vnxL INPUT | awk '/DROP/ { print $1 " packets dropped" }'`, /^[1-9]\d* packets dropped/m),
    undo: ({ machine }) => machine.run("iptables -D INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -j DROP"),
    ends: old,
    says: /took the change back by itself \(nobody confirmed it over a new connection within 25 s\)/,
  },
  {
    name: "sshd that locks us out",
    variant: true,
    steps: ["begun", "starting dockerd"],
    strike: ({ machine }) => machine.run("date +%s >/root/since; echo 'DenyUsers ops' >/etc/ssh/sshd_config.d/fault.conf; systemctl reload ssh"),
    evidence: ({ machine }) => shows(machine, "journalctl -q --no-pager --since @$(cat /root/since)", /User ops from \S+ not allowed because listed in DenyUsers/),
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
    evidence: ({ machine }) => shows(machine, "date +%Y", new RegExp(String(new Date().getFullYear() + 1))),
    ends: () => "new",
  },
  {
    name: "clock jumps back by a day, controller killed",
    steps: ["begun"],
    strike: async (circumstances) => {
      await circumstances.machine.run("date -s '-1 day' >/dev/null");
      await killController(circumstances);
    },
    evidence: async (circumstances) => `${await isKilled(circumstances)}; ${await shows(circumstances.machine, `echo "the host's clock is $(( ($(date +%s) - ${Math.floor(Date.now() / 1000)}) / 3600 )) h off"`, /.*-2\d h off/)}`,
    ends: old,
  },
  {
    name: "file changed by somebody else after it was read",
    steps: ["sending"],
    strike: ({ machine }) => machine.run("cp -p /etc/docker/daemon.json /root/daemon.json; sed -i 's/^{/{ \"labels\": [\"somebody=else\"],/' /etc/docker/daemon.json"),
    evidence: ({ machine }) => shows(machine, "cat /etc/docker/daemon.json", /somebody=else/),
    undo: ({ machine }) => machine.run("cp -p /root/daemon.json /etc/docker/daemon.json"),
    ends: () => "old, with what somebody else changed",
    says: /refused, nothing was touched[^]*changed by somebody else since it was read: \/etc\/docker\/daemon\.json/,
  },
  {
    name: "file removed by somebody else after it was read",
    variant: true,
    steps: ["sending"],
    strike: ({ machine }) => machine.run("mv /etc/audit/rules.d/50-drydock.rules /root/"),
    evidence: ({ machine }) => shows(machine, "ls /etc/audit/rules.d/50-drydock.rules 2>&1", /No such file/),
    undo: ({ machine }) => machine.run("mv /root/50-drydock.rules /etc/audit/rules.d/"),
    ends: () => "old, with what somebody else changed",
    says: /refused, nothing was touched[^]*changed by somebody else since it was read: \/etc\/audit\/rules\.d\/50-drydock\.rules/,
  },
  { name: "destroy: controller killed (SIGKILL)", variant: true, during: "destroy", steps: ["stopping dockerd", "starting dockerd"], strike: killController, evidence: isKilled, ends: () => "original", restarts: true },
  { name: "destroy: program killed on the host (SIGKILL)", variant: true, during: "destroy", steps: ["removing ours", "starting dockerd"], strike: killProgram, evidence: isProgramKilled, ends: () => "original", restarts: true, says: /restoring the originals was cut off; the host goes on with it by itself/ },
  { name: "destroy: power cut, and boot", variant: true, during: "destroy", steps: inDestroy, strike: powerCut, evidence: booted, ends: () => "original", restarts: true },
];
