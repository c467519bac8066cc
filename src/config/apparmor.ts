/** What a stack file may say under `apparmor`: profiles for containers, written as lists of what they allow. */

import { z } from "zod";

import { capabilities, families, socketTypes } from "./apparmor-words.ts";
import { flag, isOneLine, listOf, setting, type Settled } from "./setting.ts";

/** Name of the hardened profile, and of its file in /etc/apparmor.d. */
export const containerProfile = "drydock-container";

const manual = "apparmor.d(5)";

/** Nothing in it may end the rule it is put in: no blanks, quotes, variables, comments, and a comma only inside braces. */
function isFileGlob(text: string): boolean {
  if (text.length > 512 || !isOneLine(text) || !/^\/[\w.%+=:~/*?,^{}[\]-]*$/.test(text)) return false;
  const plain = text.replaceAll(/\{[^{},]*(?:,[^{},]*)+\}/g, "x").replaceAll(/\[\^?[\w.%+=:~-]+\]/g, "x");
  return !/[{}[\]^,]|\*{3}/.test(plain) && !/(?:^|\/)\.\.?(?:\/|$)|\/\//.test(text);
}

/** Each letter once, at least one. */
const permissions = z.string().regex(/^(?!.*(.).*\1)[rwklmx]+$/).meta({ allowed: "some of the letters r, w, x, m, k, l" });
const globs = z.string().refine(isFileGlob).meta({ allowed: "an absolute path without blanks, with *, **, ?, [ab] and {a,b} as in apparmor.d(5)" });
const fileTable = z
  .record(globs, permissions.nullable())
  .meta({ allowed: 'a table of permissions by path, as { "/srv/www/**": r }' });

const network = z
  .string()
  .refine((text) => {
    const [family = "", type, ...more] = text.split(" ");
    return families.includes(family) && (type === undefined || socketTypes.includes(type)) && more.length === 0;
  })
  .meta({ allowed: `a family and, if wanted, a type of sockets, as "inet stream"; families: ${families.join(", ")}; types: ${socketTypes.join(", ")}` });

/** One of `profiles`. */
export const apparmorProfile = z
  .strictObject({
    files: setting(fileTable, {
      description:
        "Files that the programs may use besides the base: r read, w write (make, remove and rename too), x execute (under this " +
        "same profile), m map as code, k lock, l link.",
      initially: "{}",
      cost: "nothing",
      see: manual,
    }),
    deny: setting(fileTable, {
      description: "Files that stay closed whatever else allows them, the base included.",
      initially: "{}",
      cost: "nothing",
      see: manual,
    }),
    capabilities: setting(listOf(z.enum(capabilities).meta({ allowed: "a capability in lower case without cap_, as net_bind_service" }), "capabilities"), {
      description: "Capabilities that may be used. One that the container does not have is not given to it.",
      initially: "[]",
      cost: "nothing",
      see: "capabilities(7)",
    }),
    networks: setting(listOf(network, 'families and types of sockets, as ["inet stream", "inet6 stream"]'), {
      description: "Sockets that may be opened besides local ones (unix).",
      initially: "[]",
      cost: "nothing",
      see: manual,
    }),
  })
  .meta({ allowed: "a table with files, deny, capabilities, networks" });

const profileName = z
  .string()
  .regex(/^(?!container$)[a-z0-9](?:[a-z0-9_-]{0,30}[a-z0-9])?$/)
  .meta({ allowed: "up to 32 lower case letters, digits, dashes and underscores; container is Drydock's own" });

export const apparmorSchema = z
  .strictObject({
    container: setting(flag, {
      description: `The hardened profile ${containerProfile} for any container: \`docker run --security-opt apparmor=${containerProfile}\`.`,
      initially: "false",
      cost: "nothing",
      see: "https://docs.docker.com/engine/security/apparmor/",
    }),
    profiles: setting(z.record(profileName, apparmorProfile.nullable()).meta({ allowed: "a table of profiles by name" }), {
      description:
        "Profiles of your own, by name: web becomes drydock-web, for `docker run --security-opt apparmor=drydock-web`. Each begins " +
        "with a base that lets programs of the image start and read its libraries and settings, and write, reach and change nothing.",
      initially: "{}",
      cost: "nothing",
      see: manual,
    }),
  })
  .meta({ allowed: "a table with container, profiles" });

type Written = Settled<z.infer<typeof apparmorSchema>>;
export type ProfileSettings = NonNullable<Written["profiles"]>[string];

/** The layer after merging. */
export interface AppArmorSettings {
  container: boolean;
  profiles: Record<string, ProfileSettings>;
}
