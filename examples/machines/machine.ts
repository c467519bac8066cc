/** Stands for a machine of your cloud: what it is reached by is known only when it has been made. */

import * as pulumi from "@pulumi/pulumi";

export interface MachineArgs {
  address: string;
  hostKey: string;
}

export class Machine extends pulumi.dynamic.Resource {
  declare readonly publicIp: pulumi.Output<string>;
  declare readonly publicKey: pulumi.Output<string>;

  constructor(name: string, args: MachineArgs) {
    super(provider, name, { ...args, publicIp: undefined, publicKey: undefined });
  }
}

const provider: pulumi.dynamic.ResourceProvider<MachineArgs, MachineArgs & { publicIp: string; publicKey: string }> = {
  create: (args) => Promise.resolve({ id: args.address, outs: { ...args, publicIp: args.address, publicKey: args.hostKey } }),
  diff: (_id, olds, news) => {
    const replaces = (["address", "hostKey"] as const).filter((key) => olds[key] !== news[key]);
    return Promise.resolve({ changes: replaces.length > 0, replaces });
  },
};
