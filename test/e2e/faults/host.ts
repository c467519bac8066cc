/** The machine that faults are tried on: hardened, with a container that serves and keeps data, in one of two states. */

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startMachine, type Machine } from "../../../lab/machine.ts";
import { Stack, type Run } from "../stack.ts";
import { noBreakpoints } from "./breakpoint.ts";

/** Two states of a host, which differ in everything that an update can touch: files, kernel, profiles, limits, dockerd. */
export type State = "one" | "two";
export const other: Record<State, State> = { one: "two", two: "one" };

/** Seen only by a dockerd that was restarted. */
export const logDriver: Record<State, string> = { one: "json-file", two: "local" };

/** What makes a state, each judged by itself; a line each. */
export interface Parts {
  /** Owners, modes and sums of all files that an update may touch. */
  files: string;
  /** Audit rules, AppArmor profiles, limits and the firewall's rule, as the kernel has them. */
  kernel: string;
  /** What dockerd reports to have in effect. */
  daemon: string;
}
export const partNames = ["files", "kernel", "daemon"] as const satisfies (keyof Parts)[];

/** A state by its name; `original` is that of before the first update. */
export type Named = State | "original";

export interface Seen extends Parts {
  /** dockerd. */
  runs: boolean;
  /** `true` and when it was started. */
  container: string;
  /** Bytes of the container's files that have the sums that they had at first. */
  data: number;
  /** What a transaction needs while it lasts, and nobody else. */
  leftovers: string;
}

/** An update under way, in a process group of its own. */
export interface Update {
  done: Promise<Run>;
  hasEnded: () => boolean;
  /** SIGKILL to all of it, the shared connection included. */
  kill: () => void;
  /** As Ctrl-C at a terminal. */
  interrupt: () => void;
}

/**
 * Of an update with a fault in it, in seconds. Confirm: short, so that a trial takes no minute; as long as a look at an emulated host may
 * take. Settle: as operators have it.
 */
export const limits = { confirm: 25, settle: 25 };

/** Files of a container, and the bytes of each. */
const data = { files: 4, bytes: 1_000_000 };
export const dataBytes = data.files * data.bytes;

/** What the journal has of the trial, with the seconds since the boot before each line. Of this boot alone: in it no clock that was set decides on the order. */
export const journal = "journalctl -q -b --no-pager -o short-monotonic --after-cursor=\"$(cat /root/journal-cursor)\"";

export class FaultHost {
  readonly machine: Machine;
  readonly stack: Stack;
  /** Where its shared connections are, to be told from others'. */
  readonly #runtime: string;
  readonly #seen: Partial<Record<Named, Parts>> = {};
  #state: State = "two";

  private constructor(machine: Machine, stack: Stack, runtime: string) {
    this.machine = machine;
    this.stack = stack;
    this.#runtime = runtime;
  }

  /** A fresh machine with a container that serves; nothing is hardened yet. */
  static async start(name: string): Promise<FaultHost> {
    const machine = await startMachine({ name, replace: true });
    const runtime = mkdtempSync(join(tmpdir(), `drydock-${name}-`));
    // What is no trial has the time to be confirmed that operators have: others may be at work beside it. Nobody watches dockerd in it.
    const stack = new Stack(name, { prefix: [], env: { XDG_RUNTIME_DIR: runtime, DRYDOCK_CONFIRM_SECONDS: "60", DRYDOCK_SETTLE_SECONDS: "0", DRYDOCK_TIME_FACTOR: "0.4" } });
    const host = new FaultHost(machine, stack, runtime);
    await machine.waitForDocker();
    await machine.run(`
      docker volume create data >/dev/null
      docker run -d --name web --restart unless-stopped -p 8080:8000 -v data:/data bb httpd -f -p 8000 >/dev/null
      data=$(docker volume inspect -f '{{.Mountpoint}}' data)
      for i in $(seq ${data.files}); do head -c ${data.bytes} /dev/urandom >"$data/$i"; done
      sha256sum "$data"/* >/root/data.sums; sync`);
    await stack.init();
    return host;
  }

  /** Hardens it, and notes what both states look like when nothing is in the way; it ends in state two. */
  async harden(): Promise<void> {
    this.#seen.original = await this.look();
    for (const state of ["one", "two"] as const) this.#seen[state] = await this.bring(state);
  }

  /** The one it was brought into last, or that an update has led to. */
  get state(): State {
    return this.#state;
  }

  /** An update went through. */
  hasBecome(state: State): void {
    this.#state = state;
  }

  /** In an ordinary way. */
  async bring(state: State): Promise<Seen> {
    this.wish(state);
    const { exitCode, output } = await this.stack.up();
    if (exitCode !== 0) throw new Error(`the machine could not be brought into state ${state}: ${output}`);
    this.hasBecome(state);
    return this.look();
  }

  async stop(): Promise<void> {
    await this.machine.stop();
    this.stack.remove();
    rmSync(this.#runtime, { recursive: true, force: true });
  }

  wish(state: State): void {
    const two = state === "two";
    this.stack.configure({
      profile: "strict",
      hosts: {
        web1: {
          connection: this.machine.connection("ops"),
          allow: ["restore-original"],
          daemon: { "userns-remap": null, "log-driver": logDriver[state], "log-opts": null },
          limits: { tasksMax: two ? 600 : 512 },
          audit: { dataPerm: two ? "a" : "wa" },
          apparmor: { profiles: { web: { files: { [two ? "/srv/two/**" : "/srv/one/**"]: "r" } } } },
        },
      },
    });
  }

  /** Whether a part of it is that of a state. */
  isOf(seen: Parts, part: keyof Parts, state: Named): boolean {
    return this.#seen[state]?.[part] === seen[part];
  }

  /** Whose state it is: all of it, or nobody's. */
  stateOf(seen: Parts): Named | undefined {
    return (["original", "one", "two"] as const).find((state) => partNames.every((part) => this.isOf(seen, part, state)));
  }

  /** In which lines a part is like that of no state. */
  differences(seen: Parts, part: keyof Parts): string {
    return Object.entries(this.#seen).map(([state, parts]) => `${part} against state ${state}:\n${difference(parts[part], seen[part])}`).join("\n");
  }

  async look(): Promise<Seen> {
    const text = `${await this.machine.run(look)}\n`;
    const [files = "", kernel = "", daemon = "", runs = "", container = "", whole = "", leftovers = ""] = text.split(/^== \w+\n/m).slice(1).map((section) => section.trim());
    return { files, kernel, daemon, runs: runs === "active", container, data: Number(whole), leftovers };
  }

  /** Whatever is under way has an end, and the daemon answers. @returns false when it does not within `seconds` */
  async settles(seconds: number): Promise<boolean> {
    return (await this.machine.ssh(`i=0; until ${settled}; do i=$((i+1)); [ $i -lt ${seconds} ] || exit 1; sleep 1; done`, { timeout: 2 * seconds })).exitCode === 0;
  }

  update(command: "up" | "destroy" = "up", confirm = limits.confirm): Update {
    const child = spawn("pulumi", this.#words(command, "--refresh=false"), {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...this.stack.environment, DRYDOCK_CONFIRM_SECONDS: String(confirm), DRYDOCK_SETTLE_SECONDS: String(limits.settle) },
      cwd: this.stack.project,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (output += data.toString()));
    let ended = false;
    const done = new Promise<Run>((resolve) => {
      child.on("exit", (code) => {
        ended = true;
        // A master that it left behind has its pipes.
        setTimeout(() => resolve({ exitCode: code ?? -1, output }), 300);
      });
    });
    return {
      done,
      hasEnded: () => ended,
      kill: () => {
        signal(child, "SIGKILL");
        this.cutConnections();
      },
      interrupt: () => signal(child, "SIGINT"),
    };
  }

  /** Ends the masters of its shared connections, which are sessions of their own and outlive the engine. */
  cutConnections(): void {
    const sockets = readdirSync(this.#runtime, { recursive: true, withFileTypes: true }).filter((entry) => entry.isSocket());
    for (const { parentPath, name } of sockets) {
      // "Master running (pid=4711)", on stderr; without one nobody listens there any more.
      const { stdout, stderr } = spawnSync("ssh", ["-O", "check", "-o", `ControlPath=${join(parentPath, name)}`, "any"], { encoding: "utf8" });
      const pid = /pid=(\d+)/.exec(stdout + stderr)?.[1];
      if (pid !== undefined) process.kill(Number(pid), "SIGKILL");
    }
  }

  /** A second operator, whose engine knows nothing of the first one's lock. */
  async second(): Promise<Run> {
    const backend = mkdtempSync(join(tmpdir(), "drydock-second-"));
    try {
      cpSync(this.stack.backend, backend, { recursive: true });
      rmSync(join(backend, ".pulumi", "locks"), { recursive: true, force: true });
      return await this.stack.run("env", `PULUMI_BACKEND_URL=file://${backend}`, "pulumi", ...this.#words("up"));
    } finally {
      rmSync(backend, { recursive: true, force: true });
    }
  }

  #words(command: string, ...options: string[]): string[] {
    return ["--color", "never", "--non-interactive", command, "--yes", "--skip-preview", ...options, "-s", this.stack.name];
  }

  /** What the journal gets from now on, also when the clock jumps: by a line of its own, since the last one by time may be of a year that an earlier trial was in. */
  async markJournal(): Promise<void> {
    await this.machine.run(`
      rm -f /root/journal-cursor
      mark=$(cat /proc/sys/kernel/random/uuid)
      logger -t fault "$mark"
      i=0
      until journalctl -q -b -t fault -o cat --cursor-file=/root/journal-cursor | tail -n 1 | grep -qxF "$mark"; do
        i=$((i+1)); [ $i -lt 20 ] || exit 1
        rm -f /root/journal-cursor; sleep 0.5
      done`);
  }

  /** As it was before a trial: no breakpoint, no engine's lock of a controller that is gone, the time of day. */
  async clear(): Promise<void> {
    await noBreakpoints(this.machine);
    await this.machine.run(`date -s @${Math.ceil(Date.now() / 1000)} >/dev/null`);
    await this.stack.pulumi("cancel", "--yes", "-s", this.stack.name);
  }
}

// --- Internal ---

/** Where an update may touch a file. */
const places = "/etc/docker /etc/systemd/system /etc/audit/rules.d /etc/audit/audit.rules /etc/apparmor.d /etc/modules-load.d /etc/tmpfiles.d /etc/subuid /etc/subgid";

const look = `
echo '== files'
find ${places} \\( -type f -o -type l \\) -exec stat -c '%a %U %G %N' {} + | sort -k4
find ${places} -type f -exec sha256sum {} + | sort -k2
echo '== kernel'
auditctl -l | sort
for profile in /sys/kernel/security/apparmor/policy/profiles/drydock*; do echo "$(cat $profile/name) $(cat $profile/mode) $(cat $profile/raw_sha*)"; done | sort
prlimit --pid "$(systemctl show -p MainPID --value docker)" --nofile --raw --noheadings 2>&1
cat "/sys/fs/cgroup$(systemctl show -p ControlGroup --value "docker-$(docker inspect -f '{{.Id}}' web).scope")/pids.max" 2>&1
iptables -S FORWARD | grep -q -- '-i docker0 -o docker0 .*-j DROP' && echo 'containers are apart'; cat /proc/sys/net/bridge/bridge-nf-call-iptables
echo '== daemon'
docker info -f '{{.LiveRestoreEnabled}} {{.LoggingDriver}} {{json .SecurityOptions}}' 2>&1
echo '== runs'
systemctl is-active docker.service
echo '== container'
docker inspect -f '{{.State.Running}} {{.State.StartedAt}}' web 2>&1
echo '== data'
sha256sum --check /root/data.sums 2>/dev/null | sed -n 's/: OK$//p' | xargs -r stat -c %s | awk '{ n += $1 } END { print n + 0 }'
echo '== leftovers'
ls -d /var/lib/drydock/transaction/step /var/lib/drydock/transaction.broken /etc/systemd/system/drydock-recover.service /etc/systemd/system/drydock-settle.service 2>/dev/null
systemctl list-units --all --plain --no-legend 'drydock-guard.timer' 'drydock-apply.service' | grep -w active
find /etc -name '*.drydock-new'
docker ps -a --format '{{.Names}}' | grep drydock-probe; docker images -q drydock-probe
true`;

// Asked on the host itself: a session for each question would cost an emulated one more than its transaction. Who was sent something and has not begun yet has
// the lock already. The kernel tells, since who tried it would have it meanwhile.
const settled = "{ [ ! -e /var/lib/drydock/lock ] || ! grep -q \":$(stat -c %i /var/lib/drydock/lock) \" /proc/locks; } && [ ! -e /var/lib/drydock/transaction/step ] && ! systemctl -q is-active drydock-apply.service drydock-guard.service && docker info >/dev/null 2>&1";

function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  try {
    process.kill(-(pid ?? 0), name);
  } catch {
    // It has ended by itself.
  }
}

/** The lines that only one of two texts has. */
function difference(before: string, after: string): string {
  const lines = [before.split("\n"), after.split("\n")] as const;
  const only = (some: string[], others: string[], sign: string) => some.filter((line) => !others.includes(line)).map((line) => `${sign} ${line}`);
  return [...only(lines[0], lines[1], "-"), ...only(lines[1], lines[0], "+")].slice(0, 20).join("\n");
}
