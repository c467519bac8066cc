import { describe, expect, it } from "vitest";
import { atLeast, compareVersions } from "../../src/observed/engine-version.ts";
import { unknown } from "../../src/observed/records.ts";
import { defaultHost, info } from "../support/observation.ts";

describe("versions of the engine", () => {
  it.each([
    ["20.10.24+dfsg1", "20.10", 1],
    ["20.10", "20.10.0", 0],
    ["19.03.15", "20.10", -1],
    // As text, 9 would be larger than 28.
    ["28.5.2", "9.1", 1],
    ["23.0.0-rc.1", "23.0", 0],
    ["29.0.0", "29.0.0", 0],
  ])("%s compared with %s is %i", (a, b, sign) => {
    expect(Math.sign(compareVersions(a, b))).toBe(sign);
    expect(Math.sign(compareVersions(b, a))).toBe(sign === 0 ? 0 : -sign);
  });

  it("that can't be asked are no version at all", () => {
    expect(atLeast(defaultHost({ info: info({ ServerVersion: "24.0.7" }) }), "23.0")).toBe(true);
    expect(atLeast(defaultHost({ info: unknown("docker.service is inactive") }), "20.10")).toBe(false);
  });
});
