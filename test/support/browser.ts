/** A real browser, where there is one: Debian's chromium, driven over its own protocol. */

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium, type Browser } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome"];

export const browserPath = names.flatMap((name) => (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name))).find(isProgram);

/** Why tests in a browser can't run here; undefined when they can. */
export const whyNoBrowser = browserPath === undefined ? `none of ${names.join(", ")} is on the PATH: npm run setup` : undefined;

/** With an empty profile of its own, and without anything that a browser does by itself over the network. */
export function startBrowser(): Promise<Browser> {
  if (browserPath === undefined) throw new Error(whyNoBrowser);
  return chromium.launch({
    executablePath: browserPath,
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

// --- Internal ---

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
