/** The resource in a Pulumi program. */

import type { HostArgs } from "../desired/host-inputs.ts";
import { CustomResource, Output, recover, type CustomResourceOptions } from "../sdk.ts";
import type { HostOutputs } from "./outputs.ts";

/** One Docker host in the state that its arguments declare. The name is the host's name in the stack file. */
export class Host extends CustomResource {
  declare readonly engine: Output<string>;
  declare readonly generation: Output<number>;
  declare readonly pending: Output<string[]>;
  declare readonly foreignDaemonKeys: Output<string[]>;
  declare readonly apparmor: Output<Record<string, string>>;
  declare readonly cis: Output<HostOutputs["cis"]>;
  declare readonly lastChange: Output<HostOutputs["lastChange"]>;

  constructor(name: string, args: HostArgs, options?: CustomResourceOptions) {
    const outputs = { engine: undefined, generation: undefined, pending: undefined, foreignDaemonKeys: undefined, apparmor: undefined, cis: undefined, lastChange: undefined };
    super("drydock:index:Host", name, { ...args, ...outputs }, options);
    // With PULUMI_CONTINUE_ON_ERROR a host that failed rejects its outputs, and a rejection nobody awaits is printed, with a
    // stack, beside the provider's own message.
    for (const output of Object.values(this).filter((value) => Output.isInstance(value))) recover(output, () => undefined);
  }
}
