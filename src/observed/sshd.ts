/** What sshd, by its files, would say to a new connection of ours (observe.sh, `new_connection`). */

import { isIP } from "node:net";
import { known, unknown, type Known, type ProbeResult } from "./records.ts";

export type SshdAnswer = SshdLogin | { reads: false; /** Its own words. */ said: string };

export interface SshdLogin {
  reads: true;
  user: string;
  /** Whether the user is root to sshd, i.e. has uid 0. */
  isRoot: boolean;
  /** Where we come from. */
  address: string;
  /** Where we came in, by the host's own address; undefined where its command line says where it listens. */
  local: { address: string; port: string } | undefined;
  /** Our key runs a command of its own, or sshd does for us. */
  forced: boolean;
  /** Of the user; empty where sshd does not ask for them. */
  groups: string[];
  /** What `sshd -T` says for this connection, in its lower-case names, e.g. `allowusers` → `["ops", "admin@192.0.2.*"]`. */
  settings: Record<string, string[]>;
}

// listener sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups␤user ops␤uid 1000␤address 192.0.2.7␤permitrootlogin no␤…
export function parseSshd({ status, stdout, stderr }: ProbeResult): Known<SshdAnswer> {
  // It ends the lines of its log as a terminal wants them.
  const errors = stderr.split(/\r?\n/).filter(Boolean);
  const words = new Map<string, string[]>();
  for (const line of stdout.split("\n").filter(Boolean)) {
    const [word = "", value = ""] = line.split(/ (.*)/s);
    words.set(word, [...(words.get(word) ?? []), value]);
  }
  const one = (word: string): string => words.get(word)?.[0] ?? "";
  const [user, address] = [one("user"), one("address")];
  const lastWords = errors.at(-1) ?? `sshd -T ended with exit status ${status}`;
  if (user === "") return unknown(lastWords);
  if (ownConfiguration.test(flagsOf(one("listener")))) return unknown("its command line has settings of its own");
  if (status !== 0) {
    const said = brokenBy(errors);
    return said === undefined ? unknown(lastWords) : known({ reads: false, said });
  }
  // UNKNOWN behind a proxy; an address of the link alone is none to the rules of sshd.
  if (isIP(address) === 0 || address.includes("%")) return unknown(`this connection comes from ${address || "nowhere"}`);
  if (one("usedns") === "yes") return unknown("it looks up clients' names (UseDNS), which only a connection shows");
  const settings = Object.fromEntries([...words].filter(([word]) => !ours.includes(word)));
  const groups = words.get("group") ?? [];
  if (groups.length === 0 && ("allowgroups" in settings || "denygroups" in settings)) return unknown(`the groups of ${user} could not be read`);
  const [at = "", port = ""] = one("local").split(" ");
  const local = port === "" || ownListener.test(flagsOf(one("listener"))) ? undefined : { address: at, port };
  return known({ reads: true, user, isRoot: one("uid") === "0", address, local, forced: words.has("forced"), groups, settings });
}

// --- Internal ---

const ours = ["listener", "user", "uid", "address", "local", "forced", "group"];

/** Behind the name of the program. Words that sshd has not put together itself come without blanks between them. */
const flagsOf = (commandLine: string): string => /sshd((?: |-).*)$/.exec(commandLine)?.[1] ?? "";

/** `-f FILE`, or `-o` with something that decides who comes in. */
const ownConfiguration = /-\w*f *\/| -\w*f |-o *"?(allow|deny)(users|groups)|-o *"?(permitrootlogin|permitemptypasswords|authenticationmethods|usedns|(pubkey|hostbased|gssapi)authentication)/i;

/** `-p PORT` and the like; with `-i` somebody else listens. */
const ownListener = /(^| )-\w*[pi]( |\d|$)|-o *"?(port|listenaddress|addressfamily)/i;

// /etc/ssh/sshd_config: line 3: Bad configuration option: Foo␤/etc/ssh/sshd_config: terminating, 1 bad configuration options
// /etc/ssh/sshd_config line 5: Directive 'Port' is not allowed within a Match block
/** What is wrong with the files; undefined when it is something else: host keys, a missing folder, a rule that needs a real connection. */
function brokenBy(errors: string[]): string | undefined {
  // Such an option is only a warning.
  const lines = errors.filter((line) => !/(Deprecated|Unsupported) option/.test(line));
  const broken = /^\S+ line \d+: |: terminating, \d+ bad configuration option|sshd_config: No such file or directory$/.test(lines.at(-1)?.replace(": line ", " line ") ?? "");
  if (!broken || lines.some((line) => /test (mode )?specification/.test(line))) return undefined;
  const reasons = lines.filter((line) => !line.includes(": terminating, "));
  return (reasons.length > 0 ? reasons : lines).slice(0, 3).join("; ");
}
