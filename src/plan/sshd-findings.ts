/**
 * Settings of sshd that would lock us out. A running sshd keeps what it read when it was started or reloaded (sshd.c,
 * send_rexec_state); one that systemd starts for each connection reads it each time.
 */

import type { Observation } from "../observed/observation.ts";
import type { SshdLogin } from "../observed/sshd.ts";
import { matchesPattern, matchesUser } from "./sshd-patterns.ts";

/** One sentence a finding, each with what to do. */
export function sshdFindings({ sshd, units }: Observation): string[] {
  if (!sshd.known) return [];
  const answer = sshd.value;
  if (!answer.reads) return [`sshd can't read its configuration (${answer.said}), so ${fromThenOn} nobody gets in any more; mend it until /usr/sbin/sshd -t says nothing, then run this again`];
  const { user, address } = answer;
  // Where systemd listens, sshd's own settings say nothing of it.
  const listens = ["ssh.socket", "sshd.socket"].some((unit) => units[unit]?.ActiveState === "active");
  return [...(listens ? [] : listenReasons(answer)), ...reasons(answer)].map(
    (reason) => `sshd's configuration keeps ${user} from ${address} out: ${reason}; ${fromThenOn} nothing could be confirmed or taken back from here; let that user in, or connect as another one (what counts: /usr/sbin/sshd -T -C user=${user},host=${address},addr=${address}), then run this again`,
  );
}

/** What could not be told. It refuses nothing, and must be said. */
export function sshdDoubts({ sshd }: Observation): string[] {
  return sshd.known ? [] : [`whether sshd would let us in again (${sshd.reason})`];
}

// --- Internal ---

const fromThenOn = "when it starts or reloads next, at a boot at the latest,";

/** In the order in which sshd asks (auth.c, allowed_user; then for root, then for the methods). */
function reasons(login: SshdLogin): string[] {
  const { user, address, groups } = login;
  const { allowusers = [], denyusers = [], allowgroups = [], denygroups = [] } = login.settings;
  const isUser = (pattern: string): boolean => matchesUser(user, address, pattern);
  // Here a `!` is nothing special.
  const isGroup = (pattern: string): boolean => groups.some((group) => matchesPattern(group, pattern));
  const denied = denyusers.filter(isUser);
  const deniedGroups = denygroups.filter(isGroup);
  return [
    ...(denied.length > 0 ? [`DenyUsers has ${denied.join(", ")}`] : []),
    ...(allowusers.length > 0 && !allowusers.some(isUser) ? [`AllowUsers has only ${allowusers.join(", ")}`] : []),
    ...(deniedGroups.length > 0 ? [`DenyGroups has ${deniedGroups.join(", ")}`] : []),
    ...(allowgroups.length > 0 && !allowgroups.some(isGroup) ? [`AllowGroups has only ${allowgroups.join(", ")}, and the user is in ${groups.join(", ")}`] : []),
    ...rootReasons(login),
    ...methodReasons(login),
  ];
}

// listenaddress 0.0.0.0:2222, listenaddress [::]:2222
function listenReasons({ local, settings: { listenaddress = [] } }: SshdLogin): string[] {
  if (!local || listenaddress.length === 0) return [];
  const is6 = local.address.includes(":");
  const at = (address: string): string => (is6 ? `[${address}]:${local.port}` : `${address}:${local.port}`);
  if ([at(local.address), at(is6 ? "::" : "0.0.0.0")].some((place) => listenaddress.includes(place))) return [];
  return [`it listens on ${listenaddress.join(", ")}, and this connection came in at ${at(local.address)} (Port, ListenAddress, AddressFamily)`];
}

function rootReasons({ isRoot, forced, settings }: SshdLogin): string[] {
  const rule = settings.permitrootlogin?.[0];
  if (!isRoot) return [];
  if (rule === "no") return ["PermitRootLogin is no"];
  return rule === "forced-commands-only" && !forced ? ["PermitRootLogin is forced-commands-only, and our key has no command of its own"] : [];
}

/** Our client never asks anybody (BatchMode), so that what a person types is no way in. */
function methodReasons({ settings }: SshdLogin): string[] {
  const has = (name: string): boolean => settings[name]?.[0] === "yes";
  const noKeys = settings.pubkeyauthentication?.[0] === "no";
  const works = (method: string): boolean => {
    const [name = ""] = method.split(":");
    if (name === "publickey") return !noKeys;
    if (name === "hostbased") return has("hostbasedauthentication");
    if (name.startsWith("gssapi")) return has("gssapiauthentication");
    if (name === "none") return has("permitemptypasswords");
    return name !== "password" && name !== "keyboard-interactive";
  };
  const wanted = settings.authenticationmethods?.[0] || "any";
  const ways = wanted === "any" ? [["publickey"], ["hostbased"], ["gssapi-with-mic"], ["none"]] : wanted.split(" ").map((way) => way.split(","));
  if (ways.some((way) => way.every(works))) return [];
  return [wanted === "any" ? "PubkeyAuthentication is no, and all else needs somebody who types" : `AuthenticationMethods is ${wanted}${noKeys ? ", PubkeyAuthentication is no" : ""}, and nobody is there to type`];
}
