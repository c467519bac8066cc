/** How to reach a host over SSH. Names follow `ConnectionArgs` of `@pulumi/command`; OpenSSH does the work. */

import { isIP } from "node:net";

import { z } from "zod";

import { isHostKey } from "./host-key.ts";
import { count, isOneLine, setting, type Settled } from "./setting.ts";

/** A name, an address or an alias of ssh_config; never something that ssh would read as an option. */
function isAddress(value: string): boolean {
  return value.length <= 253 && (isIP(value) !== 0 || /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(value));
}

function isIdentityFile(value: string): boolean {
  return value.length > 0 && value.length <= 1024 && isOneLine(value) && !value.startsWith("-") && !/["'\\]|BEGIN [A-Z ]*PRIVATE/.test(value);
}

const endpoint = {
  host: setting(z.string().refine(isAddress).meta({ allowed: "a host name, an IP address or an alias of ssh_config" }), {
    description: "Name or address of the host, or an alias of ssh_config.",
    cost: "nothing",
    see: "ssh_config(5)",
  }),
  port: setting(count(1, 65535), { description: "TCP port of sshd.", initially: "22", cost: "nothing", see: "ssh_config(5)" }),
  user: setting(
    z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}\$?$/).meta({ allowed: "a user name" }),
    {
      description: "Who logs in. Users other than root go through `sudo -n`.",
      initially: "what ssh_config says, or the local user",
      cost: "nothing",
      see: "ssh_config(5)",
    },
  ),
  hostKey: setting(
    z.string().refine(isHostKey).meta({ allowed: 'one line "ssh-ed25519 AAAA… [comment]" whose key is of that type' }),
    {
      description: "The host's public key. It is never trusted on first use: it stands here, or in known_hosts.",
      initially: "known_hosts decides",
      cost: "nothing",
      see: "sshd(8), AUTHORIZED_KEYS FILE FORMAT",
    },
  ),
  identityFile: setting(
    z.string().refine(isIdentityFile).meta({ allowed: "the path of a private key file (not the key itself)" }),
    {
      description: "Private key on this machine, by its path; `~` is kept as written. The key never enters Pulumi's state.",
      initially: "ssh_config and the agent decide",
      cost: "nothing",
      see: "ssh_config(5)",
    },
  ),
};

export const connectionSchema = z.strictObject({
  ...endpoint,
  connectTimeout: setting(count(1, 3600), {
    description: "How long to wait for a connection, in seconds.",
    initially: "ssh_config decides",
    cost: "nothing",
    see: "ssh_config(5)",
  }),
  proxy: setting(z.strictObject(endpoint), { description: "Jump host, as `ssh -J`.", cost: "nothing", see: "ssh(1)" }),
});

type Written = Settled<z.infer<typeof connectionSchema>>;

/** One place to log in to. */
export interface Endpoint extends Omit<Written, "host" | "port" | "proxy" | "connectTimeout"> {
  host: string;
  port: number;
}

/** A connection after merging: `host` is there, `port` is filled in. */
export interface Connection extends Endpoint {
  /** Seconds. */
  connectTimeout?: number | undefined;
  proxy?: Endpoint | undefined;
}
