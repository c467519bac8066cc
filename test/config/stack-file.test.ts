import { describe, expect, it } from "vitest";

import { parseStackFile } from "../../src/config/stack-file.ts";

describe("parseStackFile", () => {
  it("gives drydock's keys without their prefix, and leaves the others alone", () => {
    const text = "encryptionsalt: v1:x\nconfig:\n  drydock:profile: strict\n  aws:region: eu-1\n  drydock:hosts: { web1: {} }\n";
    expect(parseStackFile(text)).toEqual({ profile: "strict", hosts: { web1: {} } });
  });

  it("follows anchors and merge keys, as the engine does", () => {
    const text = "config:\n  drydock:groups:\n    a: &a { daemon: { mtu: 1 } }\n    b: { <<: *a, allow: [] }\n";
    expect(parseStackFile(text)).toEqual({ groups: { a: { daemon: { mtu: 1 } }, b: { daemon: { mtu: 1 }, allow: [] } } });
  });

  it("shows no line of a file that it can't read", () => {
    expect(() => parseStackFile("config: {\n  password: hunter2\n  [", "Pulumi.x.yaml")).toThrow(/^Pulumi\.x\.yaml: \d mistakes?\n(?!.*hunter2)/s);
  });
});
