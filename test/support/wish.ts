/** What a stack file asks of a host, small and whole, and the host that is just so. */

import { mergeAll } from "../../src/config/merge.ts";
import type { HostArgs, HostInputs, JsonObject } from "../../src/desired/host-inputs.ts";
import { renderHost } from "../../src/desired/render-host.ts";
import { readFleet } from "../../src/config/fleet.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { hostFacts } from "../../src/plan/seen.ts";
import { completeInputs } from "../../src/plan/wish.ts";
import { defaultHost } from "./observation.ts";

export const owner = { stack: "drydock/test", host: "web1" };

/** Declared by hand: nothing but what a test names. */
export function declared(change: Partial<HostArgs> = {}): HostArgs {
  return { connection: { host: "192.0.2.10", port: 22 }, allow: [], daemon: {}, files: {}, modes: {}, ...change };
}

/** Rendered from settings, as a stack file would have them. */
export function rendered(own: Record<string, unknown> = {}, profile = "strict"): HostArgs {
  const settings = readFleet({ profile, hosts: { web1: mergeAll([{ connection: { host: "192.0.2.10" } }, own]) } }).hosts.get("web1");
  if (!settings) throw new Error("no host web1");
  return renderHost(settings, { host: "web1" });
}

/** The wish for one host, completed by what that host is. */
export function wishFor(args: HostArgs, observation: Observation = defaultHost()): HostInputs {
  return completeInputs(args, hostFacts(observation, args));
}

/** A wish that asks only for keys of daemon.json. */
export const daemonWish = (daemon: JsonObject, observation?: Observation): HostInputs => wishFor(declared({ daemon }), observation);
