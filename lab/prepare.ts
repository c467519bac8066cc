/** Makes the lab's image and frozen machine where they are missing: the last step of `npm run setup`. */

import { ensureImage } from "./machine-image.ts";
import { LabError, readSettings } from "./settings.ts";

try {
  const image = await ensureImage(readSettings(), (line) => console.log(`     ${line}`));
  console.log(`     lab: ${image.accelerator === "kvm" ? "KVM" : "software emulation"}: ${image.reason}`);
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  console.error(`     ${error.message}`);
  process.exitCode = 1;
}
