/** `prepare` and `gate`: shell scripts that run on a host before and after it is hardened, by `@pulumi/command`. */

import type { Finding } from "./cross-checks.ts";
import type { HostSettings } from "./layer.ts";
import { script, setting } from "./setting.ts";

export const commandKeys = {
  prepare: setting(script, {
    description: "Runs as root on the host before it is looked at, with `sh -e`: install a package, drain it. Again when this text changes; a failure leaves the host untouched.",
    initially: "nothing runs",
    cost: "nothing",
  }),
  gate: setting(script, {
    description: "Runs as root on the host after it was hardened, with `sh -e`: a smoke test. Again when this text changes and after each change of the host; the next wave waits for it.",
    initially: "nothing runs",
    cost: "nothing",
  }),
};

/** Their plugin connects by itself: it knows neither known_hosts nor ssh_config, and without a host key it trusts anybody. */
export function checkCommands({ connection, prepare, gate }: HostSettings): Finding[] {
  const written = [prepare === undefined ? [] : ["prepare"], gate === undefined ? [] : ["gate"]].flat();
  if (written.length === 0) return [];
  const lacking = (["hostKey", "user"] as const).flatMap((key) => [
    ...(connection[key] === undefined ? [`connection.${key}`] : []),
    ...(connection.proxy && connection.proxy[key] === undefined ? [`connection.proxy.${key}`] : []),
  ]);
  if (lacking.length === 0) return [];
  const paths = lacking.map((name) => name.split("."));
  return [{ involves: [...written.map((key) => [key]), ...paths], text: `${written.join(" and ")} ${written.length === 1 ? "needs" : "need"} ${lacking.join(", ")} in the stack file: @pulumi/command reads neither known_hosts nor ssh_config` }];
}
