/** Debian packages: asked for by name, installed where they are missing. */

import { lastLines, run, SetupError } from "./steps.mjs";

/** What Drydock and its checks call. */
export const TOOL_PACKAGES = ["openssh-client", "shellcheck"];

/** What makes and runs a lab machine, and light hosts. */
export const LAB_PACKAGES = ["qemu-system-x86", "qemu-utils", "mmdebstrap", "debian-archive-keyring", "e2fsprogs", "cpio", "iproute2"];

/** A browser, for the tests of the report's page. Ubuntu has it as a snap only, which not every machine can have. */
const BROWSER = "chromium";

/**
 * Never fails: without a browser the tests that need one are skipped, and say so.
 * @returns {Promise<string>}
 */
export async function ensureBrowser() {
  const found = await run("sh", ["-c", "command -v chromium || command -v chromium-browser || command -v google-chrome"]);
  if (found.code === 0) return found.output.trim();
  try {
    return await ensureDebianPackages([BROWSER]);
  } catch (error) {
    return `none, so tests of the report's page will be skipped: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/**
 * @param {string[]} wanted
 * @returns {Promise<string>}
 */
export async function ensureDebianPackages(wanted) {
  const missing = missingPackages(wanted, (await query(wanted)).output);
  if (missing.length === 0) return `all ${wanted.length} are there`;
  const root = process.getuid?.() === 0;
  const apt = root ? ["apt-get"] : ["sudo", "apt-get"];
  const fix = `${apt.join(" ")} update && ${apt.join(" ")} install ${missing.join(" ")}`;
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  // Lists that are older than the mirror name files that are gone there.
  for (const args of [["update", "-qq"], ["install", "-qq", "--yes", "--no-install-recommends", ...missing]]) {
    const [command = "", ...rest] = [...apt, ...args];
    const { code, output } = await run(command, rest, { env });
    if (code !== 0) throw new SetupError(`not installed: ${missing.join(", ")}. apt-get ${args[0]}: ${lastLines(output)}`, fix);
  }
  const still = missingPackages(missing, (await query(missing)).output);
  if (still.length > 0) throw new SetupError(`apt-get installed without complaint, but these are missing: ${still.join(", ")}`, fix);
  return `installed ${missing.join(", ")}; the other ${wanted.length - missing.length} were there`;
}

/** @param {string[]} wanted */
async function query(wanted) {
  const result = await run("dpkg-query", ["--show", "--showformat=${Package} ${db:Status-Status}\\n", ...wanted]);
  if (result.code === 127) {
    throw new SetupError(
      `this system has no dpkg; needed are the programs of ${wanted.join(", ")}`,
      "set up on Debian or Ubuntu, in a virtual machine or a container",
    );
  }
  return result;
}

/**
 * Those of the wanted packages that dpkg-query did not list as installed. A line of its output:
 * `shellcheck installed`; for one that it doesn't know it prints `dpkg-query: no packages found matching cpio`.
 * @param {string[]} wanted
 * @param {string} output
 */
export function missingPackages(wanted, output) {
  const installed = new Set(output.split("\n").filter((line) => line.endsWith(" installed")).map((line) => line.split(" ")[0]));
  return wanted.filter((name) => !installed.has(name));
}
