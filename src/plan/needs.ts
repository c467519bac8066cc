/** What a wish needs of its host before anything is touched, in the words in which observe.sh is asked. */

import { logDestination } from "../config/log-destination.ts";
import { isBuiltInDriver } from "../config/log-options.ts";
import type { HostArgs, JsonObject } from "../desired/host-inputs.ts";

export type NeedKind = "program" | "module" | "socket" | "tcp" | "plugin";

export interface Need {
  kind: NeedKind;
  /** A name, a path, or host and port. */
  object: string;
}

export const needName = ({ kind, object }: Need) => `${kind} ${object}`;

export function needsOf({ daemon, files }: Pick<HostArgs, "daemon" | "files">): Need[] {
  const log = destinationOf(daemon);
  return [
    // Whether dockerd calls nft or a library for nftables is its maker's choice.
    ...((daemon.icc === false || daemon.iptables === true) && daemon["firewall-backend"] !== "nftables" ? [{ kind: "program" as const, object: "iptables" }] : []),
    ...wantedModules(files).map((object) => ({ kind: "module" as const, object })),
    ...(log ? [log] : []),
    ...[...new Set([...logPlugins(daemon), ...authorizationPlugins(daemon)])].map((object) => ({ kind: "plugin" as const, object })),
  ];
}

// --- Internal ---

function destinationOf(daemon: JsonObject): Need | undefined {
  const driver = daemon["log-driver"];
  const options = daemon["log-opts"];
  // Whose driver is the user's own keeps what it has.
  if (typeof driver !== "string") return undefined;
  const destination = logDestination(driver, typeof options === "object" && options !== null && !Array.isArray(options) ? options : {});
  if (!destination) return undefined;
  return destination.kind === "socket" ? { kind: "socket", object: destination.path } : { kind: "tcp", object: `${destination.host} ${destination.port}` };
}

/** modules-load.d(5) */
const wantedModules = (files: Record<string, string>) => (files["/etc/modules-load.d/drydock.conf"] ?? "").split("\n").filter((line) => /^[\w-]+$/.test(line));

function authorizationPlugins(daemon: JsonObject): string[] {
  const named = daemon["authorization-plugins"];
  return Array.isArray(named) ? named.filter((name) => typeof name === "string").filter(isPluginName) : [];
}

/** dockerd ends with a driver that it neither has nor finds (moby daemon/logger/factory.go, ValidateLogOpts): a slip of the pen is one. */
function logPlugins({ "log-driver": driver }: JsonObject): string[] {
  return typeof driver === "string" && !isBuiltInDriver(driver) && isPluginName(driver) ? [driver] : [];
}

/** It becomes part of a path on the host. */
const isPluginName = (name: string) => /^\w[\w.:/@-]*$/.test(name) && !name.includes("..");
