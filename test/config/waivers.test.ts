import { describe, expect, it } from "vitest";
import { readFleet } from "../../src/config/fleet.ts";
import { parseStackFile } from "../../src/config/stack-file.ts";
import { rendered, wishFor } from "../support/wish.ts";

const waiver = { reason: "no plugin yet", until: "2027-03-31" };
const connection = { host: "192.0.2.10" };
const waiversOf = (raw: Record<string, unknown>) => readFleet(raw).hosts.get("web1")?.waivers;

describe("waivers", () => {
  it("merge by id, and null takes one away", () => {
    const raw = {
      defaults: { waivers: { "2.12": waiver, "2.9": waiver } },
      groups: { web: { waivers: { "2.9": null, "2.2": waiver } } },
      hosts: { web1: { connection, groups: ["web"], waivers: { "2.12": { reason: "never", until: "2028-01-01" } } } },
    };
    expect(waiversOf(raw)).toEqual({ "2.12": { reason: "never", until: "2028-01-01" }, "2.2": waiver });
  });

  it("are none where nobody writes any", () => {
    expect(waiversOf({ hosts: { web1: { connection } } })).toEqual({});
  });

  it.each([
    ["a text", "2027-03-31"],
    ["a time, as JSON of Go's YAML reader", "2027-03-31T00:00:00Z"],
    ["a time, as the engine writes it into the stack file", "2027-03-31 00:00:00 +0000 UTC"],
    ["a Date", new Date("2027-03-31T00:00:00Z")],
  ])("end on a day that came as %s", (_what, until) => {
    expect(waiversOf({ hosts: { web1: { connection, waivers: { "2.12": { reason: "no plugin yet", until } } } } })).toEqual({ "2.12": waiver });
  });

  it("end on a day without quotes", () => {
    expect(waiversOf(parseStackFile('config:\n  drydock:hosts: { web1: { connection: { host: 192.0.2.10 }, waivers: { "2.12": { reason: no plugin yet, until: 2027-03-31 } } } }\n'))).toEqual({ "2.12": waiver });
  });

  it("never reach the host", () => {
    expect(wishFor(rendered({ waivers: { "2.12": waiver } }))).toEqual(wishFor(rendered()));
  });
});
