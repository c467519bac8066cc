/**
 * Which key exchange connections are made with: OpenSSH's default, or one that the bench was asked for. Drydock has no switch for
 * it, so it is said where users say it: in an ssh_config, which only what is measured sees.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "zx";
import { LabError } from "../../lab/settings.ts";

const systemConfig = "/etc/ssh/ssh_config";

export interface KeyExchange {
  /** As the table names it. */
  name: string;
  /** What stands before a command, so that each ssh in it does as was asked. */
  prefix: string[];
  remove: () => void;
}

/** @param asked a name that ssh -Q kex lists; undefined is OpenSSH's default */
export async function prepareKeyExchange(asked: string | undefined): Promise<KeyExchange> {
  if (asked === undefined) return { name: `${await firstOffered()}, OpenSSH's default`, prefix: [], remove: () => undefined };
  const known = (await $({ quiet: true })`ssh -Q kex`).stdout.split("\n");
  if (!known.includes(asked)) throw new LabError(`ssh knows no key exchange ${asked}: ssh -Q kex lists them`);
  const folder = mkdtempSync(join(tmpdir(), "drydock-bench-ssh-"));
  const file = join(folder, "ssh_config");
  writeFileSync(file, renderConfig(asked, readFileSync(systemConfig, "utf8")));
  // In a mount namespace of its own: ssh takes the user's folder from the password database, so HOME moves nothing.
  const prefix = ["unshare", "--mount", "--propagation", "private", "sh", "-c", `mount --bind "$0" ${systemConfig} && exec "$@"`, file];
  return { name: asked, prefix, remove: () => rmSync(folder, { recursive: true }) };
}

/** The first value that ssh finds is the one that counts. */
export const renderConfig = (keyExchange: string, system: string) => `KexAlgorithms ${keyExchange}\n${system}`;

/** kexalgorithms sntrup761x25519-sha512,… */
async function firstOffered(): Promise<string> {
  const { stdout } = await $({ quiet: true })`ssh -G light-host`;
  return /^kexalgorithms ([^,\s]+)/m.exec(stdout)?.[1] ?? "unknown";
}
