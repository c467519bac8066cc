/** `prepare` and `gate` of a host, as `remote.Command`s of `@pulumi/command`. */

import { createRequire } from "node:module";
import type { remote } from "@pulumi/command";
import type { HostSettings } from "../config/fleet.ts";
import type { Endpoint } from "../config/connection.ts";
import type { Host } from "../provider/host.ts";
import type { DeclaredHost } from "./declared-hosts.ts";
import { withoutRejections } from "./order.ts";
import { becomeRoot } from "../remote/ssh.ts";
import { isDryRun, log, output, recover, RunError, secret, type CustomResource, type CustomResourceOptions } from "../sdk.ts";

/** What runs on one host besides its own resource; each registers a resource. */
export interface HostCommands {
  prepare?: (options: CustomResourceOptions) => CustomResource;
  gate?: (host: Host, options: CustomResourceOptions) => CustomResource;
}

/**
 * Of the hosts that have any, by name.
 *
 * @throws RunError in an update, when the plugin could not log in to a host: it gets keys from an agent alone
 */
export function commandsOf(hosts: ReadonlyMap<string, HostSettings>, declared: ReadonlyMap<string, DeclaredHost> = new Map()): Map<string, HostCommands> {
  const having = [...hosts].filter(([, { prepare, gate }]) => prepare !== undefined || gate !== undefined);
  if (having.length === 0) return new Map();
  assertAgent(having.map(([name]) => name));
  // Only now: it loads the whole SDK, half a second.
  const { remote } = createRequire(import.meta.url)("@pulumi/command") as typeof import("@pulumi/command");
  return new Map(
    having.map(([name, { connection, prepare, gate }]) => {
      // Parts of it may be known only when other resources are made.
      const login = output(declared.get(name)?.connection ?? connection).apply(connectionArgs) as unknown as remote.CommandArgs["connection"] & object;
      const run = (step: string, script: string, triggers: unknown[], options: CustomResourceOptions): CustomResource =>
        withoutRejections(new remote.Command(`${name}-${step}`, { connection: login, create: becomeRoot(shell), stdin: secret(stdin(script)), triggers }, options));
      return [
        name,
        {
          ...(prepare === undefined ? {} : { prepare: (options) => run("prepare", prepare, [], options) }),
          // A host that failed has no generation; the engine leaves its gate out.
          ...(gate === undefined ? {} : { gate: (host, options) => run("gate", gate, [recover(host.generation, () => 0)], options) }),
        },
      ];
    }),
  );
}

// --- Internal ---

/** The plugin waits for ever, so the host has to set a limit: an hour. */
const shell = "timeout 3600 sh -es";

/** A shell reads its stdin in blocks and would hand the rest to the commands it runs: it must have parsed all before. */
const stdin = (script: string): string => `{\n${script}\n} </dev/null\n`;

function connectionArgs({ connectTimeout, proxy, ...endpoint }: HostSettings["connection"]): remote.CommandArgs["connection"] & object {
  return {
    ...endpointArgs(endpoint),
    ...(connectTimeout === undefined ? {} : { perDialTimeout: connectTimeout }),
    ...(proxy === undefined ? {} : { proxy: endpointArgs(proxy) }),
  };
}

/** Without the socket of the agent, which the plugin finds in SSH_AUTH_SOCK itself: in the state it would be another one at each login. */
function endpointArgs({ host, port, user, hostKey }: Endpoint) {
  return { host, port, ...(user === undefined ? {} : { user }), ...(hostKey === undefined ? {} : { hostKey }) };
}

/** A preview runs none of them, and drift is looked for in jobs that have no agent. */
function assertAgent(hosts: string[]): void {
  if ((process.env.SSH_AUTH_SOCK ?? "") !== "") return;
  const text = `prepare and gate (${hosts.join(", ")}) need an SSH agent, and SSH_AUTH_SOCK names none: @pulumi/command would need the private key itself, which must not get into Pulumi's state; start one with: eval "$(ssh-agent)" && ssh-add`;
  if (!isDryRun()) throw new RunError(text);
  void log.warn(text);
}
