/**
 * The inputs of a host, taken apart: one value for each place that people know by name, e.g. `daemon.icc`,
 * `files./etc/audit/rules.d/50-drydock.rules`, `inEffect.limits.docker.service LimitNOFILE`.
 */

import { createHash } from "node:crypto";
import type { HostInputs, Json, JsonObject } from "../desired/host-inputs.ts";

export type Places = Map<string, Json>;

/** What a host is (`host`) and whether it could be read (`reachable`) is nobody's wish and no place. */
export function placesOf(inputs: Partial<HostInputs>): Places {
  const { services = {}, daemon = {}, apparmor = {}, limits = {}, mounts = {}, ...single } = inputs.inEffect ?? {};
  return new Map([
    ...below("connection", inputs.connection),
    ...(inputs.allow && inputs.allow.length > 0 ? [["allow", inputs.allow] satisfies [string, Json]] : []),
    ...(inputs.window && inputs.window.length > 0 ? [["window", inputs.window] satisfies [string, Json]] : []),
    ...below("daemon", inputs.daemon),
    ...below("files", inputs.files),
    ...below("modes", inputs.modes),
    ...below("volumes", inputs.volumes),
    ...below("inEffect.services", services),
    ...below("inEffect.daemon", daemon),
    ...below("inEffect.apparmor", apparmor),
    ...below("inEffect.limits", limits),
    ...below("inEffect.mounts", mounts),
    ...below("inEffect", single),
  ]);
}

/** By place, short: enough to tell whether a value is the one that was meant, not what it was. */
export function digestsOf(inputs: Partial<HostInputs>): Record<string, string> {
  return Object.fromEntries([...placesOf(inputs)].map(([place, value]) => [place, digestOf(value)]));
}

/** Of a place that has no value, too: that it is absent can be what was meant. */
export const digestOf = (value: Json | undefined): string => (value === undefined ? "absent" : createHash("sha256").update(canonical(value)).digest("hex").slice(0, 12));

// --- Internal ---

const below = (name: string, values: object | undefined): [string, Json][] => Object.entries((values ?? {}) as JsonObject).map(([key, value]) => [`${name}.${key}`, value]);

/** The engine keeps no order of keys. */
const canonical = (value: Json): string => JSON.stringify(value, (_, inner: Json) => (typeof inner === "object" && inner !== null && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner));
