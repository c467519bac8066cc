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

/** What `dockerd --validate` does not see, each made on the host: what would come of it comes of a restart, a boot or the next login. */
const wrongs: { what: string; make: string; mend: string; says: RegExp }[] = [
  {
    what: "a flag in a drop-in of its unit",
    make: "printf '[Service]\\nExecStart=\\nExecStart=/usr/sbin/dockerd -H fd:// --icc=true $DOCKER_OPTS\\n' >/etc/systemd/system/docker.service.d/flag.conf; systemctl daemon-reload",
    mend: "rm /etc/systemd/system/docker.service.d/flag.conf; systemctl daemon-reload",
    says: /daemon\.icc also stands on the command line of docker\.service \(.*--icc=true.*\), and dockerd refuses to start with both/,
  },
  {
    what: "a flag in an EnvironmentFile of its unit",
    make: "cp -a /etc/default/docker /root/default-docker; echo 'DOCKER_OPTS=\"--log-driver=json-file\"' >>/etc/default/docker",
    mend: "mv /root/default-docker /etc/default/docker",
    says: /daemon\.log-driver also stands in \/etc\/default\/docker, which docker\.service takes its command line from \(DOCKER_OPTS: --log-driver\)/,
  },
  { what: "fd:// without its socket", make: "systemctl mask docker.socket", mend: "systemctl unmask docker.socket", says: /daemon\.hosts has fd:\/\/, .* and docker\.socket is masked, so dockerd would not start/ },
  {
    what: "a swarm node",
    make: "docker swarm init --advertise-addr 127.0.0.1",
    mend: "docker swarm leave --force; docker network rm docker_gwbridge",
    says: /this is a swarm node \(docker info: Swarm\.LocalNodeState active\), and dockerd refuses to start with live-restore there/,
  },
  {
    what: "ids that two users share",
    make: "cp -a /etc/subuid /root/subuid; printf 'dockremap:500000:65536\\nother:510000:65536\\n' >>/etc/subuid",
    mend: "mv /root/subuid /etc/subuid",
    says: /\/etc\/subuid: .*dockremap.*other.* overlap; containers would share ids with another user/,
  },
  { what: "auditd masked", make: "systemctl mask auditd", mend: "systemctl unmask auditd", says: /auditd is masked, so nothing can be audited; run: systemctl unmask auditd/ },
  {
    what: "no iptables",
    make: "mv /usr/sbin/iptables /root/iptables",
    mend: "mv /root/iptables /usr/sbin/iptables",
    says: /dockerd needs iptables for daemon\.icc: false and daemon\.iptables: true, .* so it would not start; install it/,
  },
  {
    what: "a kernel without br_netfilter",
    make: "echo 'install br_netfilter /bin/false' >/etc/modprobe.d/none.conf; modprobe -r br_netfilter",
    mend: "rm /etc/modprobe.d/none.conf; modprobe br_netfilter",
    says: /need the kernel module br_netfilter, which can't be loaded \(.*\), so dockerd would not start/,
  },
  {
    what: "an sshd that would lock us out",
    make: "echo 'DenyUsers ops' >/etc/ssh/sshd_config.d/fault.conf",
    mend: "rm /etc/ssh/sshd_config.d/fault.conf",
    says: /sshd's configuration keeps ops from [\d.]+ out: DenyUsers has ops; when it starts or reloads next/,
  },
  {
    what: "no room for what is kept",
    make: "mkdir -p /var/lib/drydock; mount -t tmpfs -o size=8M tmpfs /var/lib/drydock",
    mend: "umount /var/lib/drydock; rmdir /var/lib/drydock",
    says: /\/var\/lib\/drydock: 8(\.\d+)? MiB are free, and [\d.]+ MiB are needed/,
  },
  { what: "a clock that is off", make: "date -s '+10 minutes'", mend: "date -s '-10 minutes'", says: /the clock here is 10 minutes ahead of the one of the machine that runs this/ },
  {
    what: "a filesystem in error",
    make: "mount --bind /etc /etc; mount -o remount,bind,ro /etc",
    mend: "umount -l /etc; systemctl daemon-reload",
    says: /\/etc is on \S+, mounted at \/etc read-only; look in dmesg/,
  },
];

/** What the stack file asks for, and this host can't give. */
const impossible = {
  daemon: { hosts: ["fd://"], bip6: "fd00:d::1/64", "log-opts": { "syslog-address": "tcp://127.0.0.1:5999" }, "authorization-plugins": ["opa"], "storage-opts": ["overlay2.size=1G"] },
  says: [
    /daemon\.bip6 needs Docker 28\.0, here is 20\.10\S*, which would refuse to start/,
    /the collector of daemon\.log-driver syslog, 127\.0\.0\.1:5999, does not answer this host \(.*\), so no new container would start/,
    /daemon\.authorization-plugins names opa, and .*, so dockerd would end; install and start it first/,
    /daemon\.storage-opts overlay2\.size=1G needs xfs with pquota, and \/var\/lib\/docker, .* is ext4, so dockerd would not start/,
    /changing userns-remap stops .*; to consent, add to this host: allow: \[hide-containers\]/,
  ],
};

describe("a host on which much is wrong that dockerd does not see", () => {
  it("is refused with all of it at once, in a preview too, and nothing is touched", async () => {
    configure({ daemon: impossible.daemon, allow: [] });
    try {
      await machine.run(wrongs.map(({ make }) => make).join("\n"));
      const was = await snapshot(machine);
      const ran = await startedAt();
      const preview = await stack.preview();
      const update = await stack.up();
      expect(preview.output).toContain("web1: this would be refused:");
      expect(update.output).toContain("web1: refused, nothing was touched:");
      expect(update.exitCode).not.toBe(0);
      for (const { output } of [preview, update]) for (const says of [...wrongs.map((wrong) => wrong.says), ...impossible.says]) expect(output).toMatch(says);
      expect(await snapshot(machine)).toEqual(was);
      expect(await startedAt()).toBe(ran);
    } finally {
      // The last one first: it keeps /etc from being written.
      await machine.run(wrongs.toReversed().map(({ mend }) => mend).join("\n"));
    }
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
