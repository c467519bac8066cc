/** What must not go on, goes wrong or is there already: on a real host, with a container that runs. */

import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMachine, type Machine } from "../../lab/machine.ts";
import { writeFile } from "../../src/remote/shell.ts";
import { snapshot } from "./snapshot.ts";
import { consent, Stack } from "./stack.ts";

let machine: Machine;
let before: string[];
const stack = new Stack("refusals");

/** All of strict that needs no stop of containers. */
const withoutRemap = { "userns-remap": null };

/** As another tool, or somebody by hand, has left the host. */
const theirs = {
  "/etc/docker/daemon.json": '{ "labels": ["rack=7"], "max-concurrent-uploads": 2, "experimental": true }\n',
  "/etc/systemd/system/docker.service.d/override.conf": "[Service]\nTimeoutStartSec=123\n",
  "/etc/audit/rules.d/10-theirs.rules": "-w /etc/hosts -p wa -k theirs\n",
  "/etc/apparmor.d/theirs": "profile theirs /opt/theirs/bin/program {\n  /etc/hosts r,\n}\n",
};

/** Those of which nothing is ours, and what the running host makes of them. */
const othersOnHost = () => machine.run(`sha256sum ${Object.keys(theirs).slice(1).join(" ")}; systemctl show -p TimeoutStartUSec docker; auditctl -l | grep theirs; grep '^theirs ' /sys/kernel/security/apparmor/profiles`);

const startedAt = () => machine.run("docker inspect -f '{{.State.StartedAt}} {{.State.Pid}}' app");

beforeAll(async () => {
  machine = await startMachine({ name: "e2e-refusals", replace: true });
  await machine.waitForDocker();
  await machine.run(`${Object.entries(theirs).map(([path, text]) => `mkdir -p ${dirname(path)} && ${writeFile(path, text)}`).join("\n")}
    augenrules --load >/dev/null && apparmor_parser -r /etc/apparmor.d/theirs && systemctl daemon-reload && systemctl restart docker
    docker run -d --name app bb httpd -f -p 8000; docker run -d --name peer bb sleep 100000`);
  before = await snapshot(machine);
  await stack.init();
});

afterAll(async () => {
  await machine.stop();
  stack.remove();
});

function configure(host: Record<string, unknown>, others: Record<string, unknown> = {}): void {
  stack.configure({ profile: "strict", hosts: { web1: { connection: machine.connection("ops"), ...host }, ...others } });
}

describe("a change that stops containers", () => {
  it("is refused without consent, names them and the line to add, and touches nothing", async () => {
    configure({});
    const { exitCode, output } = await stack.up();
    expect(exitCode).not.toBe(0);
    expect(output).toContain(
      "web1: refused, nothing was touched: changing userns-remap stops peer, app and hides 2 containers and 1 image (they stay under /var/lib/docker); to consent, add to this host: allow: [hide-containers]",
    );
    expect(await snapshot(machine)).toEqual(before);
  });
});

describe("hosts that can't be reached", () => {
  // Our connection as that user is still open, and userdel does not remove somebody who is logged in.
  afterAll(() => machine.run("pkill -KILL -u nosudo; sleep 1; userdel -r nosudo 2>/dev/null; ! getent passwd nosudo"));

  it("say why, each by its name, while the others go on", async () => {
    const connection = machine.connection("ops");
    const otherKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    await machine.run("useradd -m -s /bin/sh nosudo && install -d -o nosudo -m 700 /home/nosudo/.ssh && install -o nosudo -m 600 /root/.ssh/authorized_keys /home/nosudo/.ssh/");
    stack.configure({
      profile: "baseline",
      hosts: {
        gone: { connection: { ...connection, port: 1 } },
        impostor: { connection: { ...connection, host: "localhost", hostKey: otherKey } },
        nosudo: { connection: { ...connection, user: "nosudo" } },
      },
    });
    // The engine's own preview ends with 0 all the same (docs/decisions); `up` does not, see below.
    const { output } = await stack.preview();
    expect(output).toMatch(/gone: .*Connection refused/);
    expect(output).toMatch(/impostor: .*the host key is not the pinned one/);
    expect(output).toMatch(/nosudo: .*may not use sudo without a password/);
  });
});

describe("a daemon.json that dockerd does not start with", () => {
  it("is taken back, with the daemon and the containers as before", async () => {
    configure({ daemon: { ...withoutRemap, "storage-driver": "zfs" }, allow: consent });
    const { exitCode, output } = await stack.up();
    expect(exitCode).not.toBe(0);
    expect(output).toContain("web1: the change failed, and the state of before was restored and read back");
    expect(output).toMatch(/dockerd does not start: .*failed to start daemon: error initializing graphdriver/s);
    expect(await snapshot(machine)).toEqual(before);
  });
});

describe("a host that other tools have configured", () => {
  it("shows what would be replaced, and what stays, before anything is touched", async () => {
    configure({ daemon: withoutRemap, allow: consent });
    const { exitCode, output } = await stack.preview();
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(/--- \/etc\/docker\/daemon\.json\n[^]*-\s+"experimental": true/);
    expect(output).toMatch(/^\s+"labels"/m);
    expect(await snapshot(machine)).toEqual(before);
  });
});

describe("two hosts of which one is unreachable", () => {
  it("hardens the other one, its containers keep running, and the exit code is not 0", async () => {
    const ran = await startedAt();
    const others = await othersOnHost();
    configure({ daemon: withoutRemap, allow: consent }, { gone: { connection: { ...machine.connection("ops"), port: 1 } } });
    const { exitCode, output } = await stack.up();
    expect(exitCode).not.toBe(0);
    expect(output).toMatch(/gone: .*Connection refused/);
    expect(await startedAt()).toBe(ran);
    expect(await machine.run("docker info -f '{{.LiveRestoreEnabled}} {{.LoggingDriver}}'")).toBe("true syslog");
    // Drop-ins, audit rules and profiles of others, on the disk and in effect.
    expect(others).toMatch(/TimeoutStartUSec=2min 3s\n.*\/etc\/hosts.*theirs\ntheirs \(enforce\)$/);
    expect(await othersOnHost()).toBe(others);
  });

  it("cuts running containers off from each other, although dockerd leaves their bridge as it is", async () => {
    const address = await machine.run("docker inspect -f '{{.NetworkSettings.IPAddress}}' app");
    expect((await machine.ssh(`docker exec peer ping -c 2 -W 3 ${address}`)).exitCode).not.toBe(0);
  });

  it("tells what waits for containers to be made again, and which keys are the user's", async () => {
    configure({ daemon: withoutRemap, allow: consent });
    const { exitCode, output } = await stack.up();
    expect(exitCode, output).toBe(0);
    expect(output).toContain("pending: container app keeps log-driver json-file, the right to gain privileges until it is made again");
    const { output: outputs } = await stack.pulumi("stack", "export", "-s", stack.name);
    expect(outputs).toMatch(/"foreignDaemonKeys": \[\s*"labels",\s*"max-concurrent-uploads"\s*\]/);
    expect(await machine.run("grep -c rack=7 /etc/docker/daemon.json; grep -c experimental /etc/docker/daemon.json || true")).toBe("1\n0");
  });
});

describe("a host that is right already", () => {
  it("is adopted without a touch", async () => {
    await stack.pulumi("state", "delete", "--yes", `urn:pulumi:${stack.name}::drydock::drydock:index:Host::web1`, "-s", stack.name);
    const touched = () => machine.run("stat -c '%n %Z' /etc/docker/daemon.json /etc/audit/rules.d/50-drydock.rules; systemctl show -p ExecMainStartTimestamp docker");
    const was = await touched();
    const { exitCode, output } = await stack.up();
    expect(exitCode, output).toBe(0);
    expect(output).toContain("web1: already in the wished state; nothing was touched");
    expect(await touched()).toBe(was);
  });

  it("can't be kept under a second name", async () => {
    stack.configure({ profile: "strict", hosts: { other: { connection: { ...machine.connection("root"), host: "localhost" }, daemon: withoutRemap, allow: consent }, web1: { connection: machine.connection("ops"), daemon: withoutRemap, allow: consent } } });
    const { exitCode, output } = await stack.up();
    expect(exitCode).not.toBe(0);
    expect(output).toContain(`other: refused, nothing was touched: this machine is kept by stack drydock/${stack.name} as host web1`);
  });
});

describe("a host that leaves the stack", () => {
  it("keeps its hardening without allow: [restore-original], and says so", async () => {
    configure({ daemon: withoutRemap, allow: [] });
    expect((await stack.up()).exitCode).toBe(0);
    const { exitCode, output } = await stack.destroy();
    expect(exitCode, output).toBe(0);
    expect(output).toContain("web1: keeps its hardening and is kept by no stack now");
    expect(await machine.run("docker info -f '{{.LiveRestoreEnabled}}'")).toBe("true");
  });

  it("gets its originals back later, with that consent, and its containers run", async () => {
    configure({ daemon: withoutRemap, allow: consent });
    expect((await stack.up()).exitCode).toBe(0);
    const { exitCode, output } = await stack.destroy();
    expect(exitCode, output).toBe(0);
    expect(await snapshot(machine)).toEqual(before);
  });
});

describe("a host that has gone down", () => {
  it("shows as unreachable in the preview, which is not without changes", async () => {
    configure({ daemon: withoutRemap, allow: consent });
    expect((await stack.up()).exitCode).toBe(0);
    await machine.powerCut();
    const { exitCode, output } = await stack.preview("--diff", "--expect-no-changes");
    expect(exitCode).not.toBe(0);
    expect(output).toMatch(/reachable\s*: "no: .*" => "yes"/);
  });
});
