/**
 * `npm run setup`: makes this machine ready, from one that has only git, Node 20, npm, Go and apt.
 *
 * Plain JavaScript with nothing but Node's own modules, because it runs before anything is installed.
 * `--no-lab` leaves the lab out, for those who only want the tool or its unit tests.
 */

import { parseArgs } from "node:util";
import { ensureBrowser, ensureDebianPackages, LAB_PACKAGES, TOOL_PACKAGES } from "./setup/debian.mjs";
import { ensureLab, ensureLightHosts } from "./setup/lab.mjs";
import { ensureNode, ensureNpmPackages } from "./setup/npm.mjs";
import { ensurePulumi } from "./setup/pulumi.mjs";
import { runSteps } from "./setup/steps.mjs";

const { values } = parseArgs({ options: { "no-lab": { type: "boolean", default: false } } });
const lab = !values["no-lab"];

process.exitCode = await runSteps([
  { name: "Debian packages", run: () => ensureDebianPackages(lab ? [...TOOL_PACKAGES, ...LAB_PACKAGES] : TOOL_PACKAGES) },
  { name: "npm packages", run: ensureNpmPackages },
  { name: "Node.js", run: ensureNode },
  { name: "Pulumi", run: ensurePulumi },
  ...(lab ? [{ name: "Browser", run: ensureBrowser }, { name: "Lab machine", run: ensureLab }, { name: "Light hosts", run: ensureLightHosts }] : []),
]);
