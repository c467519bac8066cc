/** The lab's image and frozen machine (lab/machine-image.ts) and the tree of the light hosts (lab/hosts), for which the right Node.js is there by now. */

import { join } from "node:path";
import { PROJECT, run, SetupError } from "./steps.mjs";

/** @returns {Promise<string>} */
export async function ensureLab() {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new SetupError(`the lab needs Linux on x86-64, this is ${process.platform} on ${process.arch}`, "npm run setup -- --no-lab");
  }
  const { code } = await run(join(PROJECT, "node_modules", ".bin", "node"), [join("lab", "prepare.ts")], { show: true });
  if (code !== 0) throw new SetupError("its image was not made, see above", "npm run setup (or, without the lab: npm run setup -- --no-lab)");
  return "its image is there";
}

/** @returns {Promise<string>} */
export async function ensureLightHosts() {
  const { code } = await run(join(PROJECT, "node_modules", ".bin", "node"), [join("lab", "hosts", "prepare.ts")], { show: true });
  if (code !== 0) throw new SetupError("their tree was not made, see above", "npm run setup (or, without the lab: npm run setup -- --no-lab)");
  return "their tree is there";
}
