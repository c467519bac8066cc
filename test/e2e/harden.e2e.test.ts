/** The main job on a real host, over a non-root sudoer: hardened, proven, kept so, given back. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMachine, type Machine } from "../../lab/machine.ts";
import { readSettings } from "../../lab/settings.ts";
import { snapshot } from "./snapshot.ts";
import { consent, passphrase, Stack, type Run } from "./stack.ts";

let machine: Machine;
const stack = new Stack("harden");
let before: string[];
let firstUp: Run;

beforeAll(async () => {
  machine = await startMachine({ name: "e2e-harden", replace: true });
  await machine.waitForDocker();
  // A container of before, which the change of userns-remap has to stop, hide and give back.
  await machine.run("docker run -d --name before bb sleep 100000");
  before = await snapshot(machine);
  stack.configure({ profile: "strict", hosts: { web1: { connection: machine.connection("ops"), allow: consent, daemon: { "max-concurrent-downloads": 4 } } } });
  await stack.init();
});

afterAll(async () => {
  await machine.stop();
  stack.remove();
});

/** Connections of Drydock's user that sshd let in so far; the tests themselves come as root. */
const accepted = async (): Promise<number> => Number(await machine.run("journalctl -q --no-pager -u ssh | grep -c 'Accepted publickey for ops' || true"));

describe("a first preview", () => {
  it("shows what it would change on the host, and the cost, and touches nothing", async () => {
    const { exitCode, output } = await stack.preview("--diff");
    expect(output).toContain("web1: first update, this is what would change there");
    expect(output).toContain('+  "icc": false,');
    expect(output).toContain("inEffect.daemon.icc: true => false");
    expect(output).toMatch(/containers stop: before/);
    expect(output).toMatch(/1 container and 1 image under \/var\/lib\/docker are hidden, not lost/);
    expect(output).toContain("hidden from then on: container before, image bb:latest");
    expect(exitCode).toBe(0);
    expect(await snapshot(machine)).toEqual(before);
  });
});

describe("a first up", () => {
  it("succeeds", async () => {
    // Every command line on the host meanwhile, for the search for secrets below.
    await machine.run("nohup sh -c 'for i in $(seq 90); do ps -eo args >>/root/processes; sleep 1; done' >/dev/null 2>&1 &");
    firstUp = await stack.up();
    expect(firstUp.output).toContain("created");
    expect(firstUp.exitCode, firstUp.output).toBe(0);
    // The store behind userns-remap is another one: the image has to be loaded again.
    await machine.run("docker import -c 'CMD [\"sh\"]' /root/bb.tar bb:latest");
  });

  it("leaves no orphaned container process behind", async () => {
    expect(await machine.run("docker ps -aq; cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -c '[c]ontainerd-shim.*-namespace moby' || true")).toBe("0");
  });

  it("does nothing the second time over one connection, and says so", async () => {
    const connections = await accepted();
    const { exitCode, output } = await stack.up();
    expect(exitCode, output).toBe(0);
    // None when the one of the command before is still open.
    expect((await accepted()) - connections).toBeLessThanOrEqual(1);
    expect(output).toMatch(/\b2 unchanged\b/);
    expect(output).not.toMatch(/updated|created/);
  });

  it("leaves a preview without changes", async () => {
    const { exitCode, output } = await stack.preview("--expect-no-changes");
    expect(exitCode, output).toBe(0);
  });

  it("has a daemon that reports every setting", async () => {
    const { LiveRestoreEnabled, LoggingDriver, SecurityOptions, DockerRootDir, RegistryConfig } = JSON.parse(await machine.run("docker info -f '{{json .}}'")) as Record<string, unknown>;
    expect({ LiveRestoreEnabled, LoggingDriver, DockerRootDir }).toEqual({ LiveRestoreEnabled: true, LoggingDriver: "syslog", DockerRootDir: "/var/lib/docker/165536.165536" });
    // What each release's engine says: newer ones call their own filter builtin, and tell of no-new-privileges.
    const own = readSettings().release === "bookworm" ? { filter: "default", more: [] } : { filter: "builtin", more: ["name=no-new-privileges"] };
    expect(SecurityOptions).toEqual(["name=apparmor", `name=seccomp,profile=${own.filter}`, "name=userns", "name=cgroupns", ...own.more]);
    expect(RegistryConfig).toMatchObject({ InsecureRegistryCIDRs: ["127.0.0.0/8"] });
    expect(await machine.run("docker network inspect bridge -f '{{index .Options \"com.docker.network.bridge.enable_icc\"}}'")).toBe("false");
    // What no engine reports is seen in a container.
    expect(await machine.run("docker run --rm bb sh -c 'ulimit -n; ulimit -Hn; ulimit -c'")).toBe("1024\n65536\n0");
  });

  it("tells engine, CIS figures and the user's own keys as outputs", async () => {
    const { output } = await stack.pulumi("stack", "export", "-s", stack.name);
    const state = JSON.parse(output) as { deployment: { resources: { type: string; outputs: Record<string, unknown> }[] } };
    const outputs = state.deployment.resources.find(({ type }) => type === "drydock:index:Host")?.outputs ?? {};
    expect(outputs.engine).toBe(await machine.run("docker version -f '{{.Server.Version}}'"));
    expect(outputs.pending).toEqual([]);
    expect(outputs.foreignDaemonKeys).toEqual([]);
    expect((outputs.cis as { failed: number }).failed).toBeLessThan(8);
    expect((outputs.lastChange as { cost: string[] }).cost).toEqual(expect.arrayContaining([expect.stringMatching(/^dockerd restarts \(.*userns-remap.*\)$/), expect.stringMatching(/containers? stops?: before/)]));
  });

  it("keeps on the host who made it, what it wrote and what was there before, with sums", async () => {
    const by = await machine.run("cat /var/lib/drydock/current/by");
    expect(by).toMatch(new RegExp(`^stack drydock/${stack.name}\\nhost web1\\n`));
    expect(by).toMatch(/^by \S+@\S+\nupdate 1\n/m);
    await machine.run("cd /var/lib/drydock/current; [ $(wc -l <manifest) -gt 5 ]; sha256sum --quiet --check manifest; cd before; sha256sum --quiet --check manifest");
  });
});

describe("what a container can do on the hardened host", () => {
  it("can't reach another container on the default bridge", async () => {
    await machine.run("docker run -d --name server bb httpd -f -p 8000; docker run -d --name client bb sleep 100000");
    const address = await machine.run("docker inspect -f '{{.NetworkSettings.IPAddress}}' server");
    // It serves: from itself it answers.
    expect(await machine.run(`docker exec server nc -w 5 127.0.0.1 8000 </dev/null && echo open`)).toContain("open");
    expect((await machine.ssh(`docker exec client nc -w 5 ${address} 8000 </dev/null`)).exitCode).not.toBe(0);
    expect((await machine.ssh(`docker exec client ping -c 2 -W 3 ${address}`)).exitCode).not.toBe(0);
  });

  it("is not root on the host when it is root inside", async () => {
    expect(await machine.run("docker exec client cat /proc/self/uid_map")).toMatch(/^\s*0\s+165536\s+65536$/);
    expect(await machine.run("stat -c %u /proc/$(docker inspect -f '{{.State.Pid}}' client)")).toBe("165536");
  });

  it("gains nothing by a setuid program", async () => {
    expect(await machine.run("docker exec client grep NoNewPrivs /proc/self/status")).toMatch(/\b1$/);
    expect(await machine.run("docker run --rm -u 1000 bb suid-id")).not.toContain("euid=0(root)");
  });

  it("is stopped at its own number of processes, and a neighbour still forks", async () => {
    // 700 sleeps against a limit of 512; busybox's sh ends at the first fork that is refused.
    const scope = "/sys/fs/cgroup/drydock.slice/drydock-containers.slice";
    const bomb = await machine.run(`
      docker run -d --name bomb bb sh -c 'i=0; while [ $i -lt 700 ]; do sleep 1000 & i=$((i+1)); done; wait' >/dev/null
      events=${scope}/docker-$(docker inspect -f '{{.Id}}' bomb).scope/pids.events
      i=0; until grep -s '^max [1-9]' $events || [ "$(docker inspect -f '{{.State.Status}}' bomb)" = exited ] || [ $i -ge 60 ]; do i=$((i+1)); sleep 1; done
      docker logs bomb 2>&1 | tail -1; docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' bomb`);
    expect(bomb).toMatch(/max [1-9]|can't fork[^]*exited [1-9]/);
    expect(await machine.run("docker exec client sh -c 'sleep 0 & wait; echo forked'")).toBe("forked");
    expect(await machine.run(`cat ${scope}/docker-$(docker inspect -f '{{.Id}}' client).scope/pids.max`)).toBe("512");
    await machine.run("docker rm -f bomb");
  });

  it("answers on a published port without a docker-proxy process", async () => {
    await machine.run("docker run -d --name published -p 8080:8000 bb httpd -f -p 8000");
    expect(await machine.run("pidof docker-proxy || echo none")).toBe("none");
    const address = "$(ip -4 -o addr show eth0 | sed 's/.*inet \\([0-9.]*\\).*/\\1/')";
    expect(await machine.run(`curl -s -o /dev/null -w '%{http_code}' http://${address}:8080/`)).toBe("404");
    expect(await machine.run("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/")).toBe("404");
  });

  it("has its log in the host's syslog", async () => {
    await machine.run("docker run --rm --name talker bb echo ahoy-from-a-container; sleep 2");
    expect(await machine.run("journalctl --since -5min --no-pager | grep -c 'docker/talker.*ahoy-from-a-container'")).not.toBe("0");
  });

  it("leaves a trace in the audit log when somebody writes to /etc/docker", async () => {
    await machine.run("touch /etc/docker/intruder && rm /etc/docker/intruder; sleep 1");
    expect(await machine.run("ausearch -k docker -f intruder --format text 2>/dev/null | head -5")).toMatch(/intruder/);
  });
});

/** Twelve ways to weaken a hardened host, each on its own. */
const tampering: { what: string; by: string; shows: RegExp; isBack: string }[] = [
  { what: "a weakened daemon.json", by: `sed -i 's/"icc": false/"icc": true/' /etc/docker/daemon.json`, shows: /icc\s*: true => false/, isBack: `grep -q '"icc": false' /etc/docker/daemon.json` },
  { what: "a security key nobody wished", by: `sed -i 's/^{/{ "insecure-registries-x": 0,/; s/"insecure-registries-x": 0/"experimental": true/' /etc/docker/daemon.json`, shows: /experimental/, isBack: `! grep -q experimental /etc/docker/daemon.json` },
  { what: "another owner of /etc/docker", by: "chown ops /etc/docker", shows: /ops:root 0755.*=>.*root:root 0755/, isBack: `test "$(stat -c %U /etc/docker)" = root` },
  { what: "a daemon started with another configuration", by: "cp -p /etc/docker/daemon.json /root/keep.json && sed -i '/no-new-privileges/d' /etc/docker/daemon.json && systemctl restart docker && cp -p /root/keep.json /etc/docker/daemon.json", shows: /configuration\s*: "daemon\.json was changed after dockerd started"/, isBack: `docker info >/dev/null && grep -q no-new-privileges /etc/docker/daemon.json` },
  { what: "a removed audit rule in the kernel", by: "auditctl -d always,exit -F arch=b64 -F path=/usr/sbin/dockerd -F perm=rwxa -F key=docker", shows: /- -a always,exit -F arch=b64 -F path=\/usr\/sbin\/dockerd|path=\/usr\/sbin\/dockerd/, isBack: "auditctl -l | grep -q 'arch=b64.*path=/usr/sbin/dockerd'" },
  { what: "an edited audit rules file", by: "sed -i '/runc/d' /etc/audit/rules.d/50-drydock.rules", shows: /runc/, isBack: "grep -q /usr/sbin/runc /etc/audit/rules.d/50-drydock.rules" },
  { what: "auditing switched off", by: "auditctl -e 0", shows: /auditing is off/, isBack: "auditctl -s | grep -q '^enabled 1'" },
  { what: "a firewall rule that lets containers talk", by: "iptables -I FORWARD -i docker0 -o docker0 -j ACCEPT", shows: /icc\s*: true => false/, isBack: `iptables -S FORWARD 1 | grep -q -- '-i docker0 -o docker0 .*--comment drydock -j DROP'` },
  { what: "a removed limit for containers", by: "rm -r /etc/systemd/system/docker-.scope.d && systemctl daemon-reload", shows: /docker-\.scope\.d\/10-drydock\.conf/, isBack: "grep -q TasksMax=512 /etc/systemd/system/docker-.scope.d/10-drydock.conf" },
  { what: "a lifted limit for all containers in the kernel", by: "echo max >/sys/fs/cgroup/drydock.slice/drydock-containers.slice/memory.max", shows: /MemoryMax/, isBack: `test "$(cat /sys/fs/cgroup/drydock.slice/drydock-containers.slice/memory.max)" != max` },
  { what: "a daemon with raised limits", by: "prlimit --pid $(pidof dockerd) --nofile=100:100", shows: /docker\.service LimitNOFILE/, isBack: "grep -q 1048576 /proc/$(pidof dockerd)/limits" },
  { what: "a stopped audit daemon", by: "kill -TERM $(pidof auditd); sleep 2", shows: /auditd\.service\s*: "(inactive|failed|deactivating)"/, isBack: "systemctl is-active auditd" },
];

// Together where none hides another: an update costs half a minute on an emulated host.
const groups = {
  "of files": ["a weakened daemon.json", "a security key nobody wished", "another owner of /etc/docker", "an edited audit rules file", "a removed limit for containers"],
  "of what runs": ["a removed audit rule in the kernel", "a firewall rule that lets containers talk", "a lifted limit for all containers in the kernel", "a daemon with raised limits", "a stopped audit daemon"],
  "of the daemon's start": ["a daemon started with another configuration"],
  "of auditing": ["auditing switched off"],
};

it("is in one group each", () => {
  expect(Object.values(groups).flat().sort()).toEqual(tampering.map(({ what }) => what).sort());
});

describe.each(Object.entries(groups))("tampering %s", (_where, names) => {
  const all = tampering.filter(({ what }) => names.includes(what));

  it(`shows in the preview: ${names.join(", ")}`, async () => {
    for (const { by } of all) await machine.run(by);
    const drift = await stack.preview("--diff", "--expect-no-changes");
    expect(drift.exitCode, drift.output).not.toBe(0);
    for (const { what, shows } of all) expect(drift.output, what).toMatch(shows);
  });

  it("is repaired by the next up", async () => {
    const connections = await accepted();
    const repair = await stack.up();
    expect(repair.exitCode, repair.output).toBe(0);
    // One for all of it, if none was open, and one more that confirms the change.
    expect([1, 2]).toContain((await accepted()) - connections);
    for (const { isBack } of all) await machine.run(isBack);
  });
});

describe("after all repairs", () => {
  it("has nothing left to change", async () => {
    const { exitCode, output } = await stack.preview("--expect-no-changes");
    expect(exitCode, output).toBe(0);
  });
});

describe("secrets", () => {
  it("stand in clear nowhere: not in state and history, output, nor on the host", async () => {
    const written = stack.written();
    expect(written).not.toContain("PRIVATE KEY");
    expect(written).not.toContain(passphrase);
    expect(firstUp.output).not.toContain(passphrase);
    // Through a file: audit and journal would note the command line of the search itself.
    const onHost = await machine.run(`printf '%s\\n' 'PRIVATE KEY' '${passphrase}' >/root/needles; grep -rlF -f /root/needles /root/processes /var/lib/drydock /etc/docker /var/log /run/log 2>/dev/null; rm /root/needles`);
    expect(onHost).toBe("");
    // The list has seen the transaction, or it proves nothing.
    expect(await machine.run("grep -c 'transaction.sh apply' /root/processes")).not.toBe("0");
  });
});

describe("destroy", () => {
  it("gives back every file and the running state of before", async () => {
    await machine.run("docker rm -f server client published >/dev/null");
    const { exitCode, output } = await stack.destroy();
    expect(exitCode, output).toBe(0);
    expect(output).toContain("every file is as it was before the first update");
    const after = await snapshot(machine);
    expect(after).toEqual(before);
  });

  it("does nothing the second time", async () => {
    const { exitCode, output } = await stack.destroy();
    expect(exitCode, output).toBe(0);
  });
});
