/** Hosts become resources of the engine, wave after wave. */

import type { Fleet, Rollout } from "../config/fleet.ts";
import { Host } from "../provider/host.ts";
import type { CustomResource, CustomResourceOptions } from "../sdk.ts";
import { announce } from "./announce.ts";
import { commandsOf, type HostCommands } from "./commands.ts";
import { asDeclared, type DeclaredHost } from "./declared-hosts.ts";
import { behind } from "./order.ts";

export interface RegisterOptions extends CustomResourceOptions {
  /** Absent: all hosts at once. */
  rollout?: Rollout;
  /** What runs before and after, by the host's name. */
  commands?: ReadonlyMap<string, HostCommands>;
}

/** A fleet as it was read: its hosts in its waves, with what runs before and after each. */
export const registerFleet = (fleet: Fleet, hosts: ReadonlyMap<string, DeclaredHost>, options: CustomResourceOptions = {}): Map<string, Host> =>
  registerHosts(hosts, { ...options, ...(fleet.rollout && { rollout: fleet.rollout }), commands: commandsOf(fleet.hosts, hosts) });

/** @param hosts by name, each with what it should have */
export function registerHosts(hosts: ReadonlyMap<string, DeclaredHost>, { rollout, commands, ...options }: RegisterOptions = {}): Map<string, Host> {
  const registered = new Map<string, Host>();
  const withCommands = (name: string, args: DeclaredHost, before: CustomResourceOptions): CustomResource[] => {
    const { prepare, gate } = commands?.get(name) ?? {};
    const prepared = prepare?.(before);
    const host = new Host(name, args, prepared ? behind([prepared], options) : before);
    registered.set(name, host);
    const passed = gate?.(host, behind([host], options));
    return [host, ...(passed ? [passed] : [])];
  };
  let before = options;
  const waves = rollout?.waves ?? [[...hosts.keys()]];
  for (const [index, names] of waves.entries()) {
    const followed = waves.slice(index + 1).flat().some((name) => hosts.has(name));
    const limits = rollout && { wave: index + 1, maxFailures: rollout.maxFailures, ...(rollout.maxParallel !== undefined && { maxParallel: rollout.maxParallel }), ...(followed && { followed }) };
    announce(names, hosts, options);
    const wave = names.flatMap((name) => {
      const args = hosts.get(name);
      return args ? withCommands(name, limits ? asDeclared({ ...args, rollout: limits }) : args, before) : [];
    });
    before = behind(wave, options);
  }
  // In the order of the stack file, whatever wave they are in.
  return new Map([...hosts.keys()].flatMap((name) => (registered.has(name) ? [[name, registered.get(name) as Host]] : [])));
}
