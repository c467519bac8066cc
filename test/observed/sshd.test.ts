import { describe, expect, it } from "vitest";
import { known, unknown, type Known } from "../../src/observed/records.ts";
import { parseSshd, type SshdAnswer } from "../../src/observed/sshd.ts";

const listener = "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups";
const head = (change: Record<string, string> = {}): string =>
  Object.entries({ listener, user: "ops", uid: "1000", address: "192.0.2.7", ...change }).map(([word, value]) => `${word} ${value}\n`).join("");
const answer = (stdout: string): Known<SshdAnswer> => parseSshd({ status: 0, stdout, stderr: "" });
const failed = (stderr: string, stdout = head(), status = 255): Known<SshdAnswer> => parseSshd({ status, stdout, stderr });

it("a setting may stand on many lines, and a name may have blanks", () => {
  expect(answer(`${head()}forced\ndenygroups domain users\ndenygroups old\nauthenticationmethods publickey,password publickey\ngroup ops\ngroup domain users\n`)).toEqual(
    known({ reads: true, user: "ops", isRoot: false, address: "192.0.2.7", local: undefined, forced: true, groups: ["ops", "domain users"], settings: { denygroups: ["domain users", "old"], authenticationmethods: ["publickey,password publickey"] } }),
  );
});

it.each([
  ["sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", { address: "192.0.2.1", port: "22" }],
  ["/usr/sbin/sshd-D-e", { address: "192.0.2.1", port: "22" }],
  ["sshd: /usr/sbin/sshd -D -p 2222 [listener] 0 of 10-100 startups", undefined],
  ["sshd: /usr/sbin/sshd -Dp2222 [listener] 0 of 10-100 startups", undefined],
  ["sshd: /usr/sbin/sshd -D -o Port=2222 [listener] 0 of 10-100 startups", undefined],
  ["sshd: /usr/sbin/sshd -i [listener]", undefined],
])("where it listens is said by %s, or by its files", (commandLine, local) => {
  expect(answer(head({ listener: commandLine, local: "192.0.2.1 22" }))).toMatchObject({ value: { local } });
});

it.each([["0", true], ["1000", false]])("uid %s is root: %s", (uid, isRoot) => {
  expect(answer(head({ uid }))).toMatchObject({ value: { isRoot } });
});

describe("what is wrong with its files", () => {
  // As OpenSSH 9.2 says it.
  it.each<[string, string, string]>([
    ["an option that it does not know", "/etc/ssh/sshd_config line 2: Deprecated option UsePrivilegeSeparation\r\n/etc/ssh/sshd_config: line 3: Bad configuration option: Foo\r\n/etc/ssh/sshd_config: terminating, 1 bad configuration options", "/etc/ssh/sshd_config: line 3: Bad configuration option: Foo"],
    ["many of them", `${[1, 2, 3, 4].map((line) => `/etc/x: line ${line}: Bad configuration option: Foo\r\n`).join("")}/etc/x: terminating, 4 bad configuration options`, [1, 2, 3].map((line) => `/etc/x: line ${line}: Bad configuration option: Foo`).join("; ")],
    ["a value", '/etc/ssh/sshd_config line 123: unsupported option "maybe".', '/etc/ssh/sshd_config line 123: unsupported option "maybe".'],
    ["a place", "/etc/ssh/sshd_config line 124: Directive 'Port' is not allowed within a Match block", "/etc/ssh/sshd_config line 124: Directive 'Port' is not allowed within a Match block"],
    ["a rule", "Unsupported Match attribute Foo\r\n/etc/ssh/sshd_config line 123: Bad Match condition", "Unsupported Match attribute Foo; /etc/ssh/sshd_config line 123: Bad Match condition"],
    ["all of them are gone", "/etc/ssh/sshd_config: No such file or directory", "/etc/ssh/sshd_config: No such file or directory"],
  ])("%s", (_, stderr, said) => {
    expect(failed(stderr)).toEqual(known({ reads: false, said }));
  });
});

describe("what can't be told", () => {
  it.each<[string, Known<SshdAnswer>, string]>([
    ["another server", failed("this connection is none of sshd's", "", 1), "this connection is none of sshd's"],
    ["no host keys", failed("/etc/ssh/sshd_config line 2: Deprecated option RhostsRSAAuthentication\r\nsshd: no hostkeys available -- exiting.", head(), 1), "sshd: no hostkeys available -- exiting."],
    ["no folder to work in", failed("Missing privilege separation directory: /run/sshd"), "Missing privilege separation directory: /run/sshd"],
    ["a rule that asks for more", failed("'Match RDomain' in configuration but 'rdomain' not in connection test specification.\r\n/etc/ssh/sshd_config line 9: Bad Match condition"), "/etc/ssh/sshd_config line 9: Bad Match condition"],
    ["a question that an old one does not take", failed("Invalid test mode specification lport=22"), "Invalid test mode specification lport=22"],
    ["a death without a word", failed("", head(), 139), "sshd -T ended with exit status 139"],
    ["a client without an address", answer(head({ address: "UNKNOWN" })), "this connection comes from UNKNOWN"],
    ["a client on the same link", answer(head({ address: "fe80::1%eth0" })), "this connection comes from fe80::1%eth0"],
    ["names of clients", answer(`${head()}usedns yes\n`), "it looks up clients' names (UseDNS), which only a connection shows"],
    ["groups", answer(`${head()}allowgroups ops\n`), "the groups of ops could not be read"],
  ])("%s", (_, seen, reason) => {
    expect(seen).toEqual(unknown(reason));
  });

  const own = "its command line has settings of its own";
  it.each<[string, boolean]>([
    [listener, true],
    ["sshd: /usr/sbin/sshd -D -oCiphers=aes256-gcm@openssh.com -oMACs=hmac-sha2-256 [listener] 0 of 10-100 startups", true],
    ["sshd: /usr/sbin/sshd -D -o AuthorizedKeysCommand=/usr/bin/keys -o AuthorizedKeysCommandUser=keys [listener]", true],
    ["sshd: ops [priv]", true],
    ["sshd-session: ops [priv]", true],
    ["/usr/sbin/sshd-D-oCiphers=aes256-ctr", true],
    ["/srv/of-f/sshd -D", true],
    ["sshd: /usr/sbin/sshd -D -f /etc/ssh/other [listener] 0 of 10-100 startups", false],
    ["sshd: /usr/sbin/sshd -Df other [listener]", false],
    ["sshd: /usr/sbin/sshd -o permitrootlogin=yes [listener]", false],
    ["sshd: /usr/sbin/sshd -oAllowUsers=ops [listener]", false],
    ["/usr/sbin/sshd-D-f/etc/ssh/other", false],
  ])("%s: its files count: %s", (command, counts) => {
    expect(answer(head({ listener: command }))).toEqual(counts ? expect.objectContaining({ known: true }) : unknown(own));
    // Nor are files broken that it does not read.
    if (!counts) expect(failed("/etc/ssh/sshd_config: No such file or directory", head({ listener: command }))).toEqual(unknown(own));
  });
});
