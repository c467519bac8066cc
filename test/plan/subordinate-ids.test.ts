import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { overlaps, parseRanges, planSubordinateIds, rangeSize, remapUser } from "../../src/plan/subordinate-ids.ts";
import { unknown } from "../../src/observed/records.ts";
import { defaultHost, info } from "../support/observation.ts";

const range = fc.record({ user: fc.constantFrom("ops", "dev", "dockremap"), start: fc.nat(500_000), count: fc.integer({ min: 1, max: 70_000 }) });
const ranges = fc.array(range, { maxLength: 6 }).map((items) => items.map(({ user, start, count }) => `${user}:${start}:${count}\n`).join(""));

describe("ranges that are planned", () => {
  it("share no id with any other range, above those of real users, and are enough afterwards", () => {
    fc.assert(
      fc.property(ranges, ranges, fc.boolean(), (subordinateUids, subordinateGids, exists) => {
        const host = defaultHost({ subordinateUids, subordinateGids, users: exists ? ["root", "dockremap"] : ["root"] });
        const plan = planSubordinateIds("default", host);
        for (const [text, added] of [[subordinateUids, plan?.uids ?? []], [subordinateGids, plan?.gids ?? []]] as const) {
          for (const own of parseRanges(added.join("\n"))) {
            expect(own).toMatchObject({ user: "dockremap", count: rangeSize });
            expect(own.start).toBeGreaterThanOrEqual(100_000);
            expect(parseRanges(text).filter(({ start, count }) => start < own.start + own.count && own.start < start + count)).toEqual([]);
          }
        }
        const after = defaultHost({
          subordinateUids: `${subordinateUids}${(plan?.uids ?? []).join("\n")}`,
          subordinateGids: `${subordinateGids}${(plan?.gids ?? []).join("\n")}`,
          users: ["root", "dockremap"],
        });
        expect(planSubordinateIds("default", after)).toBeUndefined();
      }),
    );
  });

  it("begin at the same id in both files", () => {
    expect(planSubordinateIds("default", defaultHost({ subordinateUids: "ops:100000:65536\n", subordinateGids: "ops:100000:131072\n" }))).toEqual({
      user: "dockremap",
      createUser: true,
      uids: ["dockremap:231072:65536"],
      gids: ["dockremap:231072:65536"],
    });
  });

  it.each<[string, Parameters<typeof defaultHost>[0], ReturnType<typeof planSubordinateIds>]>([
    ["none where user and ranges are there", { subordinateUids: "dockremap:1:65536\n", subordinateGids: "dockremap:1:65536\n", users: ["dockremap"] }, undefined],
    ["the user alone", { subordinateUids: "dockremap:1:65536\n", subordinateGids: "dockremap:1:65536\n" }, { user: "dockremap", createUser: true, uids: [], gids: [] }],
    ["one file alone, by the range of the other", { subordinateUids: "dockremap:100000:65536\n", users: ["dockremap"] }, { user: "dockremap", createUser: false, uids: [], gids: ["dockremap:100000:65536"] }],
    ["one file alone, by another range where somebody has that one", { subordinateUids: "dockremap:100000:65536\n", subordinateGids: "ops:165000:65536\n", users: ["dockremap"] }, { user: "dockremap", createUser: false, uids: [], gids: ["dockremap:230536:65536"] }],
    ["one file alone, never by ids of real users or root", { subordinateUids: "dockremap:0:65536\n", users: ["dockremap"] }, { user: "dockremap", createUser: false, uids: [], gids: ["dockremap:100000:65536"] }],
    // Two ranges of one user that share ids: the kernel takes no such map, and no container would start.
    ["another one beside one that is too small", { subordinateUids: "dockremap:100000:1000\n", subordinateGids: "dockremap:100000:65536\n", users: ["dockremap"] }, { user: "dockremap", createUser: false, uids: ["dockremap:165536:65536"], gids: [] }],
  ])("are %s", (_, host, plan) => {
    expect(planSubordinateIds("dockremap", defaultHost(host))).toEqual(plan);
  });

  it.each<[string, Parameters<typeof defaultHost>[0], string]>([
    ["is the one that the running daemon uses: another would hide all images and containers", {}, "dockremap:231072:65536"],
    ["is another one where somebody has taken it", { subordinateUids: "ops:231072:65536\n" }, "dockremap:296608:65536"],
    ["is the next one where nobody can ask the daemon", { info: unknown("docker.service is inactive") }, "dockremap:100000:65536"],
  ])("in place of lost lines %s", (_, change, line) => {
    const host = defaultHost({ users: ["dockremap"], info: info({ SecurityOptions: ["name=userns"], DockerRootDir: "/var/lib/docker/231072.231072" }), ...change });
    expect(planSubordinateIds("dockremap", host)).toEqual({ user: "dockremap", createUser: false, uids: [line], gids: [line] });
  });
});

describe("the user of userns-remap", () => {
  it.each([
    ["default", "dockremap"],
    ["ops", "ops"],
    ["ops:staff", "ops"],
    ["", undefined],
    [undefined, undefined],
    [true, undefined],
  ])("%j is %s", (value, user) => {
    expect(remapUser(value)).toBe(user);
  });
});

describe("ranges that overlap", () => {
  it.each([
    ["none", "ops:100000:65536\ndockremap:165536:65536\n", []],
    ["by one id", "ops:100000:65537\ndockremap:165536:65536\n", ["dockremap:165536:65536 and ops:100000:65537"]],
    ["one inside the other", "dockremap:100000:65536\nops:110000:10\n", ["dockremap:100000:65536 and ops:110000:10"]],
    ["of the same user", "dockremap:100000:65536\ndockremap:100000:65536\n", []],
    ["of two others", "a:1:10\nb:1:10\ndockremap:100000:65536\n", []],
    ["in lines that are none", "# dockremap:1:5\nops\nops:x:5\ndockremap:1:5\n", []],
  ])("%s", (_, text, pairs) => {
    expect(overlaps(text, "dockremap")).toEqual(pairs);
  });
});
