import { describe, expect, it } from "vitest";
import { containerProfiles } from "../../src/effect/apparmor.ts";
import { parseObservation, type Observation } from "../../src/observed/observation.ts";
import { recorded } from "../support/recorded.ts";

const hardened = recorded("hardened");
const original = recorded("default");

const valueOf = <T>(fact: { known: true; value: T } | { known: false; reason: string }): T => {
  if (!fact.known) throw new Error(fact.reason);
  return fact.value;
};

describe("a default host, as recorded", () => {
  it("is a Linux with systemd, an engine and nobody's", () => {
    expect(original).toMatchObject({ kernel: "Linux 6.1.0-56-cloud-amd64", init: "systemd", os: "Debian GNU/Linux 12 (bookworm)", dockerPath: "/usr/bin/docker", owner: undefined, applied: {} });
    expect(valueOf(original.info)).toMatchObject({ ServerVersion: "20.10.24+dfsg1", LiveRestoreEnabled: false, LoggingDriver: "json-file", Containers: 1, Images: 1 });
    expect(valueOf(original.memory)).toBe(2_074_624_000);
    // The smaller one of pid_max and threads-max.
    expect(valueOf(original.tasks)).toBe(15_743);
  });

  it("has its units and what they start", () => {
    expect(original.dockerExecStart).toBe("/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS");
    expect(original.units["docker.service"]).toMatchObject({ LoadState: "loaded", ActiveState: "active" });
    expect(original.units["auditd.service"]?.ActiveState).toBe("active");
    expect(original.processes.docker).toMatchObject({ command: ["/usr/sbin/dockerd", "-H", "fd://", "--containerd=/run/containerd/containerd.sock"], openFiles: "1048576", oomScoreAdjust: "0" });
    expect(original.processes.docker?.pid).toBeGreaterThan(1);
    expect(original.processes.docker?.startedAt).toBeLessThan(original.now);
    expect(original.processes.containerd?.command).toEqual(["/usr/bin/containerd"]);
  });

  it("has files, and no entry for those that are not there", () => {
    expect(original.files["/etc/default/docker"]).toMatchObject({ known: true, value: { owner: "root", group: "root", mode: "0644", kind: "regular file" } });
    expect(original.files["/etc/docker/daemon.json"]).toBeUndefined();
    expect(original.files["/run/docker.sock"]).toMatchObject({ known: true, value: { group: "docker", mode: "0660", kind: "socket" } });
  });

  it("has AppArmor, and a container that the engine's own profile confines", () => {
    expect(valueOf(original.apparmor)).toMatchObject({ enabled: true, tool: true, abi: true, boot: "enabled", profiles: {} });
    expect(containerProfiles(original)).toEqual({ web: "docker-default" });
  });

  it("has a container on a bridge that forwards", () => {
    expect(valueOf(original.containers)).toMatchObject([{ name: "web", running: true, logDriver: "json-file", securityOpt: [], cgroupnsMode: "private", privileged: false }]);
    expect(original.bridgeOptions).toEqual({ known: false, reason: "not asked: the rules of iptables tell" });
    expect(valueOf(original.iptables)).toContain("-A FORWARD -i docker0 -o docker0 -j ACCEPT");
    expect(original.bridgeNetfilter).toBe(true);
    // One a published port and address family.
    expect(valueOf(original.dockerProxies)).toBe(2);
  });

  it("audits nothing", () => {
    expect(valueOf(original.auditStatus).enabled).toBe("1");
    expect(valueOf(original.auditRules)).toEqual([]);
    expect(original.auditRulesOnlyCompiled).toEqual([]);
  });

  it("has one filesystem, a group docker, and room", () => {
    expect(valueOf(original.mounts)).toContainEqual({ number: "254:0", device: "/dev/vda", path: "/", filesystem: "ext4", options: ["rw", "noatime", "rw"] });
    expect(valueOf(original.dockerGroup)).toEqual([]);
    // Recorded before it was asked for.
    expect(original.room).toEqual({ known: false, reason: "room was not asked for" });
    expect(original.sshd).toEqual({ known: false, reason: "sshd was not asked for" });
    expect(original.users).toContain("ops");
  });
});

describe("a hardened host, as recorded", () => {
  it("is kept, and says what was applied", () => {
    expect(hardened.owner).toEqual({ stack: "drydock/test", host: "web1" });
    expect(hardened.applied.daemon).toBe(`${hardened.processes.docker?.pid ?? ""}:${hardened.processes.docker?.startTicks ?? ""}`);
    expect(hardened.applied.configuration).toMatch(/^[0-9a-f]{64}$/);
  });

  it("has Drydock's files", () => {
    const file = hardened.files["/etc/docker/daemon.json"];
    expect(file?.known && (JSON.parse(file.value.text ?? "") as Record<string, unknown>)).toMatchObject({ icc: false, "userns-remap": "dockremap" });
    expect(hardened.strayFiles).toEqual([
      "/etc/apparmor.d/drydock-container",
      "/etc/audit/rules.d/50-drydock.rules",
      "/etc/modules-load.d/drydock.conf",
      "/etc/systemd/system/containerd.service.d/50-drydock.conf",
      "/etc/systemd/system/docker-.scope.d/10-drydock.conf",
      "/etc/systemd/system/docker.service.d/50-drydock.conf",
      "/etc/systemd/system/drydock-containers.slice",
      "/etc/tmpfiles.d/drydock.conf",
    ]);
    expect(valueOf(hardened.apparmor)).toMatchObject({ enabled: true, tool: true, abi: true, boot: "enabled", profiles: { "drydock-container": { mode: "enforce", asOnDisk: true } } });
    expect(hardened.subordinateUids).toMatch(/^dockremap:\d+:65536$/m);
  });

  it("enforces in the kernel what the files say", () => {
    expect(valueOf(hardened.info).SecurityOptions).toContain("name=userns");
    expect(valueOf(hardened.dockerProxies)).toBe(0);
    expect(valueOf(hardened.auditRules)).toContain("-a always,exit -F arch=b64 -S all -F path=/usr/sbin/dockerd -F perm=rwxa -F key=docker");
    const [container] = valueOf(hardened.containers);
    expect(hardened.cgroups[`docker-${container?.id ?? ""}.scope`]).toMatchObject({ "pids.max": "512" });
    expect(hardened.cgroups["drydock-containers.slice"]).toMatchObject({ "pids.max": "11807" });
    // docker inspect does not show it: the kernel does.
    expect(container?.securityOpt).toEqual([]);
    expect(valueOf(hardened.noNewPrivileges)).toContain(container?.pid);
  });
});

describe("an observation in which much is missing", () => {
  const of = (probes: Record<string, [status: number, stdout: string, stderr?: string]>): Observation => {
    const entries = Object.entries(probes);
    const index = entries.map(([name, [status, out, err = ""]]) => `${name} ${status} ${Buffer.byteLength(out)} ${Buffer.byteLength(err)}\n`).join("");
    return parseObservation(Buffer.from(`${index}\n${entries.map(([, [, out]]) => out).join("")}${entries.map(([, [, , err = ""]]) => err).join("")}`));
  };
  const units = "Id=docker.service\nActiveState=inactive\n";

  it("says of a stopped daemon that it is stopped, and nothing else about it", () => {
    const { info, containers, bridgeOptions } = of({ units: [0, units] });
    const stopped = { known: false, reason: "docker.service is inactive" };
    expect([info, containers, bridgeOptions]).toEqual([stopped, stopped, stopped]);
  });

  it("says why the daemon that runs did not answer", () => {
    const { info, containers } = of({ units: [0, units], "docker-info": [124, ""], containers: [1, "", "Cannot connect to the Docker daemon"] });
    expect(info).toEqual({ known: false, reason: "docker-info ended with exit status 124" });
    expect(containers).toEqual({ known: false, reason: "Cannot connect to the Docker daemon" });
  });

  it("does not take what it can't understand for an answer", () => {
    const { info, containers, auditStatus, memory, dockerProxies } = of({
      "docker-info": [0, '{"ServerErrors":["no"]}'],
      containers: [0, '{"id":"short"}\n'],
      "audit-status": [0, "Unable to open audit netlink\n"],
      memory: [0, "\n"],
      "docker-proxies": [0, "many\n"],
    });
    expect(info).toMatchObject({ known: false, reason: expect.stringMatching(/^docker-info printed something unexpected: /) as unknown });
    expect(containers).toMatchObject({ known: false, reason: expect.stringMatching(/^containers printed something unexpected: /) as unknown });
    expect(auditStatus).toEqual({ known: false, reason: "audit-status printed something unexpected: auditctl -s names no `enabled`" });
    expect(memory).toMatchObject({ known: false });
    expect(dockerProxies).toEqual({ known: false, reason: "docker-proxies printed something unexpected: not a number: many" });
  });

  it("tells a file that is not there from one that can't be read", () => {
    const { files } = of({
      stat: [
        1,
        "root:root 0600 5 100 200 regular file|/etc/a|b\nroot:root 0644 5 300 200 regular file|/etc/c\n",
        "stat: cannot statx '/etc/gone': No such file or directory\nstat: cannot statx '/etc/file/below': Not a directory\nstat: cannot statx '/mnt/bad': Input/output error\n",
      ],
      "file:/etc/a|b": [0, "text\n"],
      "file:/etc/c": [1, "", "cat: /etc/c: Input/output error"],
    });
    expect(files).toEqual({
      "/etc/a|b": { known: true, value: { owner: "root", group: "root", mode: "0600", kind: "regular file", changedAt: 200, text: "text\n" } },
      "/etc/c": { known: false, reason: "cat: /etc/c: Input/output error" },
      "/mnt/bad": { known: false, reason: "Input/output error" },
    });
  });

  it("takes no cgroup whose name a container chose: `__proto__` would change every object here", () => {
    const scope = `docker-${"1".repeat(64)}.scope`;
    const { cgroups } = of({
      cgroups: [
        0,
        [
          `/sys/fs/cgroup/system.slice/${scope}/pids.max:512`,
          `/sys/fs/cgroup/drydock-containers.slice/${scope}/memory.max:max`,
          `/sys/fs/cgroup/system.slice/${scope}/__proto__/pids.max:max`,
          `/sys/fs/cgroup/system.slice/${scope}/constructor/pids.max:max`,
          "/sys/fs/cgroup/system.slice/docker-__proto__.scope/pids.max:max",
          "/sys/fs/cgroup/drydock-containers.slice/memory.swap.max:0",
        ].join("\n"),
      ],
    });
    expect(cgroups).toEqual({ [scope]: { "pids.max": "512", "memory.max": "max" }, "drydock-containers.slice": { "memory.swap.max": "0" } });
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>)["pids.max"]).toBeUndefined();
  });

  it("reads what a container asked for itself, and no limit of its own from engines and containers that name none", () => {
    const line = (own: object): string =>
      JSON.stringify({ id: "1".repeat(64), name: "/web", running: true, pid: 1, startedAt: "", logDriver: "", securityOpt: null, usernsMode: "", cgroupnsMode: "", privileged: false, networkMode: "", ports: null, restartPolicy: "", ...own });
    const { containers } = of({ units: [0, units], "docker-info": [0, ""], containers: [0, [line({ pidsLimit: 100, memory: 67108864, memorySwap: -1 }), line({ pidsLimit: null, memory: 0, memorySwap: 0 }), line({})].join("\n")] });
    expect(containers).toMatchObject({ known: true, value: [{ pidsLimit: 100, memory: 67108864, memorySwap: -1 }, { pidsLimit: 0, memory: 0, memorySwap: 0 }, { pidsLimit: 0, memory: 0, memorySwap: 0 }] });
  });

  it("does not take the zeros that a client prints without a daemon for an answer", () => {
    const zeros = { ServerVersion: "", LiveRestoreEnabled: false, LoggingDriver: "", DockerRootDir: "", Driver: "", CgroupDriver: "", Containers: 0, Images: 0 };
    expect(of({ units: [0, units], "docker-info": [0, JSON.stringify(zeros)] }).info).toMatchObject({ known: false });
    expect(of({ units: [0, units], "docker-info": [0, JSON.stringify({ ...zeros, ServerVersion: "20.10" })] }).info).toMatchObject({ known: true });
  });

  it("takes the unit's own command line, not the one of our drop-in", () => {
    const unit = (path: string, line: string): string => `# ${path}\n[Service]\nExecStart=\nExecStart=${line}\n\n`;
    const { dockerExecStart } = of({
      "docker-unit": [0, unit("/lib/systemd/system/docker.service", "/usr/bin/dockerd") + unit("/etc/systemd/system/docker.service.d/a.conf", "/usr/bin/dockerd -H fd://") + unit("/etc/systemd/system/docker.service.d/60-drydock-hosts.conf", "/usr/bin/dockerd --ours")],
    });
    expect(dockerExecStart).toBe("/usr/bin/dockerd -H fd://");
  });

  it.each([
    ["stack prod\nhost web1\n", { stack: "prod", host: "web1" }],
    ["stack drydock/prod\nhost web 1\n", { stack: "drydock/prod", host: "web 1" }],
    ["stack prod\n", undefined],
    ["", undefined],
  ])("reads the owner %j", (text, owner) => {
    expect(of({ owner: [0, text] }).owner).toEqual(owner);
  });

  it("reads members of the group docker, and blanks in mount points", () => {
    const observation = of({
      groups: [0, "root:x:0:\ndocker:x:108:ops,dev\ndocker2:x:109:eve\n"],
      mounts: [0, "29 1 254:0 / / rw,noatime shared:1 - ext4 /dev/vda rw\n30 29 254:1 / /var/my\\040data rw - xfs /dev/vdb rw\n"],
    });
    expect(observation.dockerGroup).toEqual({ known: true, value: ["ops", "dev"] });
    expect(observation.mounts).toEqual({ known: true, value: [{ number: "254:0", device: "/dev/vda", path: "/", filesystem: "ext4", options: ["rw", "noatime", "rw"] }, { number: "254:1", device: "/dev/vdb", path: "/var/my data", filesystem: "xfs", options: ["rw", "rw"] }] });
  });
});
