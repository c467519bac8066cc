/** The hosts that the stack file declares, each with what it should have. */

import { readFleet, StackFileError, type Fleet } from "../config/fleet.ts";
import type { HostArgs } from "../desired/host-inputs.ts";
import { renderHost, TemplateError } from "../desired/render-host.ts";
import { allConfig, getStack, RunError } from "../sdk.ts";

/** @throws RunError with every mistake of the stack file */
export function declaredFleet(): Fleet {
  try {
    return readFleet(readConfig(), `stacks/Pulumi.${getStack()}.yaml`);
  } catch (error) {
    // Mistakes of people are printed as they are, mistakes of ours with their stack.
    throw error instanceof StackFileError ? new RunError(error.message) : error;
  }
}

/**
 * By the host's name in the stack file, in its order. All hosts or none: a fleet of which a part was rendered would look as if the
 * rest had been removed.
 *
 * @throws RunError with every template's mistake
 */
export function renderFleet(fleet: Fleet): Map<string, HostArgs> {
  const options = fleet.templates === undefined ? {} : { templates: fleet.templates };
  const rendered = new Map<string, HostArgs>();
  const problems: string[] = [];
  for (const [name, settings] of fleet.hosts) {
    try {
      rendered.set(name, renderHost(settings, { ...options, host: name }));
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

/** The stack file's `drydock:*` values; the engine hands out tables and lists as JSON. */
function readConfig(): Record<string, unknown> {
  const values = Object.entries(allConfig()).filter(([key]) => key.startsWith(prefix));
  // The engine hands secrets out in clear and names them here (sdk/nodejs/runtime/config.ts).
  const secretKeys = JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]") as string[];
  const secret = values.map(([key]) => key).filter((key) => secretKeys.includes(key));
  if (secret.length > 0) throw new RunError(`${secret.join(", ")}: a secret can't stand here, since a host's inputs come back from the host in clear; name key files by their path on the host`);
  return Object.fromEntries(values.map(([key, value]) => [key.slice(prefix.length), parsed(value)]));
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
