/** The process that the engine starts for a plugin: serves HostProvider over gRPC. */

import { main } from "@pulumi/pulumi/provider/index.js";
import { resetOptions } from "@pulumi/pulumi/runtime/settings.js";
import { HostProvider } from "./host-provider.ts";

// The last argument is the engine's address. Without this, pulumi.log in a provider prints nothing.
const engine = process.argv.find((argument) => /^\S+:\d+$/.test(argument)) ?? "";
resetOptions("drydock", "", 1, engine, "", false, "");
// An engine that was killed can't end us. A change that nobody records any more is not confirmed, and the host takes it back.
const engineProcess = process.ppid;
setInterval(() => {
  if (process.ppid !== engineProcess) process.exit(1);
}, 1000).unref();

await main(new HostProvider(), process.argv.slice(2));
