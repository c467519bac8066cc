/** One host that a program declares by itself, outside of a fleet. */

import { readFleet, StackFileError, type Fleet } from "../config/fleet.ts";
import { isTable, type Table } from "../config/merge.ts";
import type { Input } from "../sdk.ts";
import { renderFleet, type DeclaredHost } from "./declared-hosts.ts";
import type { ConnectionArgs, FleetArgs, LayerArgs } from "./fleet-args.ts";
import { fleetError } from "./fleet-error.ts";
import { plainSettings } from "./plain-settings.ts";

/** The settings of one host. All but the values of `connection` must be known at once. */
export interface HostArgs extends LayerArgs, Pick<FleetArgs, "profile" | "templates"> {
  connection: ConnectionArgs & { host: Input<string> };
}

/**
 * @throws FleetError with every mistake
 * @internal
 */
export function declareHost(name: string, args: HostArgs): DeclaredHost {
  const declared = renderFleet(fleetOfOne(name, args)).get(name);
  if (!declared) throw new Error(`${name}: nothing was rendered`);
  return declared;
}

// --- Internal ---

/** Settings that say how hosts hang together. */
const ofFleets = ["groups"];

function fleetOfOne(name: string, args: unknown): Fleet {
  const plain = plainSettings(args);
  const { profile, templates, ...written }: Table = isTable(plain) ? plain : {};
  const own = Object.fromEntries(Object.entries(written).filter(([key]) => !ofFleets.includes(key)));
  const strangers = Object.keys(written).filter((key) => ofFleets.includes(key)).map((key) => ({ path: [key], text: "is not allowed for a host by itself; hardenFleet takes it" }));
  try {
    const fleet = readFleet({ profile, templates, hosts: { [name]: own } });
    if (strangers.length > 0) throw new StackFileError([]);
    return fleet;
  } catch (error) {
    throw fleetError(error, `new Host(${JSON.stringify(name)}, …)`, ["hosts", name], strangers);
  }
}
