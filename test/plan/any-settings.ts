/** Settings of a host as a stack file has them: only such as are accepted, and written so that a counterexample can be read. */

import fc from "fast-check";
import { StackFileError } from "../../src/config/fleet.ts";
import { rendered } from "../support/wish.ts";
import type { Beginning } from "./model-host.ts";

export interface Settings {
  profile: "strict" | "baseline";
  daemon?: Record<string, unknown>;
  [layer: string]: unknown;
}

const flag = fc.boolean();
/** `null` takes away what the profile says. */
const orNull = <T>(...values: T[]) => fc.constantFrom(null, ...values);

/** One key or two that belong together. */
const keys: fc.Arbitrary<Record<string, unknown>>[] = [
  fc.record({ icc: orNull(true, false) }),
  fc.record({ iptables: orNull(true, false) }),
  fc.record({ "live-restore": orNull(true, false) }),
  fc.record({ "userns-remap": orNull("default", "dockremap", "ops", "people") }),
  fc.record({ "userland-proxy": orNull(true, false) }),
  fc.record({ "no-new-privileges": orNull(true, false) }),
  fc.record({ "default-cgroupns-mode": orNull("host", "private") }),
  fc.record({ "default-ipc-mode": orNull("private", "shareable") }),
  fc.record({ "default-ulimits": orNull({ nofile: { Soft: 1024, Hard: 4096 } }) }),
  fc.constantFrom<Record<string, unknown>[]>({ "log-driver": "json-file", "log-opts": { "max-size": "10m" } }, { "log-driver": "journald" }, { "log-driver": "local" }, { "log-driver": null, "log-opts": null }),
  fc.record({ "log-level": orNull("debug", "warn") }),
  fc.record({ debug: flag }),
  fc.record({ experimental: flag }),
  fc.record({ labels: fc.constantFrom([], ["a=b"], ["c=d", "a=b"]) }),
  fc.record({ "insecure-registries": orNull([], ["10.0.0.0/8"], ["b.example:5000", "a.example"], ["a.example", "192.168.0.0/16"]) }),
  fc.record({ "registry-mirrors": fc.constantFrom([], ["https://mirror.example"]) }),
  fc.record({ "max-concurrent-downloads": fc.constantFrom(1, 6) }),
  fc.record({ "shutdown-timeout": fc.constantFrom(15, 60) }),
  fc.record({ dns: fc.constantFrom(["192.0.2.53"], ["192.0.2.54"]) }),
  fc.record({ mtu: fc.constantFrom(1400, 1500) }),
  fc.record({ hosts: fc.constantFrom(["fd://"], ["unix:///run/docker.sock"]) }),
  fc.constantFrom<Record<string, unknown>[]>({ runtimes: { kata: { path: "/usr/bin/kata" } } }, { runtimes: { kata: { path: "/usr/bin/kata" } }, "default-runtime": "kata" }, { "default-runtime": "runc" }),
  fc.record({ "data-root": fc.constantFrom("/srv/docker", "/var/lib/docker") }),
  fc.record({ "cgroup-parent": fc.constantFrom("machine.slice") }),
];

const daemon = fc.array(fc.oneof(...keys), { maxLength: 5 }).map((some) => Object.assign({}, ...some) as Record<string, unknown>);

const audit = fc.oneof(fc.constant(false), fc.record({ perm: fc.constantFrom("wa", "xarw"), dataPerm: fc.constantFrom("wa", "rwxa"), abi32: flag }, { requiredKeys: [] }));

const tasks = orNull<unknown>(64, 512, "50%", "infinity");
const memory = orNull("1G", "1000000000", "25%", "infinity");
const service = fc.record({ nofile: fc.constantFrom<(number | string)[]>(65_536, "1024:1048576", "infinity"), oomScoreAdjust: fc.constantFrom(-900, 0) }, { requiredKeys: [] });
const limits = fc.record(
  {
    tasksMax: tasks,
    memoryMax: memory,
    memorySwapMax: memory,
    total: fc.option(fc.record({ tasksMax: tasks, memoryMax: memory, cpuWeight: fc.constantFrom(50, 100) }, { requiredKeys: [] })),
    services: fc.option(fc.record({ docker: service, containerd: service }, { requiredKeys: [] })),
  },
  { requiredKeys: [] },
);

const profile = fc.constantFrom({}, { files: { "/srv/www/**": "r" } }, { networks: ["inet stream"] });
const apparmor = fc.oneof(fc.constant(null), fc.record({ container: flag, profiles: fc.dictionary(fc.constantFrom("web", "api"), profile, { maxKeys: 2, noNullPrototype: true }) }, { requiredKeys: [] }));

const refuses = (...names: string[]) => ({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names, action: "SCMP_ACT_ERRNO" }] });
const seccomp = fc.constantFrom<(object | string)[]>("builtin", refuses("bpf"), refuses("bpf", "ptrace"));

export const settings: fc.Arbitrary<Settings> = fc
  .record({ profile: fc.constantFrom("strict" as const, "baseline" as const), daemon, audit, limits, apparmor, seccomp }, { requiredKeys: ["profile"] })
  .filter((some) => isAccepted(some));

export const argsOf = ({ profile: name, ...own }: Settings) => rendered({ allow: ["hide-containers", "restart-containers"], ...own }, name);

/** Keys of the user's own: some that a stack file may name as well, one that must be absent. */
const ownDaemon = fc.constantFrom<Record<string, unknown>[]>(
  {},
  { dns: ["192.0.2.1"], bip: "172.30.0.1/16" },
  { "max-concurrent-uploads": 2, labels: ["theirs=1"] },
  { debug: true, features: { buildkit: true } },
  { icc: false, "live-restore": true, "node-generic-resources": ["gpu=1"] },
  { "userns-remap": "ops" },
);

/** Mostly a host as it comes: with two of these at once there is little left to see. */
const unusual = ["idle", "dockerStopped", "auditdStopped", "auditOff", "apparmorDisabled", "noBridgeModule", "oddModes"] as const;

export const beginning: fc.Arbitrary<Beginning> = fc
  .tuple(ownDaemon, fc.subarray([...unusual], { maxLength: 2 }))
  .map(([own, odd]) => ({ ...(Object.keys(own).length > 0 ? { daemon: own } : {}), ...Object.fromEntries(odd.map((name) => [name, true])) }));

// --- Internal ---

function isAccepted(some: Settings): boolean {
  try {
    argsOf(some);
    return true;
  } catch (error) {
    if (error instanceof StackFileError) return false;
    throw error;
  }
}
