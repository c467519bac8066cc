/**
 * A folder that plays the root of a host, so that what src/remote sends is run for real: by sh, on real files. Only what
 * needs a daemon, a kernel or root is a stub, which records its call.
 *
 * The scripts name absolute paths. They are moved into the folder on their way, as text: nothing in the product has to
 * know that it is being tested.
 */

import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import type { FileState, Observation } from "../../src/observed/observation.ts";
import { onPath, ownRuntimeFolder } from "./fake-ssh.ts";
import { defaultHost, file } from "./observation.ts";
import { temporaryFolder } from "./shell.ts";

const owner = userInfo().username;
const group = execFileSync("id", ["-gn"], { encoding: "utf8" }).trim();

/** Only root can give files away: everything belongs to who runs the tests. */
export const mine = { owner, group };

export class FakeRoot {
  readonly folder = temporaryFolder();

  constructor() {
    ownRuntimeFolder();
    mkdirSync(this.at("/bin"));
    mkdirSync(this.at("/etc"));
    for (const [name, text] of Object.entries(stubs)) this.on(name, text);
    this.touch("/running");
    this.write("/proc/sys/fs/nr_open", "1048576\n");
    this.write("/proc/sys/net/bridge/bridge-nf-call-iptables", "0\n");
    // What stands in for dockerd and containerd is this very process.
    this.process(process.pid, "node");
    this.write("/proc/uptime", "1000.50 2000.00\n");
    this.write(`/proc/${process.pid}/stat`, readFileSync("/proc/self/stat"));
    onPath({ ssh: `export ROOT=${this.folder} DAEMON_PID=${process.pid} PATH=${this.folder}/bin:$PATH LC_ALL=C\nsed "s#/var/lib/drydock#$ROOT/var/lib/drydock#g" | sh -s` });
  }

  at(path: string): string {
    return join(this.folder, path);
  }

  /** What a program does when it is called, besides recording that. */
  on(name: string, text: string): void {
    writeFileSync(this.at(`/bin/${name}`), `#!/bin/sh\nprintf '%s\\n' "${name}\${*:+ }$*" | sed "s#$ROOT##g" >>"$ROOT/calls"\n${text}\n`);
    chmodSync(this.at(`/bin/${name}`), 0o755);
  }

  touch(path: string): void {
    writeFileSync(this.at(path), "");
  }

  write(path: string, text: string | Uint8Array, mode = 0o644): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    writeFileSync(this.at(path), text);
    chmodSync(this.at(path), mode);
  }

  remove(path: string): void {
    rmSync(this.at(path), { recursive: true, force: true });
  }

  /** A process by its words. */
  process(pid: number, ...command: string[]): void {
    this.write(`/proc/${pid}/cmdline`, command.map((word) => `${word}\0`).join(""));
  }

  /** `true 0`, `false 137`, `gone`: what `docker inspect` says of a container that nobody has stopped or started yet. */
  container(id: string, state: string): void {
    this.write(`/containers/${id}`, `${state}\n`);
  }

  exists(path: string): boolean {
    return existsSync(this.at(path));
  }

  read(path: string): string {
    return readFileSync(this.at(path), "utf8");
  }

  /** Calls of stubs since the last time, without those of the guard, which every change has. */
  calls(): string[] {
    const calls = this.exists("/calls") ? this.read("/calls").trimEnd().split("\n") : [];
    this.remove("/calls");
    return calls.filter((call) => !call.includes("drydock-guard") && call !== "auditctl -l");
  }

  /** `mode path: content` of everything below a folder. */
  list(folder: string): string[] {
    return readdirSync(this.at(folder), { recursive: true, encoding: "utf8" })
      .sort()
      .map((name) => {
        const path = join(this.at(folder), name);
        const { mode } = statSync(path);
        const content = statSync(path).isDirectory() ? "/" : `: ${readFileSync(path, "latin1")}`;
        return `${(mode & 0o7777).toString(8)} ${join(folder, name)}${content}`;
      });
  }

  /** The files of /etc as an observation has them. */
  observation(change: Partial<Observation> = {}): Observation {
    const files = Object.fromEntries(
      readdirSync(this.at("/etc"), { recursive: true, encoding: "utf8" }).map((name) => {
        const stat = statSync(this.at(`/etc/${name}`));
        const state: Partial<FileState> = { ...mine, mode: (stat.mode & 0o7777).toString(8).padStart(4, "0"), kind: stat.isFile() ? "regular file" : "directory" };
        return [`/etc/${name}`, file(stat.isFile() ? this.read(`/etc/${name}`) : undefined, state)];
      }),
    );
    return defaultHost({ ...change, files });
  }
}

/** What each program does that is no real one here. */
export const stubs: Record<string, string> = {
  // Runs the unit at once, as --wait makes it look, with every path of the stage moved under $ROOT.
  // A timer is only noted: nobody waits a minute in a unit test.
  "systemd-run": `
case "$*" in *--on-active=*) : >"$ROOT/armed"; exit ;; esac
for word; do case $word in --property=StandardOutput=file:*) log=\${word#*=file:} ;; esac; done
while case $1 in --*) true ;; *) false ;; esac; do shift; done
for name in transaction.sh writes removes modes expect expect-absent ids declared validate volumes volume-files; do
  [ ! -e "$4/$name" ] || sed -i "s#/proc/#$ROOT/proc/#g; s#/etc/#$ROOT/etc/#g; s#/run/systemd#$ROOT/run/systemd#g; s#/sys/fs/cgroup#$ROOT/sys/fs/cgroup#g; s#/sys/module#$ROOT/sys/module#g; s#/sys/kernel/security#$ROOT/sys/kernel/security#g; s#/var/cache#$ROOT/var/cache#g; s#/var/lib/\\(docker\\|containerd\\)#$ROOT/var/lib/\\1#g" "$4/$name"
done
exec "$@" >>"$log" 2>&1`,
  // dockerd refuses a daemon.json with the word BAD; with /broken it does not start at all.
  systemctl: `
read_configuration() { cat "$ROOT/etc/docker/daemon.json" >"$ROOT/configuration" 2>/dev/null || : >"$ROOT/configuration"; echo "$1 with $(cat "$ROOT/configuration")" >>"$ROOT/configurations"; }
case "$*" in
  "-q is-active drydock-apply.service") [ -e "$ROOT/applying" ] ;;
  "-q is-active drydock-guard.timer") [ -e "$ROOT/armed" ] ;;
  "stop drydock-guard.timer") rm -f "$ROOT/armed" ;;
  *"is-active docker.service") [ -e "$ROOT/running" ] ;;
  "show -p MainPID --value "*) cat "$ROOT/daemon-pid" 2>/dev/null || echo "$DAEMON_PID" ;;
  "show -p ControlGroup --value "*) echo "/\${5}" ;;
  "show -p OOMScoreAdjust "*) echo 0 ;;
  "show -p "*) echo infinity ;;
  "stop "*docker.service) rm -f "$ROOT/running" ;;
  "start docker.service") [ ! -e "$ROOT/broken" ] && ! grep -qs BAD "$ROOT/etc/docker/daemon.json" && : >"$ROOT/running" && read_configuration start ;;
  "reload docker.service") read_configuration reload ;;
esac`,
  docker: `
for id; do :; done
# RUNNING EXITCODE RESTARTING RESTARTS
read_state() { { cat "$ROOT/containers/$id" 2>/dev/null || echo true 0; } | awk '{ print $1 ($1 == "gone" ? "" : " " $2 " " (NF > 2 ? $3 " " $4 : "false 0")) }'; }
case "$*" in
  "info --format"*) if grep -qs '"live-restore": *false' "$ROOT/configuration"; then echo false; else echo true; fi ;;
  "inspect "*)
    found=0
    shift
    while [ $# -gt 0 ]; do
      if [ "$1" = -f ]; then shift 2; continue; fi
      id=$1
      shift
      if [ "$(read_state)" = gone ]; then found=1; else echo "$id $(read_state)"; fi
    done
    exit $found
    ;;
  "stop "*) mkdir -p "$ROOT/containers" && echo false 143 >"$ROOT/containers/$id" ;;
  "import "*) cat >/dev/null ;;
  "run "*) [ ! -e "$ROOT/no-new-containers" ] || { echo "no logger"; exit 125; } ;;
  "start "*) [ ! -e "$ROOT/stuck" ] && mkdir -p "$ROOT/containers" && echo true 0 >"$ROOT/containers/$id" ;;
esac`,
  useradd: `[ ! -e "$ROOT/no-useradd" ] && : >"$ROOT/user"`,
  userdel: `rm "$ROOT/user"`,
  getent: `[ -e "$ROOT/user" ]`,
  // The disk is not what is tested, and syncing all of it takes seconds.
  sync: "",
  auditctl: '[ "$1" != -R ] || sed "s/^/auditctl /" "$2" >>"$ROOT/calls"',
  augenrules: "",
  // Loads what a file says into a folder as the kernel has one: a line BAD is not taken, with NOT NOW nothing can be loaded.
  apparmor_parser: `
for file; do :; done
name=$(basename "$file")
kernel="$ROOT/sys/kernel/security/apparmor/policy/profiles"
case "$*" in
  "-Q -K "*) ! grep -n BAD "$file" >/dev/null || { echo "AppArmor parser error for $file in profile $file at line $(grep -n BAD "$file" | cut -d: -f1): syntax error"; exit 1; } ;;
  -R*) read -r _ name _ && rm -r "$kernel/$name.7" ;;
  *)
    ! grep -qs "NOT NOW" "$file" && mkdir -p "$kernel/$name.7" && echo "$name" >"$kernel/$name.7/name" && cp "$file" "$kernel/$name.7/raw_data" &&
      if [ -e "$ROOT/kernel-6.8" ]; then sum=sha256; else sum=sha1; fi && "\${sum}sum" <"$file" | cut -d' ' -f1 >"$kernel/$name.7/raw_$sum" ;;
esac`,
  iptables: `case "$*" in *" -C "*) exit 1 ;; esac`,
  journalctl: "echo 'unable to configure the Docker daemon'",
  modprobe: "",
  prlimit: "",
};
