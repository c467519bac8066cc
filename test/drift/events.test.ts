import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readEvents } from "../../src/drift/events.ts";
import { gathered, linesOfStream } from "../support/drift.ts";

const event = (value: object) => JSON.stringify({ sequence: 1, timestamp: 1, ...value });
const urn = "urn:pulumi:prod::drydock::drydock:index:Host::web1";

describe("the engine's stream", () => {
  it("is gathered by host, with what the engine would do", () => {
    const { hosts, result, said, stray } = gathered("mixed");
    expect([...hosts.values()].map(({ name, op, before, after, wish }) => [name, op, !!before, !!after, !!wish]).sort()).toEqual([
      ["light1", "update", true, true, true],
      ["light2", "update", true, true, true],
      ["light3", "same", true, true, true],
      ["light4", "create", false, false, true],
    ]);
    expect({ result, said, stray }).toEqual({ result: "succeeded", said: [], stray: [] });
  });

  it("says which host a message is about", () => {
    expect(gathered("refused-and-removed").hosts.get("light4")?.said.map(({ severity }) => severity)).toEqual(["info", "error"]);
    expect(gathered("mistake-in-the-stack-file").said.map(({ message }) => message)).toEqual([expect.stringContaining("1 mistake")]);
  });

  it("has a result only when it is whole", () => {
    expect(readEvents(linesOfStream("mixed").filter((line) => !line.includes("summaryEvent"))).result).toBeUndefined();
  });

  it("keeps lines that are no events", () => {
    expect(readEvents(["error: no stack", "", "{}", "[1]", '"text"', event({})]).stray).toEqual(["error: no stack", "{}", "[1]", '"text"']);
  });

  it.each([
    ["debug lines of the SDK", { urn, severity: "debug", message: "Registering" }],
    ["a progress display's lines", { urn, severity: "info", message: "…", ephemeral: true }],
    ["empty lines", { urn, severity: "info", message: "\n" }],
  ])("leaves out %s", (_, diagnosticEvent) => {
    expect(readEvents([event({ diagnosticEvent })]).hosts.size).toBe(0);
  });

  it("names other resources that would change, and no values of theirs", () => {
    const step = (op: string, type: string, name: string) => event({ resourcePreEvent: { metadata: { op, type, urn: `urn:pulumi:prod::drydock::${type}::${name}`, new: { inputs: { stdin: "secret" } } } } });
    const { others } = readEvents([step("create", "command:remote:Command", "web1-gate"), step("same", "command:remote:Command", "web2-gate"), step("update", "pulumi:pulumi:Stack", "drydock-prod")]);
    expect(others).toEqual([{ op: "create", type: "command:remote:Command", name: "web1-gate" }]);
  });

  it("takes a violated policy and an engine's error for errors", () => {
    const { hosts, said } = readEvents([event({ policyEvent: { resourceUrn: urn, message: "no", enforcementLevel: "mandatory" } }), event({ policyEvent: { resourceUrn: urn, message: "hm", enforcementLevel: "advisory" } }), event({ errorEvent: { error: "boom" } })]);
    expect(hosts.get("web1")?.said).toEqual([{ severity: "error", message: "no" }]);
    expect(said).toEqual([{ severity: "error", message: "boom" }]);
  });

  it("never stops at a line, whatever it is", () => {
    const part = fc.record({ metadata: fc.record({ op: fc.constantFrom("refresh", "create", "update"), urn: fc.constantFrom(urn, "", "x"), old: fc.option(fc.jsonValue()), new: fc.option(fc.jsonValue()) }, { requiredKeys: [] }) }, { requiredKeys: [] });
    const line = fc.oneof(fc.string(), fc.json(), fc.record({ sequence: fc.nat(), resourcePreEvent: part, resOutputsEvent: part }, { requiredKeys: ["sequence"] }).map((value) => JSON.stringify(value)));
    fc.assert(fc.property(fc.array(line), (lines) => readEvents(lines.flatMap((text) => text.split("\n"))).hosts.size >= 0));
  });
});
