/** npm packages as package-lock.json has them, and Node.js from one of them. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { lastLines, PROJECT, run, SetupError } from "./steps.mjs";

/** @typedef {{ packages: Record<string, { version?: string, optional?: boolean }> }} Lock */

/** @returns {Promise<string>} */
export async function ensureNpmPackages() {
  const lock = readLock("package-lock.json");
  if (!lock) throw new SetupError("package-lock.json cannot be read", "git checkout package-lock.json");
  const why = staleReason(lock, readLock("node_modules/.package-lock.json"));
  if (why === undefined) return "as package-lock.json has them";
  const { code, output } = await run("npm", ["ci", "--prefer-offline"]);
  if (code !== 0) throw new SetupError(`npm ci failed (it ran because ${why}): ${lastLines(output)}`, "npm ci");
  return `installed, because ${why}`;
}

/** The project needs a newer Node.js than many systems have: the npm package `node` brings it, for npm scripts only. */
export async function ensureNode() {
  const wanted = readVersion("node");
  const { code, output } = await run(join(PROJECT, "node_modules", ".bin", "node"), ["--version"]);
  if (code !== 0 || output.trim() !== `v${wanted}`) {
    throw new SetupError(`the npm package node@${wanted} has no working program: ${lastLines(output)}`, "rm -rf node_modules && npm ci");
  }
  return `${output.trim()} for npm scripts (this is ${process.version})`;
}

/**
 * Why what is installed is not what the lock file says; undefined if it is.
 * @param {Lock} lock
 * @param {Lock | undefined} installed
 */
export function staleReason(lock, installed) {
  if (!installed) return "node_modules is missing or was cut off half-way";
  for (const [path, { version, optional }] of Object.entries(lock.packages)) {
    const found = installed.packages[path];
    // Optional packages are often for another system; npm leaves them out of its own list.
    if (path === "" || (optional && !found)) continue;
    if (found?.version !== version) return `${path} is ${found?.version ?? "missing"}, not ${version}`;
  }
  return undefined;
}

/**
 * The exact version that package.json asks for.
 * @param {string} name
 * @returns {string}
 */
export function readVersion(name) {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8"));
  const version = devDependencies[name] ?? dependencies[name];
  if (typeof version !== "string") throw new SetupError(`package.json does not name ${name}`, "git checkout package.json");
  return version;
}

/**
 * @param {string} path
 * @returns {Lock | undefined}
 */
function readLock(path) {
  try {
    return JSON.parse(readFileSync(join(PROJECT, path), "utf8"));
  } catch {
    return undefined;
  }
}
