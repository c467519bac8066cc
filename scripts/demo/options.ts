/** What `npm run demo --` may be given. */

import { parseArgs } from "node:util";
import { describeError, DemoError } from "./error.ts";

export interface DemoOptions {
  /** A host of the user's own; without one a lab machine is started. */
  host: { host: string; port: number; user?: string } | undefined;
  /** Change the user's own host. */
  yes: boolean;
  /** Leave the lab machine as it is in the end. */
  keep: boolean;
  profile: "baseline" | "strict";
}

export const usage = `npm run demo                                hardens a throw-away lab machine, damages it, repairs it
npm run demo -- --keep                      the same, and leaves the machine up to look around
npm run demo -- --host ops@server           shows a host of yours and what would change; changes nothing
npm run demo -- --host ops@server:2222 --profile baseline
npm run demo -- --host ops@server --yes     and makes the change`;

/** @returns undefined when help was asked for. */
export function parseOptions(args: string[]): DemoOptions | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  if (values.profile !== "baseline" && values.profile !== "strict") throw new DemoError(`--profile ${values.profile}: allowed are baseline and strict`);
  if (values.yes && values.host === undefined) throw new DemoError("--yes is for a host of yours, with --host; a lab machine needs no consent");
  if (values.keep && values.host !== undefined) throw new DemoError("--keep is for the lab machine; a host of yours stays as it is anyway");
  return { host: values.host === undefined ? undefined : parseHost(values.host), yes: values.yes, keep: values.keep, profile: values.profile };
}

/** `ops@server`, `server:2222`, `ops@[2001:db8::1]:22`, an alias of ssh_config. */
export function parseHost(text: string): { host: string; port: number; user?: string } {
  const [, user, bracketed, plain, port] = /^(?:([^@\s]+)@)?(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9][A-Za-z0-9._-]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const number = Number(port ?? 22);
  if (host === undefined || number < 1 || number > 65535) {
    throw new DemoError(`--host ${text}: write it as user@name or user@name:port; an IPv6 address in brackets, user@[2001:db8::1]`);
  }
  return { host, port: number, ...(user === undefined ? {} : { user }) };
}

// --- Internal ---

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        host: { type: "string" },
        yes: { type: "boolean", default: false },
        keep: { type: "boolean", default: false },
        profile: { type: "string", default: "strict" },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (cause) {
    throw new DemoError(`${describeError(cause)}\n\n${usage}`, { cause });
  }
}
