/** A provider of the same SDK as ours, whose resources are always as they were wished. */

import { main, type Provider } from "@pulumi/pulumi/provider/index.js";

const nothing: Provider = {
  version: "0.1.0",
  schema: JSON.stringify({ name: "floor", version: "0.1.0", resources: { "floor:index:Nothing": {} } }),
  check: (_urn, _olds, news: object) => Promise.resolve({ inputs: news }),
  diff: () => Promise.resolve({ changes: false }),
  create: (urn, inputs: object) => Promise.resolve({ id: urn.split("::").at(-1) ?? "", outs: inputs }),
  read: (id, _urn, props: object) => Promise.resolve({ id, inputs: props, props }),
  delete: () => Promise.resolve(),
};

await main(nothing, process.argv.slice(2));
