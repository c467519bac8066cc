/** One look at a host, with everything that the wish for it makes worth looking at. */

import { auditedPaths, statPaths } from "../cis/evaluate.ts";
import type { HostArgs, HostInputs } from "../desired/host-inputs.ts";
import type { Observation } from "../observed/observation.ts";
import { observe } from "../remote/observe.ts";
import { auditCandidates } from "../plan/seen.ts";

export interface LookOptions {
  /** Over a connection of its own, after an apply: proves that a new one can be made, and tells the host so. */
  confirm?: boolean;
}

export async function look(wish: HostArgs | HostInputs, options: LookOptions = {}): Promise<Observation> {
  return observe(wish.connection, {
    files: [...Object.keys(wish.files), ...Object.keys(wish.modes), ...namedFiles(wish), ...statPaths],
    paths: [...new Set([...auditedPaths, ...auditCandidates(wish)])].sort(),
    ...(options.confirm ? { fresh: true, before: confirmation } : {}),
  });
}

// --- Internal ---

const confirmation = `[ ! -d /var/lib/drydock/current ] || date +%s >/var/lib/drydock/current/confirmed`;

/** Files of the user's that settings name by their path on the host: keys and certificates. */
function namedFiles({ daemon }: HostArgs): string[] {
  const logOpts = typeof daemon["log-opts"] === "object" ? (daemon["log-opts"] as Record<string, unknown>) : {};
  const named = [daemon.tlscacert, daemon.tlscert, daemon.tlskey, logOpts["syslog-tls-ca-cert"], logOpts["syslog-tls-cert"], logOpts["syslog-tls-key"]];
  return named.filter((path) => typeof path === "string");
}
