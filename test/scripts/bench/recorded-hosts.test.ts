import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { recordedConfig, withOwner } from "../../../scripts/bench/recorded-hosts.ts";
import { parseObservation } from "../../../src/observed/observation.ts";
import { readFleet } from "../../../src/config/fleet.ts";
import { renderHost } from "../../../src/desired/render-host.ts";
import { hardenedArgs, recorded } from "../../support/recorded.ts";

it("gives a recorded host another owner, and nothing else", () => {
  const recording = readFileSync("test/fixtures/debian-12-hardened.observation");
  const observation = parseObservation(withOwner(recording, "stack drydock/many\nhost simulated17\n"));
  expect(observation).toEqual({ ...recorded("hardened"), owner: { stack: "drydock/many", host: "simulated17" } });
});

it("declares what the recorded host was hardened with, so that an update has nothing to do there", () => {
  const settings = readFleet(recordedConfig(1)).hosts.get("simulated1");
  if (!settings) throw new Error("no host simulated1");
  expect(renderHost(settings, { host: "simulated1" })).toEqual({ ...hardenedArgs(), connection: { host: "simulated1", port: 22 } });
  expect(recordedConfig(2)).toEqual({ profile: "strict", defaults: { allow: ["hide-containers"] }, hosts: { simulated1: { connection: { host: "simulated1" } }, simulated2: { connection: { host: "simulated2" } } } });
});
