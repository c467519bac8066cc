/** The resource in a Pulumi program. */

import { declareHost, type HostArgs } from "../program/declare-host.ts";
import { isDeclared, type DeclaredHost } from "../program/declared-hosts.ts";
import { withoutRejections } from "../program/order.ts";
import { CustomResource, type CustomResourceOptions, type Output } from "../sdk.ts";
import { hostType } from "../urn.ts";
import type { HostOutputs } from "./outputs.ts";

/** One Docker host in the state that its settings declare. Its name is the host's name in every message. */
export class Host extends CustomResource {
  /** Version of the Docker engine; `unknown: <reason>` when it could not be asked. */
  declare readonly engine: Output<string>;
  /** The number of the last change of it, as under /var/lib/drydock/generations; 0 when there was none. */
  declare readonly generation: Output<number>;
  /** What is right on disk and can't be in effect yet, each with what it waits for. */
  declare readonly pending: Output<string[]>;
  /** Keys of daemon.json that are the user's own and were left alone. */
  declare readonly foreignDaemonKeys: Output<string[]>;
  /** The AppArmor profile that confines each running container, by the container's name. */
  declare readonly apparmor: Output<Record<string, string>>;
  /** The CIS benchmark in numbers, and the failing controls by id and title. */
  declare readonly cis: Output<HostOutputs["cis"]>;
  /** What the last update changed on the host, as unified diffs, and what it cost there. */
  declare readonly lastChange: Output<HostOutputs["lastChange"]>;

  /**
   * @param args the settings of this host; `hardenFleet` also finds one machine under two names
   * @throws RunError with every mistake
   */
  constructor(name: string, args: HostArgs, options?: CustomResourceOptions);
  /** @internal What `renderFleet` made of the settings of a fleet. */
  // eslint-disable-next-line @typescript-eslint/unified-signatures -- the declarations are to show only the first
  constructor(name: string, declared: DeclaredHost, options?: CustomResourceOptions);
  constructor(name: string, args: HostArgs | DeclaredHost, options?: CustomResourceOptions) {
    const declared = isDeclared(args) ? args : declareHost(name, args);
    const outputs = { engine: undefined, generation: undefined, pending: undefined, foreignDaemonKeys: undefined, apparmor: undefined, cis: undefined, lastChange: undefined };
    super(hostType, name, { ...declared, ...outputs }, options);
    withoutRejections(this);
  }
}
