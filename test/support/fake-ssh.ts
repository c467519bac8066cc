/** A PATH on which `ssh` runs its remote command right here, and a `sudo` and `id` that say what a test wants. */

import { chmodSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { vi } from "vitest";
import { temporaryFolder } from "./shell.ts";

/** Puts programs (name → sh text) first on the PATH until the end of the test. @returns their folder */
export function onPath(programs: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  vi.stubEnv("PATH", `${folder}${delimiter}${process.env.PATH ?? ""}`);
  return folder;
}

/** Its last argument is the remote command; what a login shell there would do with it. */
export const localSsh = 'for last; do :; done; exec sh -c "$last"';

/** Sockets and pinned keys go to a folder of the test's own, with a path short enough for a socket. */
export function ownRuntimeFolder(): string {
  const folder = temporaryFolder();
  vi.stubEnv("XDG_RUNTIME_DIR", folder);
  return folder;
}
