/** The machine that faults are tried on: hardened, with a container that serves and keeps data, in one of two states. */

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
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

export interface Seen {
  /** Owners, modes and sums of all files that an update may touch, and what the kernel and dockerd have in effect. */
  state: string;
  /** `true` and when it was started. */
  container: string;
  daemon: boolean;
  /** `whole` when the container's data have the sums that they had at first; else what is wrong. */
  data: string;
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

/** Short, so that a trial takes no minute; as long as a look at an emulated host may take. */
const confirmSeconds = 25;

export class FaultHost {
  readonly machine: Machine;
  readonly stack: Stack;
  /** Where its shared connections are, to be told from others'. */
  readonly #runtime: string;
  readonly #seen: Partial<Record<State, string>> = {};
  #original = "";

  private constructor(machine: Machine, stack: Stack, runtime: string) {
    this.machine = machine;
    this.stack = stack;
    this.#runtime = runtime;
  }

  /** A fresh machine with a container that serves; nothing is hardened yet. */
  static async start(name: string): Promise<FaultHost> {
    const machine = await startMachine({ name, replace: true });
    const runtime = mkdtempSync(join(tmpdir(), `drydock-${name}-`));
    const stack = new Stack(name, { prefix: [], env: { XDG_RUNTIME_DIR: runtime, DRYDOCK_CONFIRM_SECONDS: String(confirmSeconds), DRYDOCK_SETTLE_SECONDS: "25", DRYDOCK_TIME_FACTOR: "0.4" } });
    const host = new FaultHost(machine, stack, runtime);
    await machine.waitForDocker();
    await machine.run(`
      docker volume create data >/dev/null
      docker run -d --name web --restart unless-stopped -p 8080:8000 -v data:/data bb httpd -f -p 8000 >/dev/null
      data=$(docker volume inspect -f '{{.Mountpoint}}' data)
      for i in 1 2 3 4; do head -c 1000000 /dev/urandom >"$data/$i"; done
      sha256sum "$data"/* >/root/data.sums; sync`);
    await stack.init();
    return host;
  }

  /** Hardens it, and notes what both states look like when nothing is in the way; it ends in state two. */
  async harden(): Promise<void> {
    this.#original = (await this.look()).state;
    for (const state of ["one", "two"] as const) this.#seen[state] = (await this.bring(state)).state;
  }

  /** In an ordinary way. */
  async bring(state: State): Promise<Seen> {
    this.wish(state);
    const { exitCode, output } = await this.stack.up();
    if (exitCode !== 0) throw new Error(`the machine could not be brought into state ${state}: ${output}`);
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

  /** Whose state it is: all of it, or nobody's. */
  stateOf({ state }: Seen): State | "original" | undefined {
    return state === this.#original ? "original" : (["one", "two"] as const).find((name) => this.#seen[name] === state);
  }

  /** In which lines it is like neither. */
  mixture({ state }: Seen): string {
    return Object.entries({ original: this.#original, ...this.#seen }).map(([name, seen]) => `against ${name}:\n${difference(seen, state)}`).join("\n");
  }

  async look(): Promise<Seen> {
    const text = `${await this.machine.run(look)}\n`;
    const [state = "", container = "", daemon = "", data = "", leftovers = ""] = text.split(/^== \w+\n/m).slice(1);
    return { state, container: container.trim(), daemon: daemon.trim() === "active", data: data.trim(), leftovers: leftovers.trim() };
  }

  /** Whatever is under way has an end, and the daemon answers. @returns false when it does not within `seconds` */
  async settles(seconds: number): Promise<boolean> {
    return (await this.machine.ssh(`i=0; until ${settled}; do i=$((i+1)); [ $i -lt ${seconds} ] || exit 1; sleep 1; done`, { timeout: 2 * seconds })).exitCode === 0;
  }

  update(command: "up" | "destroy" = "up"): Update {
    const child = spawn("pulumi", this.#words(command, "--refresh=false"), {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: this.stack.environment,
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
      try {
        const said = execFileSync("ssh", ["-O", "check", "-o", `ControlPath=${join(parentPath, name)}`, "any"], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
        process.kill(Number(/pid=(\d+)/.exec(said)?.[1]), "SIGKILL");
      } catch {
        // Nobody listens there any more.
      }
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
echo '== state'
find ${places} \\( -type f -o -type l \\) -exec stat -c '%a %U %G %N' {} + | sort -k4
find ${places} -type f -exec sha256sum {} + | sort -k2
auditctl -l | sort
for profile in /sys/kernel/security/apparmor/policy/profiles/drydock*; do echo "$(cat $profile/name) $(cat $profile/mode) $(cat $profile/raw_sha1)"; done | sort
docker info -f '{{.LiveRestoreEnabled}} {{.LoggingDriver}} {{json .SecurityOptions}}' 2>&1
prlimit --pid "$(systemctl show -p MainPID --value docker)" --nofile --raw --noheadings 2>&1
cat "/sys/fs/cgroup$(systemctl show -p ControlGroup --value "docker-$(docker inspect -f '{{.Id}}' web).scope")/pids.max" 2>&1
iptables -S FORWARD | grep -q -- '-i docker0 -o docker0 .*-j DROP' && echo 'containers are apart'; cat /proc/sys/net/bridge/bridge-nf-call-iptables
echo '== container'
docker inspect -f '{{.State.Running}} {{.State.StartedAt}}' web 2>&1
echo '== daemon'
systemctl is-active docker.service
echo '== data'
sha256sum --check --quiet /root/data.sums 2>&1 && echo whole
echo '== leftovers'
ls -d /var/lib/drydock/transaction/step /var/lib/drydock/transaction.broken /etc/systemd/system/drydock-recover.service /etc/systemd/system/drydock-settle.service 2>/dev/null
systemctl list-units --all --plain --no-legend 'drydock-guard.timer' 'drydock-apply.service' | grep -w active
find /etc -name '*.drydock-new'
docker ps -a --format '{{.Names}}' | grep drydock-probe; docker images -q drydock-probe
true`;

// Asked on the host itself: a session for each question would cost an emulated one more than its transaction.
const settled = "[ ! -e /var/lib/drydock/transaction/step ] && ! systemctl -q is-active drydock-apply.service drydock-guard.service && docker info >/dev/null 2>&1";

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
