/** How sshd compares users, groups and clients with the patterns of its configuration (OpenSSH match.c, addrmatch.c). */

import { BlockList, isIP } from "node:net";

/** `*` is any text and `?` one character (ssh_config(5), PATTERNS). */
export function matchesPattern(text: string, pattern: string): boolean {
  let [at, next, star, from] = [0, 0, -1, 0];
  while (at < text.length) {
    if (pattern[next] === "*") {
      star = next++;
      from = at;
    } else if (next < pattern.length && (pattern[next] === "?" || pattern[next] === text[at])) {
      at++;
      next++;
    } else if (star >= 0) {
      // The last star takes one character more.
      next = star + 1;
      at = ++from;
    } else return false;
  }
  while (pattern[next] === "*") next++;
  return next === pattern.length;
}

/** `USER` or `USER@HOST`, as AllowUsers and DenyUsers have them. Without UseDNS a client has no name but its address. */
export function matchesUser(user: string, address: string, pattern: string): boolean {
  const at = pattern.lastIndexOf("@");
  return at < 0 ? matchesPattern(user, pattern) : matchesPattern(user, pattern.slice(0, at)) && matchesHost(address, pattern.slice(at + 1));
}

// --- Internal ---

/** `192.0.2.*`, `2001:db8::/32` and so on, with commas between them; one that matches behind a `!` keeps the client out. */
function matchesHost(address: string, list: string): boolean {
  const entries = list.split(",").map((entry) => ({ negated: entry.startsWith("!"), pattern: entry.replace(/^!/, "").toLowerCase() }));
  const matching = entries.filter(({ pattern }) => matchesPattern(address.toLowerCase(), pattern) || isWithin(address, pattern));
  return matching.length > 0 && !matching.some(({ negated }) => negated);
}

function isWithin(address: string, network: string): boolean {
  const [, start = "", length] = /^([^/]+)(?:\/(\d+))?$/.exec(network) ?? [];
  const family = isIP(start);
  if (family === 0 || family !== isIP(address)) return false;
  const kind = family === 4 ? "ipv4" : "ipv6";
  const all = family === 4 ? 32 : 128;
  const bits = Number(length ?? all);
  if (bits > all) return false;
  const networks = new BlockList();
  networks.addSubnet(start, bits, kind);
  return networks.check(address, kind);
}
