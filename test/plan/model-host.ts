/**
 * A Debian host with Docker 20.10, small enough to think about: what the steps of a plan do to it, in the order of
 * src/remote/transaction/commands.sh, and what a look at it then shows. It knows plans and no wishes, so what a plan forgets is
 * missing here as it would be on a host. A step that a real host refuses throws.
 *
 * Left out: filesystems of the volume layer, kernels that take no audit rules, engines from 23 on.
 */

import type { HostArgs } from "../../src/desired/host-inputs.ts";
import type { FileState, Observation } from "../../src/observed/observation.ts";
import { known } from "../../src/observed/records.ts";
import type { FileWrite, Plan } from "../../src/plan/plan.ts";
import { digest } from "../../src/plan/seen.ts";
import { placesToLook } from "../../src/provider/look.ts";
import { ModelDocker } from "./model-docker.ts";
import { ModelKernel } from "./model-kernel.ts";
import { ModelSystemd } from "./model-systemd.ts";

const daemonJson = "/etc/docker/daemon.json";

/** What was there before Drydock came, beside what the recording has. */
export interface Beginning {
  /** The user's own daemon.json. */
  daemon?: Record<string, unknown>;
  /** No container runs. */
  idle?: boolean;
  /** dockerd is stopped, auditd as well. */
  dockerStopped?: boolean;
  auditdStopped?: boolean;
  auditOff?: boolean;
  apparmorDisabled?: boolean;
  noBridgeModule?: boolean;
  /** Everybody may write to /etc/docker, and the user's daemon.json is for root alone. */
  oddModes?: boolean;
}

/** Files of other people that no update may touch. */
export const foreignFiles: Record<string, string> = {
  "/etc/audit/rules.d/10-theirs.rules": "-w /home -p wa -k home\n",
  "/etc/systemd/system/docker.service.d/override.conf": "[Service]\nEnvironment=HTTP_PROXY=http://192.0.2.9:3128\n",
  "/etc/systemd/system/theirs.slice": "[Slice]\nTasksMax=10\n",
  "/etc/apparmor.d/usr.bin.theirs": "profile theirs /usr/bin/theirs {\n}\n",
  "/etc/modules-load.d/theirs.conf": "dummy\n",
  "/etc/docker/key.json": "{}\n",
};

export class ModelHost {
  readonly files = new Map<string, FileState>();
  readonly systemd: ModelSystemd;
  readonly kernel: ModelKernel;
  readonly docker: ModelDocker;
  private readonly start: Observation;
  private now: number;
  private applied: Record<string, string> = {};
  private users: string[];

  constructor(start: Observation, beginning: Beginning = {}) {
    this.start = start;
    this.now = start.now;
    this.users = start.users;
    for (const [path, file] of Object.entries(start.files)) if (file.known) this.files.set(path, file.value);
    this.put("/etc/subuid", start.subordinateUids);
    this.put("/etc/subgid", start.subordinateGids);
    this.put("/etc/audit/rules.d/audit.rules", "-D\n-b 8192\n-f 1\n");
    for (const [path, text] of Object.entries(foreignFiles)) this.put(path, text);
    // Whose dockerd asks for it has it loaded at boot.
    if (beginning.daemon?.icc === false) this.put("/etc/modules-load.d/bridge.conf", "br_netfilter\n");
    if (beginning.daemon) this.put(daemonJson, `${JSON.stringify(beginning.daemon)}\n`);
    if (beginning.oddModes) {
      for (const [path, mode] of [["/etc/docker", "0777"], [daemonJson, "0600"]] as const) {
        const file = this.files.get(path);
        if (file) this.files.set(path, { ...file, mode });
      }
    }
    this.systemd = new ModelSystemd(this.start, this);
    this.kernel = new ModelKernel(this.start, this, beginning);
    this.docker = new ModelDocker(this.start, this, beginning);
    if (beginning.auditdStopped) this.systemd.stop("auditd.service");
  }

  /** What `look` reads of it. */
  observe(args: HostArgs): Observation {
    const { files, looked, paths } = placesToLook(args);
    const strayFiles = [...this.files.keys()].filter(isUnderOurNames).sort();
    const seen = [...new Set([daemonJson, "/etc/docker", ...files, ...looked, ...strayFiles])];
    return {
      ...this.start,
      now: this.now,
      files: Object.fromEntries(seen.flatMap((path) => (this.files.has(path) ? [[path, known(this.files.get(path) as FileState)]] : []))),
      strayFiles,
      present: [...new Set([...this.start.present, ...paths.filter((path) => this.files.has(path))])],
      users: this.users,
      subordinateUids: this.text("/etc/subuid") ?? "",
      subordinateGids: this.text("/etc/subgid") ?? "",
      applied: this.applied,
      units: this.systemd.units(),
      ...this.kernel.observe(),
      ...this.docker.observe(),
    };
  }

  /** @throws when a step of the transaction would fail, or the health check after it. */
  execute(plan: Plan): void {
    this.now += 10;
    const { docker, kernel, systemd } = this;
    const survivors = docker.running().filter(({ id }) => !plan.docker.stop.includes(id));
    this.addIds(plan);
    for (const write of plan.writes) this.install(write);
    for (const path of plan.removes) this.files.delete(path);
    for (const { path, owner, group, mode } of plan.modes) {
      const file = this.files.get(path) ?? fail(`chown: cannot access '${path}'`);
      this.files.set(path, { ...file, owner, group, mode, changedAt: this.now });
    }
    this.now += 1;
    if (plan.daemonReload) {
      systemd.reload();
      docker.limitScopes();
    }
    for (const module of plan.modules) kernel.load(module);
    for (const unit of plan.start) {
      systemd.start(unit);
      if (unit === "auditd.service") kernel.loadAuditFiles();
    }
    kernel.changeAuditRules(plan.audit, plan.start.includes("auditd.service"));
    kernel.changeProfiles(plan.profiles);
    docker.activate(plan.docker);
    docker.limitRunning(plan);
    if (plan.docker.dropBetweenContainers) kernel.dropBetweenContainers();
    if (plan.docker.liftDrop) kernel.liftDrop();
    docker.assertHealthy(plan.docker.switchesStore ? [] : [...survivors.map(({ id }) => id), ...plan.docker.stop]);
    this.noteApplied(plan);
  }

  /** As after a power cut: only what is on the disk is left, and nothing is started by hand. */
  boot(): void {
    this.now += 100;
    this.systemd.boot();
    this.kernel.boot();
    this.docker.boot();
    this.now += 10;
  }

  // --- What the parts of the model share ---

  text(path: string): string | undefined {
    return this.files.get(path)?.text;
  }

  put(path: string, text: string): void {
    this.files.set(path, { owner: "root", group: "root", mode: "0644", kind: "regular file", ...this.files.get(path), changedAt: this.now, text });
  }

  time(): number {
    return this.now;
  }

  // --- Internal ---

  private install({ path, text, owner, group, mode }: FileWrite): void {
    if (path.startsWith("/etc/docker/") && this.files.get("/etc/docker")?.kind !== "directory") fail("/etc/docker is no folder");
    this.files.set(path, { owner, group, mode, kind: "regular file", changedAt: this.now, text });
  }

  private addIds({ subordinateIds }: Plan): void {
    if (!subordinateIds) return;
    const { user, createUser, uids, gids } = subordinateIds;
    if (createUser && this.users.includes(user)) fail(`useradd: user '${user}' already exists`);
    if (createUser) this.users = [...this.users, user];
    for (const [path, lines] of [["/etc/subuid", uids], ["/etc/subgid", gids]] as const) {
      if (lines.length > 0) this.put(path, `${this.text(path) ?? ""}${lines.map((line) => `${line}\n`).join("")}`);
    }
  }

  private noteApplied({ daemonKeys }: Plan): void {
    const seccomp = this.text("/etc/docker/drydock-seccomp.json");
    this.applied = {
      keys: daemonKeys.join(","),
      daemon: this.docker.processName(),
      configuration: digest(this.text(daemonJson) ?? fail(`${daemonJson}: No such file or directory`)),
      ...(seccomp === undefined ? {} : { seccomp: digest(seccomp), "seccomp-since": String(this.now) }),
    };
  }
}

export function fail(why: string): never {
  throw new Error(`the host refused a step: ${why}`);
}

/** As observe.sh looks for them. */
function isUnderOurNames(path: string): boolean {
  return /^\/etc\/(docker|audit\/rules\.d|systemd\/system|modules-load\.d|tmpfiles\.d)\/([^/]+\/)?[^/]*drydock[^/]*$/.test(path) || /^\/etc\/apparmor\.d\/drydock-[^/]+$/.test(path);
}
