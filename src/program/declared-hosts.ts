/** The hosts that a stack file or a program declares, each with what it should have. */

import { readFleet, StackFileError, type Fleet } from "../config/fleet.ts";
import { isTable, mergeLayers, type Table } from "../config/merge.ts";
import { showValue } from "../config/problems.ts";
import type { HostArgs } from "../desired/host-inputs.ts";
import { renderHost, TemplateError } from "../desired/render-host.ts";
import { allConfig, getStack, type Input, isSecret, Output, output, RunError } from "../sdk.ts";
import { plainSettings } from "./plain-settings.ts";

/** What is declared for one host, in values that the engine resolves before it asks the provider. */
export type DeclaredHost = Omit<HostArgs, "connection"> & { connection: Input<HostArgs["connection"]> };

/** Whether this came out of {@link renderFleet}: whatever else a program hands over is settings, and is checked as such. */
export const isDeclared = (args: object): args is DeclaredHost => declaredHosts.has(args);

/** Marks what was made of something that came out of {@link renderFleet}, or was once recorded of it. */
export function asDeclared<T extends DeclaredHost>(host: T): T {
  declaredHosts.add(host);
  return host;
}

/** @throws RunError with every mistake of the stack file */
export function declaredFleet(): Fleet {
  const source = `stacks/Pulumi.${getStack()}.yaml`;
  return printed(() => readFleet(readConfig(), source));
}

/** The same, where it can be read. */
export function readableFleet(): Fleet | undefined {
  try {
    return declaredFleet();
  } catch (error) {
    if (!RunError.isInstance(error)) throw error;
    return undefined;
  }
}

/**
 * @param settings of a program: as a stack file's, where values of a connection may be outputs
 * @param source names them in messages
 * @throws StackFileError with every mistake
 */
export function fleetOf(settings: unknown, source: string): Fleet {
  const plain = plainSettings(settings);
  if (isTable(plain)) return readFleet(plain, source);
  throw new StackFileError([`${showValue(plain)} is not allowed; allowed: settings as those of a stack file, { profile, defaults, groups, hosts, … }`], source);
}

/** Mistakes of people are printed as they are, mistakes of ours with their stack. */
export function printed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof StackFileError ? new RunError(error.message) : error;
  }
}

/**
 * By the host's name, in the order in which they were written. All hosts or none: a fleet of which a part was rendered would look
 * as if the rest had been removed.
 *
 * @throws RunError with every template's mistake
 */
export function renderFleet(fleet: Fleet): Map<string, DeclaredHost> {
  const options = fleet.templates === undefined ? {} : { templates: fleet.templates };
  const rendered = new Map<string, DeclaredHost>();
  const problems: string[] = [];
  for (const [name, settings] of fleet.hosts) {
    try {
      rendered.set(name, asDeclared(withLater(renderHost(settings, { ...options, host: name }), name, fleet.later.get(name))));
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      problems.push(error.message);
    }
  }
  if (problems.length > 0) throw new RunError(problems.join("\n"));
  return rendered;
}

// --- Internal ---

const prefix = "drydock:";

const declaredHosts = new WeakSet();

/** The engine resolves what is known only later, and `check` of the provider looks at what it has become. */
function withLater(args: HostArgs, host: string, later: Table | undefined): DeclaredHost {
  if (later === undefined) return args;
  const connection = mergeLayers({ ...args.connection }, openly(later, `${host}: connection`));
  return { ...args, connection: connection as unknown as Input<HostArgs["connection"]> };
}

/** The engine marks what comes from a secret, and the mark would be lost with the next look at the host. */
function openly(later: Table, place: string): Table {
  return Object.fromEntries(
    Object.entries(later).map(([key, value]) => {
      const at = `${place}.${key}`;
      if (!Output.isInstance(value)) return [key, isTable(value) ? openly(value, at) : value];
      const refused = output(isSecret(value)).apply((secret) => {
        if (secret) throw new RunError(`${at}: ${noSecret}; unwrap it with pulumi.unsecret if it is none`);
      });
      return [key, refused.apply(() => value)];
    }),
  );
}

const noSecret = "a secret can't stand here, since a host's inputs come back from the host in clear";

/** The stack file's `drydock:*` values; the engine hands out tables and lists as JSON. */
function readConfig(): Table {
  const values = Object.entries(allConfig()).filter(([key]) => key.startsWith(prefix));
  // The engine hands secrets out in clear and names them here (sdk/nodejs/runtime/config.ts).
  const secretKeys = JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]") as string[];
  const secret = values.map(([key]) => key).filter((key) => secretKeys.includes(key));
  if (secret.length > 0) throw new RunError(`${secret.join(", ")}: ${noSecret}; name key files by their path on the host`);
  return Object.fromEntries(values.map(([key, value]) => [key.slice(prefix.length), parsed(value)]));
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
