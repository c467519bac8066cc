/**
 * What a stack file may say under `daemon`: every key that Docker documents for daemon.json on Linux, spelled as there.
 *
 * Compared with the flags and JSON tags of the engine's source, 20.10 to 29.8. Not among them: keys that are documented
 * but refused by every engine as "no configuration option" (containerd-plugin-namespace, resolv-conf, default-init).
 */

import { z } from "zod";

import { loggingKeys } from "./daemon/logging.ts";
import { networkKeys } from "./daemon/network.ts";
import { securityKeys } from "./daemon/security.ts";
import { serviceKeys } from "./daemon/service.ts";
import { storageKeys } from "./daemon/storage.ts";
import { aboutOf, type Cost, type Settled } from "./setting.ts";

export const daemonSchema = z
  .strictObject({ ...securityKeys, ...networkKeys, ...loggingKeys, ...storageKeys, ...serviceKeys })
  .meta({ allowed: "a table of keys of daemon.json" });

/** Keys of daemon.json after merging; nothing is `null` any more. */
export type DaemonSettings = Settled<z.infer<typeof daemonSchema>>;

/** First engine version that knows a key, for keys that 20.10 doesn't know: it would refuse to start. */
export const daemonKeySince: Readonly<Record<string, string>> = collect((about) => about.since);

/** First engine version that refuses to start with a key that older ones know. */
export const daemonKeyUntil: Readonly<Record<string, string>> = collect((about) => about.until);

/** What a changed value of a key costs on a live host; `containers made again` includes a restart of the daemon. */
export const daemonKeyCost: Readonly<Record<string, Cost>> = collect((about) => about.cost);

function collect<T>(pick: (about: ReturnType<typeof aboutOf>) => T | undefined): Record<string, T> {
  const found = Object.entries(daemonSchema.shape).flatMap(([key, schema]): [string, T][] => {
    const value = pick(aboutOf(schema));
    return value === undefined ? [] : [[key, value]];
  });
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}
