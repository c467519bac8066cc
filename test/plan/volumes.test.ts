import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HostArgs } from "../../src/desired/host-inputs.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { isEmpty, planApply, type Plan } from "../../src/plan/plan.ts";
import { findings } from "../../src/plan/preflight.ts";
import { filesystemsOf, planVolumes, stopsDocker, uuidFor, type VolumeStep } from "../../src/plan/volumes.ts";
import { auditRulesFile } from "../../src/plan/wish.ts";
import { container, defaultHost, file, info } from "../support/observation.ts";
import { copy, data, declaredVolume, device, disk, hostWith, moved, mounts, ownUuid, signature, volume, whole } from "../support/volumes.ts";
import { mount } from "../support/observation.ts";
import { owner, wishFor } from "../support/wish.ts";

function plan(observation: Observation, args: HostArgs = declaredVolume()): Plan {
  return planApply(wishFor(args, observation), observation);
}
const steps = (observation: Observation, args: HostArgs = declaredVolume()): VolumeStep[] => planVolumes(wishFor(args, observation), observation);

const step: VolumeStep = { how: "move", mountPoint: data, ...volume(), unit: "var-lib-docker.mount", uuid: ownUuid, label: "drydock-data", format: true, bytes: 2 ** 30 };
const repair: VolumeStep = { ...step, how: "repair", format: false, bytes: 0 };

describe("a step for each volume", () => {
  it.each<[string, Observation, VolumeStep[]]>([
    ["formats an empty disk and moves the data there", hostWith(), [step]],
    ["goes on with its own copy", hostWith({ device: device({ signatures: [copy] }) }), [{ ...step, format: false }]],
    ["takes what is whole as it is", hostWith({ device: device({ signatures: [whole] }) }), [{ ...step, how: "adopt", format: false }]],
    ["takes what is whole from another host, with its UUID", hostWith({ device: device({ signatures: [{ ...whole, uuid: "0f3c" }] }) }), [{ ...step, how: "adopt", format: false, uuid: "0f3c" }]],
    ["is none where it is mounted as it should be", moved(), []],
    ["mends an option", moved({}, { options: ["rw"] }), [repair]],
    ["mends the place at boot", moved({}, { boot: "disabled" }), [repair]],
    ["marks a copy as whole that was cut off before that", moved({}, { seen: { signatures: [copy] } }), [repair]],
    ["takes out what lies below", moved({ oldData: [{ name: "docker", bytes: 5, where: "below" }] }), [repair]],
    ["is none for a disk that is not there", hostWith({ device: undefined }), []],
    ["is none for a disk that can't be looked at", hostWith({}, { volumes: { [data]: unknown("I/O error") } }), []],
    ["is none for a filesystem of somebody else", hostWith({ device: device({ signatures: [signature("ext4", "backup", "0f3c")] }) }), []],
    ["is none for what carries more than ours", hostWith({ device: device({ signatures: [whole, signature("swap")] }) }), []],
    ["is none for the label of another mount point", hostWith({ device: device({ signatures: [{ ...whole, label: "drydock-ctrd" }] }) }), []],
    ["has nothing to move where there is nothing yet", hostWith({ data: { bytes: 0, entries: 0 } }), [{ ...step, bytes: 0 }]],
  ])("%s", (_, observation, expected) => {
    expect(steps(observation)).toEqual(expected);
  });

  it("stops Docker for all but a repair", () => {
    expect((["move", "adopt", "repair"] as const).map((how) => stopsDocker({ ...step, how }))).toEqual([true, true, false]);
  });

  it("leaves nothing to do once it is done", () => {
    const observation = moved();
    expect(isEmpty(planApply(wishFor(declaredVolume(), observation), observation))).toBe(true);
  });
});

describe("the UUID of a filesystem", () => {
  it("is the same each time, valid, and another one for another host, place or disk", () => {
    const place = fc.constantFrom("/var/lib/docker", "/var/lib/containerd");
    const text = fc.string({ unit: "grapheme-ascii" }).filter((one) => !one.includes("\n"));
    const input = fc.tuple(place, text, text);
    fc.assert(
      fc.property(input, input, (a, b) => {
        expect(uuidFor(...a)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(uuidFor(...a)).toBe(uuidFor(...[...a] as typeof a));
        expect(uuidFor(...a) === uuidFor(...b)).toBe(a.join("\n") === b.join("\n"));
      }),
    );
  });

  it("does not change with a release: disks carry it", () => {
    expect(uuidFor(data, disk, "6f4e5d4c3b2a19080706050403020100")).toMatchInlineSnapshot(`"33125f6c-b765-8254-8747-af1e3d0df552"`);
  });

  it.each<[string, Observation, Record<string, string>]>([
    ["is that of the wish before it is made", hostWith(), { [data]: ownUuid }],
    ["is that of the wish where the disk is not there", hostWith({ device: undefined }), { [data]: ownUuid }],
    ["is that of the wish beside somebody else's", hostWith({ device: device({ signatures: [signature("ext4", "backup", "0f3c")] }) }), { [data]: ownUuid }],
    ["is its own when it is adopted", hostWith({ device: device({ signatures: [{ ...whole, uuid: "0f3c" }] }) }), { [data]: "0f3c" }],
    ["is its own when it is mounted, whatever its label", moved({}, { seen: { signatures: [signature("ext4", "", "0f3c")] } }), { [data]: "0f3c" }],
    ["is not known of a disk that can't be looked at", hostWith({}, { volumes: { [data]: unknown("no") } }), {}],
  ])("%s", (_, observation, expected) => {
    expect(filesystemsOf(declaredVolume(), observation)).toEqual(expected);
  });
});

describe("what a move does to Docker", () => {
  const [web, db] = [container("web", { startedAt: "2026-11-01T00:00:00Z" }), container("db", { startedAt: "2026-11-02T00:00:00Z" })] as const;
  const busy: Partial<Observation> = { containers: known([web, db]), info: info({ Containers: 2 }) };

  it("stops the containers, live-restore or not: they hold open what has to move", () => {
    const args = declaredVolume("ext4", { daemon: { "live-restore": true } });
    for (const LiveRestoreEnabled of [true, false]) {
      expect(plan(hostWith({}, { ...busy, info: info({ Containers: 2, LiveRestoreEnabled }) }), args).docker).toMatchObject({ how: "restart", liveRestoreFirst: false, stop: [db.id, web.id], because: expect.arrayContaining([data]) as unknown });
    }
  });

  it("starts a daemon that is stopped, on the new filesystem", () => {
    const units = { ...defaultHost().units, "docker.service": { LoadState: "loaded", ActiveState: "inactive" } };
    expect(plan(hostWith({}, { units, info: unknown("docker.service is inactive"), containers: unknown("docker.service is inactive") })).docker.how).toBe("start");
  });

  it("of a mount that is mended stops nothing", () => {
    expect(plan(moved(busy, { options: ["rw"] })).docker).toMatchObject({ how: "nothing", stop: [] });
  });

  it.each<[string, HostArgs["allow"], string[]]>([
    ["not without consent", [], ["moving /var/lib/docker stops web, db, which are started again after it; to consent, add to this host: allow: [restart-containers]"]],
    ["with consent", ["restart-containers"], []],
  ])("is done %s", (_, allow, expected) => {
    const observation = hostWith({}, busy);
    const args = declaredVolume("ext4", { allow });
    expect(findings(wishFor(args, observation), observation, plan(observation, args), owner)).toEqual(expected);
  });
});

describe("audit rules", () => {
  const rule = (path: string): string => `-a always,exit -F arch=b64 -F dir=${path} -F perm=a -F key=docker`;
  const rules = [rule("/etc/docker"), rule(data), rule(`${data}/volumes`), rule(`${data}-not`)];
  const text = `# head\n${rules.join("\n")}\n`;
  const args = declaredVolume("ext4", { files: { [auditRulesFile]: text } });
  const inKernel = (host: Observation): Observation => ({
    ...host,
    files: { ...host.files, [auditRulesFile]: file(text) },
    present: [...host.present, `${data}/volumes`, `${data}-not`],
    auditRules: known(rules.map((one) => one.replace("b64", "b64 -S all"))),
  });

  it("at and below a mount point that moves are loaded again: they hold for the tree that they found", () => {
    expect(plan(inKernel(hostWith()), args).audit).toMatchObject({ add: [rules[1], rules[2]], remove: [rules[1], rules[2]] });
  });

  it("stay as they are where nothing moves", () => {
    expect(plan(inKernel(moved()), args).audit).toMatchObject({ add: [], remove: [] });
  });
});

describe("what a move has left", () => {
  const left: Partial<Observation> = { oldData: [{ name: "docker", bytes: 5, where: "aside" }] };
  const consent = declaredVolume("ext4", { allow: ["remove-old-data"] });

  it.each<[string, Observation, HostArgs, boolean]>([
    ["stays without consent", moved(left), declaredVolume(), false],
    ["goes with consent", moved(left), consent, true],
    ["goes with the move itself", hostWith(), consent, true],
    ["is nothing", moved(), consent, false],
    ["goes also where no volume is declared any more", moved(left), { ...consent, volumes: {} }, true],
  ])("%s", (_, observation, args, expected) => {
    expect(plan(observation, args).removeOldData).toBe(expected);
    if (!expected) expect(plan(observation, args).volumes).toEqual([]);
  });

  it("is work to do, though nothing else is", () => {
    expect(isEmpty(plan(moved(left), consent))).toBe(false);
    expect(isEmpty(plan(moved(), consent))).toBe(true);
  });
});

it("two volumes are two steps, in the order of their places", () => {
  const containerd = "/var/lib/containerd";
  const args = declaredVolume("ext4", { volumes: { [containerd]: { ...volume("xfs"), device: "/dev/vg0/c" }, [data]: volume() } });
  const facts = hostWith().volumes[data];
  const observation = defaultHost({ volumes: { ...(facts ? { [data]: facts, [containerd]: known({ device: device({ number: "252:0" }), place: containerd, data: { bytes: 7, entries: 1 }, missingTools: [] }) } : {}) }, mounts: known(mounts(mount("/boot", "8:2"))) });
  expect(steps(observation, args)).toMatchObject([
    { mountPoint: containerd, label: "drydock-ctrd", filesystem: "xfs", options: "nodev,pquota", unit: "var-lib-containerd.mount", bytes: 7 },
    { mountPoint: data, label: "drydock-data", filesystem: "ext4", options: "nodev" },
  ]);
});
