/**
 * From the values of a stack file to the settings of each host: every layer is checked, merged (profile, defaults, the
 * host's groups in its order, the host itself) and checked again as a whole. All mistakes are reported at once, each at
 * the place where it was written.
 */

import { z } from "zod";

import { containersSlice, crossCheck } from "./cross-checks.ts";
import { laterPaths, splitLater, whyNotLater } from "./later.ts";
import { hostSchema, layerSchema, stackSchema, type HostSettings } from "./layer.ts";
import { has, isTable, mergeAll, type Table, without, withoutNulls } from "./merge.ts";
import { hostName, hostNameAllowed } from "./names.ts";
import { didYouMean, explain, type Path, type Problem, schemaAt, showValue, StackFileError, wordProblems } from "./problems.ts";
import { profileNames, type ProfileName, profiles } from "./profiles.ts";
import { readWaves, rolloutSchema, type Rollout } from "./rollout.ts";
import { seccompFile } from "./seccomp.ts";
import { withPlainDays } from "./waivers.ts";

export type { HostSettings } from "./layer.ts";
export type { Rollout } from "./rollout.ts";
export { StackFileError } from "./problems.ts";

export interface Fleet {
  /** By the host's name in the stack file, in its order. */
  hosts: Map<string, HostSettings>;
  /** Absent: all hosts at once. */
  rollout?: Rollout;
  /** Values of a connection that are known only while the engine runs, by the host's name; `hosts` is without them. */
  later: Map<string, Table>;
  /** Folder with the user's own templates, as written. */
  templates?: string;
}

/**
 * @param raw the values of `drydock:profile`, `defaults`, `groups`, `hosts`, `rollout` and `templates`, without their prefix
 * @param source the file's name, for the headline of the error
 * @throws StackFileError with every mistake
 */
export function readFleet(raw: Record<string, unknown>, source?: string): Fleet {
  const reader = new Reader();
  const fleet = reader.read(raw);
  if (reader.problems.length > 0) throw new StackFileError(wordProblems(reader.problems), source, reader.problems);
  return fleet;
}

// --- Internal ---

const topKeys = Object.keys(stackSchema.shape);

interface LayerAt {
  at: Path;
  values: Table;
  /** Paths inside the layer that were wrong and are left out. */
  bad: string[][];
}

class Reader {
  readonly problems: Problem[] = [];
  readonly #later = new Map<string, Table>();

  read(raw: Record<string, unknown>): Fleet {
    for (const key of Object.keys(raw)) {
      if (!topKeys.includes(key)) this.problems.push({ path: [key], text: `unknown setting${didYouMean(key, topKeys) || `; known: ${topKeys.join(", ")}`}` });
    }
    const profile = this.readProfile(raw["profile"]);
    const defaults = this.readLayer(layerSchema, raw["defaults"] ?? {}, ["defaults"]);
    const groups = new Map(this.entries(raw["groups"], "groups").map(([name, value]) => [name, this.readLayer(layerSchema, value, ["groups", name])]));
    const written = this.entries(raw["hosts"], "hosts");
    if (Object.keys(isTable(raw["hosts"]) ? raw["hosts"] : {}).length === 0 && !Array.isArray(raw["hosts"])) {
      this.problems.push({ path: ["hosts"], text: "no host; name at least one" });
    }
    const hosts = new Map<string, HostSettings>();
    const groupsOfHosts = new Map<string, string[]>();
    for (const [name, value] of written) {
      const own = this.readLayer(hostSchema, value, ["hosts", name]);
      groupsOfHosts.set(name, (own.values["groups"] ?? []) as string[]);
      const layers = [{ at: ["profile"], values: profiles[profile], bad: [] }, defaults, ...this.groupsOf(name, own, groups), own];
      const settings = this.settle(name, layers, profile);
      if (settings) hosts.set(name, settings);
    }
    this.refuseTwins(hosts);
    const rollout = this.readRollout(raw["rollout"], groupsOfHosts, [...groups.keys()]);
    const templates = this.readTemplates(raw["templates"]);
    return { hosts, later: this.#later, ...(rollout && { rollout }), ...(templates !== undefined && { templates }) };
  }

  private readProfile(value: unknown): ProfileName {
    if (value === undefined || value === null) return "baseline";
    const known = profileNames.find((name) => name === value);
    if (known) return known;
    const near = typeof value === "string" ? didYouMean(value, profileNames) : "";
    this.problems.push({ path: ["profile"], text: `${showValue(value)} is not allowed; allowed: ${profileNames.join(", ")}${near}` });
    return "baseline";
  }

  private readRollout(value: unknown, hosts: ReadonlyMap<string, string[]>, groups: string[]): Rollout | undefined {
    if (value === undefined || value === null) return undefined;
    const { values } = this.readLayer(rolloutSchema, value, ["rollout"]);
    return readWaves(withoutNulls(values), { hosts, groups }, this.problems);
  }

  private readTemplates(value: unknown): string | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === "string" && value !== "") return value;
    this.problems.push({ path: ["templates"], text: `${showValue(value)} is not allowed; allowed: the path of a folder` });
    return undefined;
  }

  private entries(value: unknown, what: "groups" | "hosts"): [string, unknown][] {
    if (value === undefined || value === null) return [];
    if (!isTable(value)) {
      this.problems.push({ path: [what], text: `${showValue(value)} is not allowed; allowed: a table of ${what} by name` });
      return [];
    }
    return Object.entries(value).filter(([name]) => {
      if (hostName.test(name)) return true;
      this.problems.push({ path: [what, name], text: `not a name; allowed: ${hostNameAllowed}` });
      return false;
    });
  }

  private readLayer(schema: z.ZodObject, value: unknown, at: Path): LayerAt {
    const layer: LayerAt = { at, values: {}, bad: [] };
    const secrets = secureValues(value);
    for (const path of secrets) {
      this.problems.push({
        path: [...at, ...path],
        text: "a secure value would be copied into the state of the host; Drydock carries no secrets: name a path on the host",
      });
    }
    let values = secrets.reduce<unknown>(without, normalize(value ?? {}));
    layer.bad.push(...secrets.map(textOnly));
    for (const path of laterPaths(values)) {
      const text = whyNotLater(schema, path);
      if (text === undefined) continue;
      this.problems.push({ path: [...at, ...path], text });
      layer.bad.push(textOnly(path));
      values = without(values, textOnly(path)) ?? {};
    }
    // A key that nobody knows stays, to be worded as such.
    const known = laterPaths(values).filter((path) => schemaAt(schema, path)).reduce<unknown>(without, values);
    const checked = schema.safeParse(known);
    if (!checked.success) {
      const found = explain(schema, known, checked.error.issues, at);
      this.problems.push(...found);
      for (const { path } of found) {
        const inside = textOnly(path.slice(at.length));
        layer.bad.push(inside);
        values = without(values, inside);
      }
    }
    layer.values = isTable(values) ? values : {};
    return layer;
  }

  private groupsOf(name: string, own: LayerAt, groups: ReadonlyMap<string, LayerAt>): LayerAt[] {
    const wanted = (own.values["groups"] ?? []) as string[];
    return wanted.flatMap((group, index) => {
      const layer = groups.get(group);
      if (!layer) {
        const known = [...groups.keys()];
        const near = didYouMean(group, known) || (known.length > 0 ? `; known: ${known.join(", ")}` : "; drydock:groups names none");
        this.problems.push({ path: ["hosts", name, "groups", index], text: `no group ${showValue(group)}${near}` });
      }
      return layer ? [layer] : [];
    });
  }

  private settle(name: string, layers: LayerAt[], profile: ProfileName): HostSettings | undefined {
    const { known, later } = splitLater(withoutNulls(mergeAll(layers.map((layer) => layer.values))));
    const settings = complete(known);
    if (isTable(later["connection"])) this.#later.set(name, later["connection"]);
    const bad = layers.flatMap((layer) => layer.bad);
    const touched = (path: readonly string[]): boolean => bad.some((wrong) => overlaps(wrong, path));
    const { connection } = settings;
    const missing: string[][] = [];
    if ((connection as Partial<typeof connection>).host === undefined) missing.push(["connection", "host"]);
    if (connection.proxy && (connection.proxy as Partial<typeof connection>).host === undefined) missing.push(["connection", "proxy", "host"]);
    const absent = missing.filter((path) => !has(later, path));
    for (const path of absent.filter((lacking) => !touched(lacking))) {
      this.problems.push({ path: ["hosts", name, ...path], text: "is missing; allowed: a host name, an IP address or an alias of ssh_config" });
    }
    for (const { involves, text } of crossCheck(settings)) {
      if (involves.some(touched)) continue;
      const origins = involves.map((path) => ({ path, layer: layers.findLastIndex((layer) => has(layer.values, path)) }));
      const last = origins.reduce((best, origin) => (origin.layer > best.layer ? origin : best));
      const inherited = origins.filter((origin) => origin.layer === 0 && origin !== last).map((origin) => origin.path.slice(1).join("."));
      const note = inherited.length > 0 ? ` (${inherited.join(", ")} set by profile ${profile})` : "";
      const at = layers[last.layer]?.at ?? ["hosts", name];
      this.problems.push({ path: [...at, ...last.path], text: text + note, ...(at[0] === "hosts" ? {} : { host: name }) });
    }
    return absent.length > 0 ? undefined : settings;
  }

  /** One machine under two names would be hardened twice, and each name would undo the other. */
  private refuseTwins(hosts: ReadonlyMap<string, HostSettings>): void {
    const seen = new Map<string, string>();
    for (const [name, { connection }] of hosts) {
      const later = this.#later.get(name) ?? {};
      // Whether it is a twin is not known yet; on the machine the second one is refused.
      if (["host", "port", "proxy"].some((key) => key in later)) continue;
      const { host, port, proxy } = connection;
      const key = JSON.stringify([host.toLowerCase(), port, proxy?.host.toLowerCase(), proxy?.port]);
      const twin = seen.get(key);
      if (twin === undefined) seen.set(key, name);
      else this.problems.push({ path: ["hosts", name, "connection", "host"], text: `${showValue(host)} port ${port} is host ${twin} already; one machine, one name` });
    }
  }
}

/** `audit: false` is short for a table; `seccomp: builtin` takes away what an earlier layer set; one window is a list of one; a day is a text. */
function normalize(value: unknown): unknown {
  if (!isTable(value)) return value;
  const audit = typeof value["audit"] === "boolean" ? { audit: { enabled: value["audit"] } } : {};
  const seccomp = value["seccomp"] === "builtin" ? { seccomp: null } : {};
  const window = typeof value["window"] === "string" ? { window: [value["window"]] } : {};
  const waivers = "waivers" in value ? { waivers: withPlainDays(value["waivers"]) } : {};
  return { ...value, ...audit, ...seccomp, ...waivers, ...window };
}

/** What follows from the merged layers: the port, the slice, and the name inside each ulimit. */
function complete(merged: Table): HostSettings {
  const written = merged as Partial<HostSettings>;
  const daemon = { ...written.daemon };
  const limits = written.limits ?? {};
  if (limits.total !== undefined) daemon["cgroup-parent"] ??= containersSlice;
  if (written.seccomp !== undefined) daemon["seccomp-profile"] ??= seccompFile;
  const ulimits = daemon["default-ulimits"];
  if (ulimits) {
    daemon["default-ulimits"] = Object.fromEntries(Object.entries(ulimits).map(([name, limit]) => [name, { Name: name, ...limit }]));
  }
  const volume = completeVolume(written.volume);
  // The engine's own name for it; other options of the storage driver stay.
  if (volume?.containerSize !== undefined) daemon["storage-opts"] = [...(daemon["storage-opts"] ?? []), `overlay2.size=${volume.containerSize}`];
  const connection: Partial<HostSettings["connection"]> = { port: 22, ...written.connection };
  if (connection.proxy) connection.proxy = { ...connection.proxy, port: (connection.proxy as { port?: number }).port ?? 22 };
  const standard = { enabled: true, perm: "rwxa", dataPerm: "wa", abi32: true };
  return {
    connection: connection as HostSettings["connection"],
    daemon,
    audit: { ...standard, ...written.audit },
    limits,
    ...(volume === undefined ? {} : { volume }),
    apparmor: { container: false, profiles: {}, ...written.apparmor },
    ...(written.seccomp === undefined ? {} : { seccomp: written.seccomp }),
    ...(written.window === undefined ? {} : { window: written.window }),
    allow: written.allow ?? [],
    waivers: written.waivers ?? {},
    groups: written.groups ?? [],
    ...(written.prepare === undefined ? {} : { prepare: written.prepare }),
    ...(written.gate === undefined ? {} : { gate: written.gate }),
  };
}

/** The default filesystem, where there is a device to put it on. An empty table asks for nothing. */
function completeVolume(written: HostSettings["volume"]): HostSettings["volume"] {
  if (written === undefined || Object.keys(written).length === 0) return undefined;
  const volume = { ...written };
  if (volume.device !== undefined) volume.filesystem ??= "ext4";
  if (volume.containerd !== undefined) volume.containerd = { filesystem: "ext4", ...volume.containerd };
  return volume;
}

function secureValues(value: unknown, path: Path = []): Path[] {
  if (!isTable(value)) return [];
  if (typeof value["secure"] === "string" && Object.keys(value).length === 1) return [path];
  return Object.entries(value).flatMap(([key, inner]) => secureValues(inner, [...path, key]));
}

/** Up to the first list: a list with a wrong item is left out as a whole. */
function textOnly(path: Path): string[] {
  const list = path.findIndex((step) => typeof step === "number");
  return (list < 0 ? path : path.slice(0, list)) as string[];
}

function overlaps(a: readonly string[], b: readonly string[]): boolean {
  return a.slice(0, b.length).every((step, index) => step === b[index]);
}
