/** Makes the lab's image and frozen machine where they are missing: the last step of `npm run setup`. */

import { ensureImage } from "./machine-image.ts";
import { readSettings } from "./settings.ts";

const image = await ensureImage(readSettings(), (line) => console.log(`  ${line}`));
console.log(`  lab: ready, with ${image.accelerator} (${image.reason})`);
