/** One host that a program declares by itself, outside of a fleet. */

import { readFleet, StackFileError, type Fleet } from "../config/fleet.ts";
import { isTable, type Table } from "../config/merge.ts";
import { hostName, hostNameAllowed } from "../config/names.ts";
import { type Problem, showValue, wordProblems } from "../config/problems.ts";
import type { Input } from "../sdk.ts";
import { printed, renderFleet, type DeclaredHost } from "./declared-hosts.ts";
import type { ConnectionArgs, FleetArgs, LayerArgs } from "./fleet-args.ts";
import { plainSettings } from "./plain-settings.ts";

/** The settings of one host. All but the values of `connection` must be known at once. */
export interface HostArgs extends LayerArgs, Pick<FleetArgs, "profile" | "templates"> {
  connection: ConnectionArgs & { host: Input<string> };
}

/**
 * @throws RunError with every mistake
 * @internal
 */
export function declareHost(name: string, args: HostArgs): DeclaredHost {
  const declared = renderFleet(printed(() => fleetOfOne(name, args))).get(name);
  if (!declared) throw new Error(`${name}: nothing was rendered`);
  return declared;
}

// --- Internal ---

/** Settings that say how hosts hang together. */
const ofFleets = ["groups", "prepare", "gate"];

function fleetOfOne(name: string, args: unknown): Fleet {
  const plain = plainSettings(args);
  const { profile, templates, ...written }: Table = isTable(plain) ? plain : {};
  const own = Object.fromEntries(Object.entries(written).filter(([key]) => !ofFleets.includes(key)));
  const problems: Problem[] = Object.keys(written)
    .filter((key) => ofFleets.includes(key))
    .map((key) => ({ path: [key], text: "is not allowed for a host by itself; hardenFleet takes it" }));
  if (!hostName.test(name)) problems.unshift({ path: ["name"], text: `${showValue(name)} is not allowed; allowed: ${hostNameAllowed}` });
  // Under another name the rest is checked all the same.
  const known = hostName.test(name) ? name : "host";
  try {
    const fleet = readFleet({ profile, templates, hosts: { [known]: own } });
    if (problems.length === 0) return fleet;
  } catch (error) {
    if (!(error instanceof StackFileError)) throw error;
    // The place in the arguments, not in the fleet that was made of them.
    problems.push(...error.places.map((problem) => ({ ...problem, path: problem.path[0] === "hosts" ? problem.path.slice(2) : problem.path })));
  }
  throw new StackFileError(wordProblems(problems), `new Host(${showValue(name)}, …)`);
}
