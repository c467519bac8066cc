import { describe, expect, it } from "vitest";
import { parseAppArmor, profileOf } from "../../src/observed/apparmor.ts";

const sum = "5cb6996b818758b3a064bad825275a7ddd7246d4";

describe("what the host says of AppArmor", () => {
  it("has profiles of ours, and the label of each process", () => {
    const text = [
      "enabled Y", "tool", "abi", "boot enabled",
      `profile drydock-web (enforce) ${sum} ${sum}`,
      `profile drydock-other (complain) ${sum} da39a3ee5e6b4b0d3255bfef95601890afd80709`,
      "profile drydock-old (enforce) - -",
      `profile drydock-web//null-/bin/sh (complain) ${sum} -`,
      "/proc/1/attr/current:unconfined",
      "/proc/812/attr/current:drydock-web (enforce)",
    ].join("\n");
    expect(parseAppArmor(`${text}\n`)).toEqual({
      enabled: true, tool: true, abi: true, boot: "enabled",
      profiles: { "drydock-web": { mode: "enforce", asOnDisk: true }, "drydock-other": { mode: "complain", asOnDisk: false }, "drydock-old": { mode: "enforce", asOnDisk: undefined } },
      labels: { 1: "unconfined", 812: "drydock-web (enforce)" },
    });
  });

  it("may be that there is none", () => {
    expect(parseAppArmor("enabled N\n")).toEqual({ enabled: false, tool: false, abi: false, boot: "disabled", profiles: {}, labels: {} });
  });

  it("is nothing when it was cut short", () => {
    expect(() => parseAppArmor("")).toThrow("no line `enabled`");
  });
});

it.each([["drydock-web (enforce)", "drydock-web"], ["unconfined", "unconfined"]])("the profile in the label %s is %s", (label, profile) => {
  expect(profileOf(label)).toBe(profile);
});
