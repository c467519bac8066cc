/** Makes the tree of the light hosts where it is missing: a step of `npm run setup`. */

import { LabError } from "../settings.ts";
import { ensureBase } from "./base.ts";
import { whyNoLightHosts } from "./namespaces.ts";

try {
  await ensureBase((line) => console.log(`     ${line}`));
  const why = await whyNoLightHosts();
  if (why) console.log(`     ${why}`);
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  console.error(`     ${error.message}`);
  process.exitCode = 1;
}
