/** A fleet in somebody's own program, before anything is registered. */

import { StackFileError } from "../config/problems.ts";
import { fleetOf } from "./declared-hosts.ts";
import type { FleetArgs } from "./fleet-args.ts";

/** One mistake in the settings of a fleet. */
export interface FleetProblem {
  /** Where it stands, e.g. `["hosts", "web1", "connection", "host"]`. */
  path: readonly (string | number)[];
  /** What is wrong with it, and what is allowed. */
  text: string;
  /** The host that it is a mistake for, when it stands where several hosts get it from. */
  host?: string;
}

/**
 * Every mistake that `hardenFleet` would refuse these settings for, without registering anything: for tests, and for programs that
 * have better names for the places than paths, e.g. lines of a table.
 */
export function checkFleet(fleet: FleetArgs): FleetProblem[] {
  try {
    fleetOf(fleet, "checkFleet");
    return [];
  } catch (error) {
    if (!(error instanceof StackFileError)) throw error;
    return error.places.length > 0 ? [...error.places] : error.problems.map((text) => ({ path: [], text }));
  }
}
