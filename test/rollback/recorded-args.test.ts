import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HostArgs, HostFacts, HostInputs } from "../../src/desired/host-inputs.ts";
import { auditCandidates } from "../../src/plan/seen.ts";
import { completeInputs, hostsDropIn } from "../../src/plan/wish.ts";
import { argsToday, recordedArgs } from "../../src/rollback/recorded-args.ts";
import { rendered } from "../support/wish.ts";

const uuid = (digit: number) => `${digit}0f5f8c1-8f5c-4b8e-9d0a-3c1f0a6b7e2d`;
const device = "/dev/disk/by-id/virtio-data";

/** With everything that `check` fills in for the very host: rules, addresses, filesystems. */
const settings = [
  {},
  { audit: false },
  { daemon: { hosts: ["unix:///var/run/docker.sock", "tcp://192.0.2.10:2376"], tlsverify: true, tlscacert: "/etc/docker/ca.pem", tlscert: "/etc/docker/cert.pem", tlskey: "/etc/docker/key.pem" } },
  { window: ["Sun 02:00-04:00 UTC"] },
  { volume: { device, filesystem: "xfs" } },
  { volume: { device: "/dev/mapper/vg-a--b", filesystem: "ext4", containerd: { device } }, allow: ["remove-old-data"] },
];

/** What a unit starts is there. */
const facts = (args: HostArgs): fc.Arbitrary<HostFacts> =>
  fc
    .record({
      starts: fc.constantFrom<string[][]>([], ["/usr/sbin/dockerd"], ["/usr/bin/dockerd", "/usr/bin/containerd"], ["/opt/bin/dockerd", "/usr/local/bin/containerd"]),
      dockerExecStart: fc.constantFrom("/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS", "/usr/bin/dockerd --host=fd://", "/usr/bin/dockerd"),
      missing: fc.subarray(auditCandidates(args)),
      ...(args.volumes === undefined ? {} : { filesystems: fc.constantFrom(1, 2).map((digit) => Object.fromEntries(Object.keys(args.volumes ?? {}).map((mountPoint, i) => [mountPoint, uuid(digit + i * 3)]))) }),
    })
    .map((host) => ({ ...host, missing: host.missing.filter((path) => !host.starts.includes(path)) }));

const cases = settings.flatMap((own) => ["strict", "baseline"].map((profile) => ({ own, profile })));
const anyHost = fc.constantFrom(...cases).chain(({ own, profile }) => {
  const args = rendered(own, profile);
  return fc.record({ args: fc.constant(args), then: facts(args), now: facts(args) });
});

/** As it comes back from the engine. */
const stored = (inputs: HostInputs) => JSON.parse(JSON.stringify(inputs)) as HostInputs;

function take(inputs: HostInputs): HostArgs {
  const read = recordedArgs(stored(inputs) as unknown as Record<string, unknown>);
  if ("wrong" in read) throw new Error(read.wrong.join());
  expect(read.leftOut).toEqual([]);
  return read.args;
}

describe("recorded inputs", () => {
  it("are completed to the same inputs again, on the host as it was", () => {
    fc.assert(
      fc.property(anyHost, ({ args, then }) => {
        const inputs = completeInputs(args, then);
        expect(stored(completeInputs(take(inputs), inputs.host))).toEqual(stored(inputs));
      }),
    );
  });

  it("name the disk and the command line that the host has now, and no other rule than was recorded", () => {
    fc.assert(
      fc.property(anyHost, ({ args, then, now }) => {
        const again = completeInputs(take(completeInputs(args, then)), now);
        const fresh = completeInputs(args, now);
        expect(again.files[hostsDropIn]).toEqual(fresh.files[hostsDropIn]);
        expect(again.inEffect.mounts).toEqual(fresh.inEffect.mounts);
        for (const path of Object.keys(again.files).filter((file) => file.endsWith(".mount"))) expect(again.files[path]).toBe(fresh.files[path]);
        expect(again.daemon).toEqual(args.daemon);
      }),
    );
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    ["without anything", {}, ["connection: is not there", "daemon: is not there", "files: is not there"]],
    ["of other kinds", { connection: { host: "a", port: "22" }, daemon: "x", files: { "/etc/x": 1 }, modes: { "/etc/x": "absent" } }, ["connection.port: is not a number", "daemon: is not a table", "files./etc/x: is not a text", "modes./etc/x: is not of the form owner:group mode"]],
    ["with a filesystem that nobody makes", { connection: { host: "a", port: 22 }, daemon: {}, files: {}, volumes: { "/var/lib/docker": { device, filesystem: "zfs", options: "" } } }, ["volumes./var/lib/docker.filesystem: is no filesystem that Drydock makes"]],
  ])("%s are none", (_, inputs, wrong) => {
    expect(recordedArgs(inputs)).toEqual({ wrong });
  });

  it("give no turn: that is the program's, and nothing is left out by it", () => {
    expect(recordedArgs({ connection: { host: "a", port: 22 }, daemon: {}, files: {}, window: ["daily 01:00-02:00 UTC"], rollout: { wave: 2, maxFailures: 0, followed: true } })).toEqual({
      args: { connection: { host: "a", port: 22 }, allow: [], window: ["daily 01:00-02:00 UTC"], daemon: {}, files: {}, modes: {} },
      leftOut: [],
    });
  });

  it("of an older schema lack what it did not have", () => {
    expect(recordedArgs({ connection: { host: "a", port: 22 }, daemon: { icc: false }, files: {} })).toEqual({
      args: { connection: { host: "a", port: 22 }, allow: [], daemon: { icc: false }, files: {}, modes: {} },
      leftOut: [],
    });
  });
});

describe("the state of today", () => {
  const reached = { connection: { host: "a", port: 22 }, allow: ["restore-original"], window: ["daily 01:00-02:00 UTC"] };

  it("is the same as what is recorded, where nothing else was found", () => {
    fc.assert(
      fc.property(anyHost, ({ args, then }) => {
        const inputs = completeInputs(args, then);
        expect(argsToday(stored(inputs) as unknown as Record<string, unknown>)).toEqual(take(inputs));
      }),
    );
  });

  it.each<[string, Record<string, unknown>, object]>([
    ["modes that nobody declares", { daemon: {}, files: {}, modes: { "/etc/x": "absent", "/etc/y": "root:root 0777 (a symbolic link)" } }, { modes: { "/etc/x": "absent", "/etc/y": "root:root 0777 (a symbolic link)" } }],
    ["a file that can't be read", { daemon: { "(unreadable)": "x" }, files: { "/etc/x": "unknown: x" } }, { daemon: { "(unreadable)": "x" }, files: { "/etc/x": "unknown: x" } }],
    ["another schema", { daemon: [], files: 1, volumes: { x: 1 }, host: 1 }, {}],
  ])("tells how a host is reached, what it consents to and its window, whatever was found: %s", (_, found, kept) => {
    expect(argsToday({ ...reached, ...found })).toEqual({ ...reached, daemon: {}, files: {}, modes: {}, ...kept });
  });

  it("that reaches no host is none", () => {
    expect(argsToday({ daemon: {}, files: {} })).toBeUndefined();
  });
});
