/** The resource in a Pulumi program. */

import * as pulumi from "@pulumi/pulumi";
import type { HostArgs } from "../desired/host-inputs.ts";
import type { HostOutputs } from "./outputs.ts";

/** One Docker host in the state that its arguments declare. The name is the host's name in the stack file. */
export class Host extends pulumi.CustomResource {
  declare readonly engine: pulumi.Output<string>;
  declare readonly pending: pulumi.Output<string[]>;
  declare readonly foreignDaemonKeys: pulumi.Output<string[]>;
  declare readonly apparmor: pulumi.Output<Record<string, string>>;
  declare readonly cis: pulumi.Output<HostOutputs["cis"]>;
  declare readonly lastChange: pulumi.Output<HostOutputs["lastChange"]>;

  constructor(name: string, args: HostArgs, options?: pulumi.CustomResourceOptions) {
    const outputs = { engine: undefined, pending: undefined, foreignDaemonKeys: undefined, apparmor: undefined, cis: undefined, lastChange: undefined };
    super("drydock:index:Host", name, { ...args, ...outputs }, options);
    // With PULUMI_CONTINUE_ON_ERROR a host that failed rejects its outputs, and a rejection nobody awaits is printed, with a
    // stack, beside the provider's own message.
    for (const output of Object.values(this).filter((value) => pulumi.Output.isInstance(value))) pulumi.recover(output, () => undefined);
  }
}
