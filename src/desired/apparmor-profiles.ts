/** Profiles of a stack file as rules of apparmor.d(5). Every word was checked by src/config/apparmor.ts. */

import type { AppArmorSettings } from "../config/apparmor.ts";

/** The folder with all profiles of a host. */
export const profileFolder = "/etc/apparmor.d";

/** What templates/etc/apparmor.d/drydock-{name}.hbs gets as `profile`. */
export interface DeclaredProfile {
  /** Without `drydock-`. */
  name: string;
  files: FileRule[];
  deny: FileRule[];
  capabilities: string[];
  networks: string[];
}

interface FileRule {
  path: string;
  permissions: string;
}

/** In the order of their names, and inside sorted: the order of keys in a stack file means nothing. */
export function declaredProfiles({ profiles }: AppArmorSettings): DeclaredProfile[] {
  return Object.entries(profiles)
    .sort(byName)
    .map(([name, { files = {}, deny = {}, capabilities = [], networks = [] }]) => ({
      name,
      // `ix`: what is executed stays under this profile.
      files: rules(files, "ix"),
      // A denied execution has no kind.
      deny: rules(deny, "x"),
      capabilities: [...new Set<string>(capabilities)].sort(),
      networks: [...new Set(networks)].sort(),
    }));
}

/** The name of the profile in a file of Drydock's, e.g. `drydock-web`; nothing for any other path. */
export function profileIn(path: string): string | undefined {
  return new RegExp(`^${profileFolder}/(drydock-[^/]+)$`).exec(path)?.[1];
}

// --- Internal ---

const byName = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1);

function rules(files: Record<string, string>, execute: string): FileRule[] {
  const written = (letters: string): string => ["m", "r", "w", "k", "l", "x"].map((letter) => (letters.includes(letter) ? (letter === "x" ? execute : letter) : "")).join("");
  return Object.entries(files)
    .sort(byName)
    .map(([path, letters]) => ({ path, permissions: written(letters) }));
}
