import { describe, expect, it } from "vitest";
import { adviseContainers } from "../../src/cis/container-checks.ts";
import { docker16 } from "../../src/cis/docker-1.6.ts";
import { known, unknown } from "../../src/observed/records.ts";
import type { Container, Observation } from "../../src/observed/observation.ts";
import { apparmor, container, defaultHost, info } from "../support/observation.ts";

/** As careful as a container can be. */
const careful: Partial<Container> = { user: "1000", health: "healthy", pidMode: "", ipcMode: "private", utsMode: "", capAdd: [], readOnly: true, retries: 0, mounts: [], memory: 1_000_000, pidsLimit: 100 };

function advice(change: Partial<Container>, host: Partial<Observation> = {}): string[] {
  const observation = defaultHost({ containers: known([container("web", { ...careful, ...change })]), noNewPrivileges: known([900]), apparmor: apparmor({ labels: { 900: "docker-default (enforce)" } }), ...host });
  const found = adviseContainers(observation, docker16);
  return found.known ? found.value.flatMap((each) => each.advice.map(({ id, finding }) => `${id} ${finding}`)) : [found.reason];
}

const bind = (Source: string, RW = true) => ({ Type: "bind", Source, Destination: "/x", RW });

describe("of a container", () => {
  it("that is careful nothing is said", () => {
    expect(advice({})).toEqual([]);
  });

  it.each<[string, Partial<Container>, string[]]>([
    ["no user", { user: "" }, ["4.1 runs as root"]],
    ["the user root by its name and a group", { user: "root:staff" }, ["4.1 runs as root"]],
    ["the user 0", { user: "0" }, ["4.1 runs as root"]],
    ["a user that begins like root", { user: "rooted" }, []],
    ["no health check", { health: "" }, ["4.6 has no health check", "5.27 has no health check"]],
    ["a health check that is switched off", { health: "none" }, ["4.6 has no health check", "5.27 has no health check"]],
    ["a health check that fails", { health: "unhealthy" }, []],
    ["capabilities", { capAdd: ["NET_ADMIN", "SYS_TIME"] }, ["5.4 has more capabilities than usual: NET_ADMIN, SYS_TIME"]],
    ["all privileges", { privileged: true }, ["5.5 is privileged: as good as root on the host"]],
    ["the host's /etc", { mounts: [bind("/etc/"), bind("/proc", false)] }, ["5.6 mounts of the host: /etc/ (to write), /proc (to read)"]],
    ["the host's root", { mounts: [bind("/")] }, ["5.6 mounts of the host: / (to write)"]],
    ["one file of the host's", { mounts: [bind("/etc/localtime", false)] }, []],
    ["a volume", { mounts: [{ Type: "volume", Source: "/var/lib/docker/volumes/a/_data", Destination: "/x", RW: true }] }, []],
    ["the host's network", { networkMode: "host" }, ["5.10 shares the host's network"]],
    ["no memory limit", { memory: 0 }, ["5.11 has no memory limit"]],
    ["a root it can write to", { readOnly: false }, ["5.13 can write to its root filesystem"]],
    ["a port for all", { ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "80" }], "81/tcp": null } }, ["5.14 is open on every address of the host: 80/tcp"]],
    ["a port for the host alone", { ports: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "80" }] } }, []],
    ["restarts without an end", { restartPolicy: "always" }, ["5.15 is started again without an end: always"]],
    ["restarts on failure without an end", { restartPolicy: "on-failure" }, ["5.15 is started again without an end: on-failure"]],
    ["ten restarts on failure", { restartPolicy: "on-failure", retries: 10 }, ["5.15 is started again up to 10 times: on-failure"]],
    ["five restarts on failure", { restartPolicy: "on-failure", retries: 5 }, []],
    ["the host's processes", { pidMode: "host" }, ["5.16 shares the host's processes"]],
    ["the host's IPC", { ipcMode: "host" }, ["5.17 shares the host's IPC namespace"]],
    ["the host's name", { utsMode: "host" }, ["5.21 shares the host's name (UTS namespace)"]],
    ["no seccomp filter", { securityOpt: ["seccomp=unconfined"] }, ["5.22 has no seccomp filter"]],
    ["the right to gain privileges", { pid: 901 }, ["5.2 unknown: process 901 was not seen", "5.26 may gain privileges, e.g. by setuid programs"]],
    ["no limit of processes", { pidsLimit: 0 }, ["5.29 has no limit of processes"]],
    ["the host's users", { usernsMode: "host" }, ["5.31 is left out of userns-remap"]],
    ["the engine's socket", { mounts: [bind("/var/run/docker.sock", false)] }, ["5.32 mounts /var/run/docker.sock: whoever is in it commands the engine"]],
    ["the folder of the engine's socket", { mounts: [bind("/run")] }, ["5.6 mounts of the host: /run (to write)", "5.32 mounts /run: whoever is in it commands the engine"]],
  ])("with %s", (_what, change, expected) => {
    expect(advice(change)).toEqual(expected);
  });

  it("that runs as root of a user namespace, who that is outside", () => {
    expect(advice({ user: "" }, { info: info({ SecurityOptions: ["name=apparmor", "name=userns"], DockerRootDir: "/var/lib/docker/165536.165536" }) })).toEqual(["4.1 runs as root, which outside is user 165536"]);
  });

  it("the kernel's limit counts, not the container's own wish", () => {
    const scope = `docker-${container("web").id}.scope`;
    expect(advice({ memory: 0, pidsLimit: 0 }, { cgroups: { [scope]: { "memory.max": "1000", "pids.max": "512" } } })).toEqual([]);
    expect(advice({}, { cgroups: { [scope]: { "memory.max": "max", "pids.max": "max" } } })).toEqual(["5.11 has no memory limit", "5.29 has no limit of processes"]);
  });

  it("that is not confined, where the kernel says so", () => {
    expect(advice({}, { apparmor: apparmor({ labels: { 900: "unconfined" } }) })).toEqual(["5.2 no AppArmor profile confines it"]);
  });

  it("from an older look, that it is not known: absent is not no", () => {
    const old = container("web", { memory: 1, pidsLimit: 1 });
    const found = adviseContainers(defaultHost({ containers: known([old]), noNewPrivileges: known([900]), apparmor: apparmor({ labels: { 900: "docker-default (enforce)" } }) }), docker16);
    const ids = found.known ? found.value[0]?.advice.filter((each) => !each.known && each.finding === "unknown: this look at the host did not ask for it").map(({ id }) => id) : [];
    expect(ids).toEqual(["4.1", "4.6", "5.4", "5.6", "5.13", "5.16", "5.17", "5.21", "5.27", "5.32"]);
  });

  it("that is stopped nothing is said", () => {
    expect(advice({ running: false, privileged: true })).toEqual([]);
  });

  it("whose list could not be had, why", () => {
    expect(advice({}, { containers: unknown("docker.service is inactive") })).toEqual(["docker.service is inactive"]);
  });

  it("the command to look for oneself names it as one word", () => {
    const found = adviseContainers(defaultHost({ containers: known([container("a b", { privileged: true })]) }), docker16);
    const proof = found.known ? found.value[0]?.advice.find(({ id }) => id === "5.5")?.proof : [];
    expect(proof).toEqual([{ command: "docker inspect --format '{{json .HostConfig.Privileged}}' 'a b'", printed: "true" }]);
  });
});
