/** `npm run rollback -- <stack>`: the hosts get what an earlier update had applied, by a new one. docs/decisions/0061. */

import { RollbackError } from "../src/rollback/error.ts";
import { runCommand } from "./command.ts";
import { parseOptions, usage } from "./rollback/options.ts";
import { rollBack } from "./rollback/roll-back.ts";

await runCommand("rollback", [RollbackError], main);

async function main(args: string[]): Promise<number> {
  const options = parseOptions(args);
  if (!options) {
    console.log(usage);
    return 0;
  }
  return await rollBack(options);
}
