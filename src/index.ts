/** Drydock as a library, for your own Pulumi program. All that is public stands here. */

export { checkFleet, type FleetProblem } from "./program/check-fleet.ts";
export { hardenFleet } from "./program/harden-fleet.ts";
export { Host } from "./provider/host.ts";
export type { HostArgs } from "./program/declare-host.ts";
export type { ConnectionArgs, FleetArgs, FleetHostArgs, LayerArgs } from "./program/fleet-args.ts";
export type { HostOutputs } from "./provider/outputs.ts";
