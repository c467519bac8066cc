/** `npm run rollback -- <stack>`: the hosts get what an earlier update had applied, by a new one. docs/decisions/0061. */

import { RollbackError } from "../src/rollback/error.ts";
import { parseOptions, usage } from "./rollback/options.ts";
import { rollBack } from "./rollback/roll-back.ts";

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof RollbackError)) throw error;
  console.error(`rollback: ${error.message}`);
  process.exitCode = 1;
}

async function main(args: string[]): Promise<number> {
  const options = parseOptions(args);
  if (!options) {
    console.log(usage);
    return 0;
  }
  return await rollBack(options);
}
