/** As many resources that do nothing as BENCH_HOSTS says. */

import * as pulumi from "@pulumi/pulumi";

class Nothing extends pulumi.CustomResource {
  constructor(name: string) {
    super("floor:index:Nothing", name, { port: 22 });
  }
}

for (let i = 1; i <= Number(process.env.BENCH_HOSTS ?? 1); i++) new Nothing(`host${i}`);
