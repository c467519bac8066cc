/** What goes wrong on production hosts, each so that it really happens, and can be shown to have. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Machine } from "../../../lab/machine.ts";
import { breakAt, type Step } from "./breakpoint.ts";
import { fill, full, fullFolder, unfill } from "./disks.ts";
import { diedAfter, diesAfter, dropIn, hangsWhere, isNew, neverStarts, withoutDropIn } from "./dockerd.ts";
import type { Circumstances, End, Fault } from "./fault.ts";
import { journal, logDriver, other, type FaultHost, type Update } from "./host.ts";
import { lockedOut } from "./lock-out.ts";
import { shows } from "./shown.ts";

/** New when the fault strikes in one of these steps. */
const newIn = (...steps: Step[]) => (step: Step): End => (steps.includes(step) ? "new" : "old");
const old = newIn();
const kept = newIn("keeping", "ending");
/** Who confirms has seen the host before: what it began there goes on without it. */
const confirmedOnce = newIn("confirming", "keeping", "ending");

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

/** Refused once, it plans again with what somebody else has made, and goes through; in files their change may be left. */
async function plansAgain({ host, from }: Circumstances): Promise<string> {
  const { exitCode, output } = await host.stack.up();
  if (exitCode !== 0) throw new Error(`the next update does not go through: ${output}`);
  host.hasBecome(other[from]);
  const seen = await host.look();
  for (const part of ["kernel", "daemon"] as const) if (!host.isOf(seen, part, other[from])) throw new Error(`the next update leaves a mixture: ${host.differences(seen, part)}`);
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
  fullFolder("/var/lib/drydock", "48M", old),
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
    prepare: async (host, from) => {
      // No container is made to see whether one starts then (health.sh): on an emulated host 20 s are over before that is, and dockerd has to die
      // when the change has come through all but the wait for such a death.
      await host.machine.run("init=$(command -v docker-init); mv $init /root/docker-init; echo $init >/root/docker-init.place");
      await diesAfter(20, host, from);
    },
    // As operators have it: what takes the change back has to be that dockerd died, and not a look that took too long.
    confirm: 60,
    evidence: ({ machine }) => diedAfter(20, machine),
    undo: async (host) => {
      await host.machine.run("mv /root/docker-init $(cat /root/docker-init.place)");
      await withoutDropIn(host);
    },
    ends: old,
    says: /took the change back by itself \(dockerd ended within \d+ s of its start/,
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
    // As operators have it: on an emulated host the second one needs more than 25 s to be told, and the first one waits for it with its confirmation.
    confirm: 60,
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
    strike: ({ machine }) => machine.run("sed -i 's/^{/{ \"labels\": [\"somebody=else\"],/' /etc/docker/daemon.json"),
    evidence: ({ machine }) => shows(machine, "cat /etc/docker/daemon.json", /somebody=else/),
    next: async (circumstances) => {
      const planned = await plansAgain(circumstances);
      await shows(circumstances.machine, "docker info -f '{{.Labels}}'; cat /etc/docker/daemon.json", /somebody=else[^]*somebody=else/);
      return `${planned}, and keeps it`;
    },
    // As it was struck, or as the next update has kept it.
    undo: ({ machine }) => machine.run(`sed -zi 's/{ "labels": \\["somebody=else"\\],/{/; s/  "labels": \\[[^]]*\\],\\n//' /etc/docker/daemon.json; systemctl reload docker`),
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
      // Also where that was wrong: the machine is needed.
      await withoutDropIn({ machine });
      await machine.run("kill -CONT $(systemctl show -p MainPID --value docker.service)");
      if (exitCode === 0) throw new Error(`destroy reports success, and dockerd did not answer: ${output}`);
    },
    finish: ({ host }) => destroyed(host),
    evidence: ({ machine }) => shows(machine, `${journal} -u docker.service -o cat`, /dockerd is stopped by the fault/),
    undo: withoutDropIn,
    ends: () => "original",
    restarts: true,
    says: /could not be restored|goes on with it by itself/,
  },
];
