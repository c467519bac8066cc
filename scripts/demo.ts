/**
 * `npm run demo`: a default Docker host becomes a hardened one before your eyes, is damaged, repaired and given back.
 *
 * With `--host user@name` it is a host of yours, which is only shown.
 */

import { LabError } from "../lab/settings.ts";
import { StackFileError } from "../src/config/fleet.ts";
import { RemoteScriptError, UnreachableError } from "../src/remote/ssh.ts";
import { DemoError, describeError } from "./demo/error.ts";
import { demoOnLab } from "./demo/lab-demo.ts";
import { parseOptions, usage } from "./demo/options.ts";
import { demoOnOwnHost } from "./demo/own-host.ts";
import { bold, catchInterrupt, isInterrupted, red, Steps } from "./demo/steps.ts";

/** What somebody can mend prints its message; anything else is a mistake of ours and keeps its stack. */
const expected = [DemoError, LabError, StackFileError, UnreachableError, RemoteScriptError];

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!isInterrupted() && !expected.some((kind) => error instanceof kind)) throw error;
  // What a command says that Ctrl-C ended is no news.
  console.error(`\n${red("demo:")} ${isInterrupted() ? "stopped" : describeError(error)}`);
  process.exitCode = isInterrupted() ? 130 : 1;
}

async function main(args: string[]): Promise<number> {
  const options = parseOptions(args);
  if (!options) {
    console.log(usage);
    return 0;
  }
  catchInterrupt();
  const steps = new Steps();
  let code = 0;
  if (options.host) code = await demoOnOwnHost(steps, options.host, options);
  else await demoOnLab(steps, options);
  console.log(`\n${bold(`The demo took ${steps.elapsed}.`)}`);
  return code;
}
