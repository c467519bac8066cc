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

describe("a first update after which dockerd and all containers run, and no new one starts", () => {
  it("is taken back, with the daemon as before and the containers that ran on", async () => {
    const ran = await startedAt();
    configure({ daemon: withoutRemap, seccomp: { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["execve"], action: "SCMP_ACT_ERRNO" }] } });
    const { exitCode, output } = await stack.up();
    expect(exitCode).not.toBe(0);
    expect(output).toContain("web1: the change failed, and the state of before was restored and read back");
    expect(output).toMatch(/a new container does not start: .*operation not permitted/i);
    expect(await startedAt()).toBe(ran);
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

describe("a change with which the host lets nobody in any more", () => {
  const [dropIn, firewall] = ["/etc/systemd/system/docker.service.d/firewall.conf", "/root/firewall"];
  const limit = 25;
  /** In seconds: the timer's tick, and an emulated host that stops and starts dockerd. */
  const late = 5 + 120;

  // Of the operator's own making, as such things are: it goes by daemon.json, whenever dockerd has started.
  beforeAll(async () => {
    await machine.run(`${writeFile(dropIn, `[Service]\nExecStartPost=/bin/sh ${firewall}\n`)}; systemctl daemon-reload
      ${writeFile(firewall, `
        rule="INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -j DROP"
        if grep -q 192.0.2.53 /etc/docker/daemon.json; then
          iptables -I $rule
          cut -d. -f1 /proc/uptime >/root/locked
        elif iptables -C $rule 2>/dev/null; then
          iptables -vnxL INPUT | awk '/DROP.*dpt:22 ctstate NEW/ { print $1 }' >/root/dropped
          iptables -D $rule
          cut -d. -f1 /proc/uptime >/root/open
        fi`)}`);
  });
  afterAll(() => machine.run(`rm ${dropIn} ${firewall}; systemctl daemon-reload`));

  it("is taken back by the host alone, which lets people in again", async () => {
    configure({ daemon: { ...withoutRemap, dns: ["192.0.2.53"] }, allow: consent });
    const { exitCode, output } = await stack.run("env", `DRYDOCK_CONFIRM_SECONDS=${limit}`, "pulumi", "--color", "never", "--non-interactive", "up", "--yes", "--skip-preview", "-s", stack.name);
    expect(exitCode).not.toBe(0);
    expect(output).toContain(`took the change back by itself (nobody confirmed it over a new connection within ${limit} s)`);
    const [dropped = 0, locked = 0, open = 0] = (await machine.run("cat /root/dropped /root/locked /root/open; ! grep dns /etc/docker/daemon.json", { newConnection: true })).split("\n").map(Number);
    expect(dropped).toBeGreaterThan(0);
    expect(open).toBeGreaterThan(locked);
    expect(open - locked).toBeLessThanOrEqual(limit + late);
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
    says: /daemon\.icc also stands on the command line of docker\.service \(.*--icc=true.*\), and dockerd refuses to start with both; remove it there or here/,
  },
  {
    what: "a flag in an EnvironmentFile of its unit",
    make: "cp -a /etc/default/docker /root/default-docker; echo 'DOCKER_OPTS=\"--log-driver=json-file\"' >>/etc/default/docker",
    mend: "mv /root/default-docker /etc/default/docker",
    says: /daemon\.log-driver also stands in \/etc\/default\/docker, which docker\.service takes its command line from \(DOCKER_OPTS: --log-driver\), and dockerd refuses to start with both; remove it there or here/,
  },
  { what: "fd:// without its socket", make: "systemctl mask docker.socket", mend: "systemctl unmask docker.socket", says: /daemon\.hosts has fd:\/\/, .* and docker\.socket is masked, so dockerd would not start; run: systemctl unmask docker\.socket/ },
  {
    what: "a swarm node",
    make: "docker swarm init --advertise-addr 127.0.0.1",
    mend: "docker swarm leave --force; docker network rm docker_gwbridge",
    says: /this is a swarm node \(docker info: Swarm\.LocalNodeState active\), and dockerd refuses to start with live-restore there; set daemon\.live-restore: false for it/,
  },
  {
    what: "ids that two users share",
    make: "cp -a /etc/subuid /root/subuid; printf 'dockremap:500000:65536\\nother:510000:65536\\n' >>/etc/subuid",
    mend: "mv /root/subuid /etc/subuid",
    says: /\/etc\/subuid: .*dockremap.*other.* overlap; containers would share ids with another user, so give them ranges of their own/,
  },
  { what: "auditd masked", make: "systemctl mask auditd", mend: "systemctl unmask auditd", says: /auditd is masked, so nothing can be audited; run: systemctl unmask auditd/ },
  {
    what: "no iptables",
    make: "mv /usr/sbin/iptables /root/iptables",
    mend: "mv /root/iptables /usr/sbin/iptables",
    says: /dockerd needs iptables for daemon\.icc: false and daemon\.iptables: true, .* so it would not start; install it \(apt-get install iptables/,
  },
  {
    what: "a kernel without br_netfilter",
    make: "echo 'install br_netfilter /bin/false' >/etc/modprobe.d/none.conf; modprobe -r br_netfilter",
    mend: "rm /etc/modprobe.d/none.conf; modprobe br_netfilter",
    says: /need the kernel module br_netfilter, which can't be loaded \(.*\), so dockerd would not start; install the modules of this kernel/,
  },
  {
    what: "an sshd that would lock us out",
    make: "echo 'DenyUsers ops' >/etc/ssh/sshd_config.d/fault.conf",
    mend: "rm /etc/ssh/sshd_config.d/fault.conf",
    says: /sshd's configuration keeps ops from [\d.]+ out: DenyUsers has ops; when it starts or reloads next.*; let that user in, or connect as another one/,
  },
  {
    what: "no room for what is kept",
    make: "truncate -s 8M /root/small; mkfs.ext4 -q /root/small; mkdir -p /var/lib/drydock; mount -o loop,errors=continue /root/small /var/lib/drydock",
    mend: "umount /var/lib/drydock; rmdir /var/lib/drydock; rm /root/small",
    says: /\/var\/lib\/drydock: [\d.]+ MiB are free, and [\d.]+ MiB are needed.*; free some space first/,
  },
  {
    what: "a filesystem in which the kernel has found an error",
    make: "echo tried >/sys/fs/ext4/$(basename $(findmnt -no SOURCE /var/lib/drydock))/trigger_fs_error",
    mend: ":",
    says: /\/var\/lib\/drydock is on \/dev\/loop\d+, mounted at \/var\/lib\/drydock, and the kernel has found 1 error in that ext4 since it was last checked; .* e2fsck -f/,
  },
  { what: "a clock that is off", make: "date -s '+10 minutes'", mend: "date -s '-10 minutes'", says: /the clock here is 10 minutes ahead of the one of the machine that runs this \(.*\); set the one that is wrong/ },
  {
    what: "a filesystem that is read-only",
    make: "mount --bind /etc /etc; mount -o remount,bind,ro /etc",
    mend: "umount -l /etc; systemctl daemon-reload",
    says: /\/etc is on \S+, mounted at \/etc read-only; look in dmesg .*mount -o remount,rw \/etc/,
  },
];

/** What the stack file asks for, and this host can't give. */
const impossible = {
  daemon: { hosts: ["fd://"], bip6: "fd00:d::1/64", "log-opts": { "syslog-address": "tcp://127.0.0.1:5999" }, "authorization-plugins": ["opa"], "storage-opts": ["overlay2.size=1G"] },
  says: [
    /daemon\.bip6 needs Docker 28\.0, here is 20\.10\S*, which would refuse to start; remove the key or update Docker/,
    /the collector of daemon\.log-driver syslog, 127\.0\.0\.1:5999, does not answer this host \(.*\), so no new container would start, and none again after a boot; start it, open the way to it/,
    /daemon\.authorization-plugins names opa, and .*, so dockerd would end; install and start it first/,
    /daemon\.storage-opts overlay2\.size=1G needs xfs with pquota, and \/var\/lib\/docker, .* is ext4, so dockerd would not start; give it a volume with filesystem: xfs/,
    /changing userns-remap stops .*; to consent, add to this host: allow: \[hide-containers\]/,
  ],
};

/** What is listed below a headline. */
const points = (output: string, headline: string) => new RegExp(`${headline}:\\n((?:\\s*- .*\\n)+)`).exec(output)?.[1] ?? "";

describe("a host on which much is wrong that dockerd does not see", () => {
  it("is refused with all of it at once, in a preview too, beside all of another one, and nothing is touched", async () => {
    configure({ daemon: impossible.daemon }, { web2: { connection: { ...machine.connection("root"), host: "localhost" }, daemon: impossible.daemon } });
    try {
      await machine.run(wrongs.map(({ make }) => make).join("\n"));
      const was = await snapshot(machine);
      const ran = await startedAt();
      const preview = await stack.preview();
      const update = await stack.up();
      expect(update.exitCode).not.toBe(0);
      for (const host of ["web1", "web2"]) {
        const told = [points(preview.output, `${host}: this would be refused`), points(update.output, `${host}: refused, nothing was touched`)];
        // The other one comes as root, whom sshd lets in.
        const says = [...wrongs.filter(({ what }) => host === "web1" || !what.includes("sshd")).map((wrong) => wrong.says), ...impossible.says];
        for (const text of told) for (const finding of says) expect(text).toMatch(finding);
      }
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
