/** Hosts become resources of the engine, wave after wave. */

import type { Rollout } from "../config/fleet.ts";
import type { HostArgs } from "../desired/host-inputs.ts";
import { Host } from "../provider/host.ts";
import type { CustomResource, CustomResourceOptions } from "../sdk.ts";
import type { HostCommands } from "./commands.ts";
import { after } from "./order.ts";

export interface RegisterOptions extends CustomResourceOptions {
  /** Absent: all hosts at once. */
  rollout?: Rollout;
  /** What runs before and after, by the host's name. */
  commands?: ReadonlyMap<string, HostCommands>;
}

/** @param hosts by name, each with what it should have */
export function registerHosts(hosts: ReadonlyMap<string, HostArgs>, { rollout, commands, ...options }: RegisterOptions = {}): Map<string, Host> {
  const registered = new Map<string, Host>();
  const withCommands = (name: string, args: HostArgs, before: CustomResourceOptions): CustomResource[] => {
    const { prepare, gate } = commands?.get(name) ?? {};
    const prepared = prepare?.(before);
    const host = new Host(name, args, prepared ? { ...options, dependsOn: after([prepared], options.parent) } : before);
    registered.set(name, host);
    const passed = gate?.(host, { ...options, dependsOn: after([host], options.parent) });
    return [host, ...(passed ? [passed] : [])];
  };
  let before = options;
  for (const [index, names] of (rollout?.waves ?? [[...hosts.keys()]]).entries()) {
    const limits = rollout && { wave: index + 1, maxFailures: rollout.maxFailures, ...(rollout.maxParallel !== undefined && { maxParallel: rollout.maxParallel }) };
    const wave = names.flatMap((name) => {
      const args = hosts.get(name);
      return args ? withCommands(name, limits ? { ...args, rollout: limits } : args, before) : [];
    });
    before = { ...options, dependsOn: after(wave, options.parent) };
  }
  // In the order of the stack file, whatever wave they are in.
  return new Map([...hosts.keys()].flatMap((name) => (registered.has(name) ? [[name, registered.get(name) as Host]] : [])));
}
