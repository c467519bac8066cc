/** Profiles on a real host: what a confined container can't do and can, drift of each kind, and that none goes while it is used. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMachine, type Machine } from "../../lab/machine.ts";
import { snapshot } from "./snapshot.ts";
import { consent, Stack } from "./stack.ts";

let machine: Machine;
let before: string[];
const stack = new Stack("apparmor");
const templates = mkdtempSync(join(tmpdir(), "drydock-templates-"));

const app = {
  files: { "/data/**": "r", "/data/out/**": "rw" },
  deny: { "/data/secret": "rw" },
  capabilities: ["setuid", "setgid"],
  networks: ["inet stream"],
};
const seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }] };

function configure(apparmor: Record<string, unknown>, more: Record<string, unknown> = {}): void {
  // userns-remap would only cost time: another store, with the image loaded again. containerd raises its own soft limit of open
  // files when it starts, so that LimitNOFILE=1024:… is drift after each reboot: the limits layer's, and not the subject here.
  const host = { connection: machine.connection("ops"), allow: consent, daemon: { "userns-remap": null }, limits: { services: { containerd: null } }, apparmor, seccomp };
  stack.configure({ profile: "strict", hosts: { web1: host }, ...more });
}

/** The kernel's own list, ours only. */
const loaded = () => machine.run("grep '^drydock-' /sys/kernel/security/apparmor/profiles | sort || true");

/** What a script says in a container, errors included; busybox goes on after a command that fails. */
const inside = (container: string, script: string) => machine.run(`docker exec ${container} sh -c '${script}' 2>&1 || true`);

beforeAll(async () => {
  machine = await startMachine({ name: "e2e-apparmor", replace: true });
  await machine.waitForDocker();
  await machine.run("mkdir -p /srv/data/out && echo public >/srv/data/public && echo secret >/srv/data/secret");
  await machine.run("docker run -d --name older bb sleep 100000");
  before = await snapshot(machine);
  await stack.init();
});

afterAll(async () => {
  await machine.stop();
  stack.remove();
  rmSync(templates, { recursive: true, force: true });
});

describe("a profile that apparmor_parser does not take", () => {
  it("is refused with its own words and line, and nothing is touched", async () => {
    const path = "etc/apparmor.d/drydock-container";
    mkdirSync(join(templates, "etc/apparmor.d"), { recursive: true });
    const text = readFileSync(join(import.meta.dirname, "../../templates", `${path}.hbs`), "utf8").replace("capability chown,", "capability chmod,");
    writeFileSync(join(templates, `${path}.hbs`), text);
    configure({ profiles: { app } }, { templates });
    const { exitCode, output } = await stack.up();
    expect(exitCode).not.toBe(0);
    const line = text.split("\n").findIndex((one) => one.includes("chmod")) + 1;
    expect(output).toContain(`refused, nothing was touched: apparmor_parser does not take /etc/apparmor.d/drydock-container: AppArmor parser error for /etc/apparmor.d/drydock-container in profile /etc/apparmor.d/drydock-container at line ${line}: Invalid capability chmod.`);
    expect(await snapshot(machine)).toEqual(before);
    expect(await loaded()).toBe("");
  });
});

describe("profiles", () => {
  it("are loaded in enforce mode", async () => {
    configure({ profiles: { app } });
    const { exitCode, output } = await stack.up();
    expect(exitCode, output).toBe(0);
    expect(output).toContain("pending: container older keeps its older seccomp filter until it is started again");
    expect(await loaded()).toBe("drydock-app (enforce)\ndrydock-container (enforce)");
  });

  it("of the stack file let a container do what they allow, and nothing else", async () => {
    await machine.run("docker run -d --name app -v /srv/data:/data --security-opt apparmor=drydock-app --health-cmd 'cat /data/public' --health-interval 2s bb httpd -f -p 80; sleep 6");
    const allowed = await inside("app", "cat /data/public; echo written >/data/out/file; cat /data/out/file; nc -w 5 127.0.0.1 80 </dev/null && echo connected; cat /proc/self/attr/current; sleep 0 & wait; echo forked");
    expect(allowed.split("\n")).toEqual(["public", "written", "connected", "drydock-app (enforce)", "forked"]);
    expect(await machine.run("docker inspect -f '{{.State.Health.Status}}' app")).toBe("healthy");
    const denied = await inside("app", "cat /data/secret; echo x >/data/public; echo x >/tmp/file; chown 1 /data/out/file; ping -c 1 127.0.0.1; mount -t tmpfs none /data; cat /proc/kallsyms");
    expect(denied.split("\n").filter((line) => !line.startsWith("PING"))).toEqual([
      "cat: can't open '/data/secret': Permission denied",
      "sh: can't create /data/public: Permission denied",
      "sh: can't create /tmp/file: Permission denied",
      "chown: /data/out/file: Operation not permitted",
      "ping: can't create raw socket: Permission denied",
      "mount: mounting none on /data failed: Permission denied",
      "cat: can't open '/proc/kallsyms': Permission denied",
    ]);
  });

  it("drydock-container lets an ordinary container work, and a privileged one mount nothing", async () => {
    await machine.run("docker run -d --name plain --security-opt apparmor=drydock-container bb httpd -f -p 80; sleep 2");
    const plain = await inside("plain", "echo x >/file; chown 1000 /file; chmod 600 /file; nc -w 5 127.0.0.1 80 </dev/null && echo connected; ifconfig | head -1 | cut -c1-4; ping -c 1 127.0.0.1");
    expect(plain.split("\n").filter((line) => !line.startsWith("PING")).sort()).toEqual(["connected", "eth0", "ping: can't create raw socket: Permission denied"]);
    expect(await machine.run("docker run --rm -u 1000 --security-opt no-new-privileges=false --security-opt apparmor=drydock-container bb suid-id")).toContain("euid=0(root)");
    const privileged = await machine.run("docker run --rm --privileged --security-opt apparmor=drydock-container bb sh -c 'mount -t tmpfs none /dev/shm; hostname other; echo 1 >/proc/sys/kernel/sysrq; cat /proc/kcore; mknod /dev/x b 8 0' 2>&1 || true");
    expect(privileged.split("\n")).toEqual([
      "mount: mounting none on /dev/shm failed: Permission denied",
      "hostname: sethostname: Operation not permitted",
      "sh: can't create /proc/sys/kernel/sysrq: Permission denied",
      "cat: can't open '/proc/kcore': Permission denied",
      "mknod: /dev/x: Operation not permitted",
    ]);
  });

  it("are no obstacle to docker stop, start, kill and top", async () => {
    await machine.run("docker exec plain true && docker stop -t 1 plain && docker start plain && docker top plain && docker kill plain && docker rm plain");
  });
});

describe("the seccomp profile", () => {
  it("refuses a new container the system calls it names, and the daemon reports it", async () => {
    expect(await machine.run("docker run --rm bb sh -c 'mkdir /new; chmod 700 /tmp && echo others pass' 2>&1")).toBe("mkdir: can't create directory '/new': Operation not permitted\nothers pass");
    // It was started before: the filter comes with its next start, and it need not be made again.
    expect(await inside("older", "mkdir /before && echo made")).toBe("made");
    await machine.run("docker restart -t 1 older");
    expect(await inside("older", "mkdir /after")).toContain("Operation not permitted");
    expect(await machine.run("docker info -f '{{.SecurityOptions}}'")).toContain("name=seccomp,profile=/etc/docker/drydock-seccomp.json");
  });
});

/** Ways to undo a profile, a few at once: they touch different things. */
const tampering: { what: string; by: string; shows: RegExp[] }[] = [
  {
    what: "unloaded, edited and kept from the next boot",
    by: `printf drydock-container >/sys/kernel/security/apparmor/.remove
      sed -i 's/deny mount,/mount,/' /etc/apparmor.d/drydock-app
      ln -s /etc/apparmor.d/drydock-app /etc/apparmor.d/disable/drydock-app
      systemctl disable --quiet apparmor.service
      sed -i 's/mkdirat/rmdir/' /etc/docker/drydock-seccomp.json`,
    shows: [/drydock-container\s*: "not loaded" => "enforce"/, /drydock-app\s*: "enforce until the next boot: apparmor\.service is disabled" => "enforce"/, /-\s*deny mount,|\+\s*deny mount,/, /\/etc\/apparmor\.d\/disable\/drydock-app/, /rmdir/, /seccomp\s*: "the profile was changed after dockerd read it" => "as on disk"/],
  },
  {
    what: "in complain mode, another one under the same name, and one that nobody wished",
    by: `apparmor_parser -r -C -K /etc/apparmor.d/drydock-container
      echo 'profile drydock-open { file, }' >/etc/apparmor.d/drydock-open && apparmor_parser -r -K /etc/apparmor.d/drydock-open
      echo 'profile drydock-app flags=(attach_disconnected,mediate_deleted) { file, capability, network, mount, }' >/root/other && apparmor_parser -r -K /root/other`,
    shows: [/drydock-container\s*: "complain[^"]*" => "enforce"/, /drydock-app\s*: "enforce, and not what the file says" => "enforce"/, /drydock-open\s*: "enforce"/, /\/etc\/apparmor\.d\/drydock-open/],
  },
];

describe.each(tampering)("profiles $what", ({ by, shows }) => {
  it("show in the preview and are repaired by the next up, without a restart of the daemon", async () => {
    await machine.run(by);
    const drift = await stack.preview("--diff", "--expect-no-changes");
    expect(drift.exitCode, drift.output).not.toBe(0);
    for (const text of shows) expect(drift.output).toMatch(text);
    const daemon = await machine.run("pidof dockerd");
    const repair = await stack.up();
    expect(repair.exitCode, repair.output).toBe(0);
    expect(await loaded()).toBe("drydock-app (enforce)\ndrydock-container (enforce)");
    expect(await machine.run("ls /etc/apparmor.d/disable /etc/apparmor.d | grep -c drydock; systemctl is-enabled apparmor; grep -c mkdirat /etc/docker/drydock-seccomp.json")).toBe("2\nenabled\n1");
    expect(await machine.run("pidof dockerd")).toBe(daemon);
    expect(await inside("app", "mount -t tmpfs none /data")).toContain("Permission denied");
  });
});

describe("after a reboot", () => {
  it("the profiles are in enforce mode, and another up does nothing", async () => {
    await machine.reboot();
    await machine.waitForDocker();
    expect(await loaded()).toBe("drydock-app (enforce)\ndrydock-container (enforce)");
    // With the values: what a reboot changes is to be seen here.
    const { exitCode, output } = await stack.up("--diff");
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(/\b2 unchanged\b/);
  });
});

describe("a profile that a container has", () => {
  it("does not go, not by an update and not by a destroy, though the container is stopped", async () => {
    configure({});
    const update = await stack.up();
    expect(update.exitCode).not.toBe(0);
    expect(update.output).toContain("web1: refused, nothing was touched: profile drydock-app is to go, and container app has it");
    const destroy = await stack.destroy();
    expect(destroy.exitCode).not.toBe(0);
    expect(destroy.output).toContain("profile drydock-app goes with the originals, and container app has it and could not start again");
    expect(await loaded()).toContain("drydock-app (enforce)");
  });

  it("goes once the container is gone, and its neighbours are told in the output", async () => {
    await machine.run("docker rm -f app; docker run -d --name confined --security-opt apparmor=drydock-container bb sleep 1000; docker start older");
    const { exitCode, output } = await stack.up();
    expect(exitCode, output).toBe(0);
    expect(await loaded()).toBe("drydock-container (enforce)");
    const state = JSON.parse((await stack.pulumi("stack", "export", "-s", stack.name)).output) as { deployment: { resources: { type: string; outputs: Record<string, unknown> }[] } };
    expect(state.deployment.resources.find(({ type }) => type === "drydock:index:Host")?.outputs.apparmor).toEqual({ confined: "drydock-container", older: "docker-default" });
  });
});

describe("destroy", () => {
  it("takes the profiles out of the kernel, and gives back the rest", async () => {
    await machine.run("docker rm -f confined");
    const { exitCode, output } = await stack.destroy();
    expect(exitCode, output).toBe(0);
    // What somebody had put under our name is theirs again.
    expect(await loaded()).toBe("drydock-open (enforce)");
    await machine.run("apparmor_parser -R /etc/apparmor.d/drydock-open && rm /etc/apparmor.d/drydock-open; systemctl is-enabled apparmor.service");
    expect(await machine.run("find /var/cache/apparmor -name 'drydock-*'")).toBe("");
    expect(await snapshot(machine)).toEqual(before);
  });
});
