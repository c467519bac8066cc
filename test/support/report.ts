/** Reports of the recorded hosts: the default one, the hardened one, and one that can't be reached. */

import type { Waivers } from "../../src/config/waivers.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { hostFacts } from "../../src/plan/seen.ts";
import { completeInputs } from "../../src/plan/wish.ts";
import { buildReport, type Report, type SeenInput, type UnreachableInput } from "../../src/report/model.ts";
import { hardenedArgs, recorded } from "./recorded.ts";

export const now = new Date("2026-11-23T12:00:00.000Z");

export const noPlugin = { reason: "no plugin yet", until: "2027-03-31" };

export function seen(name: string, observation: Observation, waivers: Waivers = {}): SeenInput {
  const args = hardenedArgs();
  return { name, address: "ops@192.0.2.10:22", waivers, observation, wish: completeInputs(args, hostFacts(observation, args)) };
}

export const unreachable: UnreachableInput = { name: "db1", address: "ops@192.0.2.12:22", reason: "ops@192.0.2.12: connect to host 192.0.2.12 port 22: No route to host" };

export function recordedReport(): Report {
  return buildReport([seen("web1", recorded("default"), { "2.12": { ...noPlugin, until: "2026-10-31" } }), seen("web2", recorded("hardened"), { "2.12": noPlugin, "2.2": noPlugin }), unreachable], { stack: "prod", now });
}
