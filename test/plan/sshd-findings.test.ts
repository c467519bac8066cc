import { describe, expect, it } from "vitest";
import { known, unknown } from "../../src/observed/records.ts";
import type { SshdLogin } from "../../src/observed/sshd.ts";
import { sshdDoubts, sshdFindings } from "../../src/plan/sshd-findings.ts";
import { defaultHost, sshdLogin } from "../support/observation.ts";

const found = (settings: Record<string, string[]>, change: Partial<SshdLogin> = {}): string[] => sshdFindings(defaultHost({ sshd: known(sshdLogin(settings, change)) }));
const out = (reason: string, user = "ops"): string =>
  `sshd's configuration keeps ${user} from 192.0.2.7 out: ${reason}; when it starts or reloads next, at a boot at the latest, nothing could be confirmed or taken back from here; let that user in, or connect as another one (what counts: /usr/sbin/sshd -T -C user=${user},host=192.0.2.7,addr=192.0.2.7), then run this again`;
const root: Partial<SshdLogin> = { user: "root", isRoot: true };
const groups: Partial<SshdLogin> = { groups: ["ops", "domain users"] };

it("an sshd as it comes lets us in", () => {
  expect(found({})).toEqual([]);
  expect(found({}, root)).toEqual([]);
  expect(sshdDoubts(defaultHost())).toEqual([]);
});

it("files that it can't read keep everybody out", () => {
  const sshd = known({ reads: false as const, said: "/etc/ssh/sshd_config: line 3: Bad configuration option: Foo" });
  expect(sshdFindings(defaultHost({ sshd }))).toEqual([
    "sshd can't read its configuration (/etc/ssh/sshd_config: line 3: Bad configuration option: Foo), so when it starts or reloads next, at a boot at the latest, nobody gets in any more; mend it until /usr/sbin/sshd -t says nothing, then run this again",
  ]);
});

describe("a user", () => {
  it.each<[string, Record<string, string[]>, Partial<SshdLogin>, string[]]>([
    ["who is denied", { denyusers: ["mallory", "o*", "ops@192.0.2.0/24"] }, {}, ["DenyUsers has o*, ops@192.0.2.0/24"]],
    ["who is denied from elsewhere", { denyusers: ["ops@198.51.100.*"] }, {}, []],
    ["who is not allowed", { allowusers: ["admin", "ops@198.51.100.*"] }, {}, ["AllowUsers has only admin, ops@198.51.100.*"]],
    ["who is allowed", { allowusers: ["admin", "ops"] }, {}, []],
    ["who is allowed and denied", { allowusers: ["ops"], denyusers: ["ops"] }, {}, ["DenyUsers has ops"]],
    ["of a group that is denied", { denygroups: ["domain *"] }, groups, ["DenyGroups has domain *"]],
    ["of no group that is allowed", { allowgroups: ["wheel", "domain admins"] }, groups, ["AllowGroups has only wheel, domain admins, and the user is in ops, domain users"]],
    ["of one that is allowed", { allowgroups: ["wheel", "ops"], denygroups: ["old"] }, groups, []],
    ["whose group is no pattern with a !", { allowgroups: ["!wheel"] }, groups, ["AllowGroups has only !wheel, and the user is in ops, domain users"]],
    ["for many reasons", { denyusers: ["ops"], allowgroups: ["wheel"] }, groups, ["DenyUsers has ops", "AllowGroups has only wheel, and the user is in ops, domain users"]],
  ])("%s", (_, settings, change, reasons) => {
    expect(found(settings, change)).toEqual(reasons.map((reason) => out(reason)));
  });
});

describe("where it listens", () => {
  const here = { address: "2001:db8::1", port: "22" };
  it.each<[string, string[], Partial<SshdLogin>, string | undefined]>([
    ["everywhere", ["0.0.0.0:22", "[::]:22"], {}, undefined],
    ["at our place alone", ["192.0.2.1:22"], {}, undefined],
    ["at our place, over IPv6", ["[2001:db8::1]:22"], { local: here }, undefined],
    ["at another port", ["0.0.0.0:2222", "[::]:2222"], {}, "it listens on 0.0.0.0:2222, [::]:2222, and this connection came in at 192.0.2.1:22 (Port, ListenAddress, AddressFamily)"],
    ["at our port and another", ["0.0.0.0:2222", "0.0.0.0:22"], {}, undefined],
    ["at another address", ["127.0.0.1:22"], {}, "it listens on 127.0.0.1:22, and this connection came in at 192.0.2.1:22 (Port, ListenAddress, AddressFamily)"],
    ["over the other kind of address", ["0.0.0.0:22"], { local: here }, "it listens on 0.0.0.0:22, and this connection came in at [2001:db8::1]:22 (Port, ListenAddress, AddressFamily)"],
    ["by its command line", ["0.0.0.0:2222"], { local: undefined }, undefined],
  ])("%s", (_, listenaddress, change, reason) => {
    expect(found({ listenaddress }, change)).toEqual(reason === undefined ? [] : [out(reason)]);
  });

  it("is not asked where systemd does", () => {
    const host = defaultHost({ sshd: known(sshdLogin({ listenaddress: ["0.0.0.0:2222"] })) });
    expect(sshdFindings(host)).toHaveLength(1);
    expect(sshdFindings({ ...host, units: { ...host.units, "ssh.socket": { ActiveState: "active" } } })).toEqual([]);
  });
});

describe("root", () => {
  const forced = "PermitRootLogin is forced-commands-only, and our key has no command of its own";
  it.each<[string, Partial<SshdLogin>, string[]]>([
    ["no", root, ["PermitRootLogin is no"]],
    ["no", {}, []],
    ["without-password", root, []],
    ["prohibit-password", root, []],
    ["yes", root, []],
    ["forced-commands-only", root, [forced]],
    ["forced-commands-only", { ...root, forced: true }, []],
    ["forced-commands-only", {}, []],
  ])("may log in: %s, %j", (rule, change, reasons) => {
    expect(found({ permitrootlogin: [rule] }, change)).toEqual(reasons.map((reason) => out(reason, change.user)));
  });
});

describe("a key", () => {
  const keysOff = "PubkeyAuthentication is no, and all else needs somebody who types";
  it.each<[string, Record<string, string[]>, string[]]>([
    ["is no way in", { pubkeyauthentication: ["no"] }, [keysOff]],
    ["is not the only way", { pubkeyauthentication: ["no"], gssapiauthentication: ["yes"] }, []],
    ["is not the only way", { pubkeyauthentication: ["no"], hostbasedauthentication: ["yes"] }, []],
    ["is not needed", { pubkeyauthentication: ["no"], permitemptypasswords: ["yes"] }, []],
    ["is enough", { authenticationmethods: ["publickey,password publickey"] }, []],
    ["is needed twice", { authenticationmethods: ["publickey,publickey"] }, []],
    ["is not enough", { authenticationmethods: ["publickey,password publickey,keyboard-interactive:pam"] }, ["AuthenticationMethods is publickey,password publickey,keyboard-interactive:pam, and nobody is there to type"]],
    ["goes with a ticket", { authenticationmethods: ["publickey,gssapi-with-mic"], gssapiauthentication: ["yes"] }, []],
    ["goes with a way that is off", { authenticationmethods: ["publickey,gssapi-with-mic"] }, ["AuthenticationMethods is publickey,gssapi-with-mic, and nobody is there to type"]],
    ["is asked for and off", { authenticationmethods: ["publickey"], pubkeyauthentication: ["no"] }, ["AuthenticationMethods is publickey, PubkeyAuthentication is no, and nobody is there to type"]],
    ["goes with something new", { authenticationmethods: ["publickey,telepathy"] }, []],
  ])("%s: %j", (_, settings, reasons) => {
    expect(found(settings)).toEqual(reasons.map((reason) => out(reason)));
  });

  it("is what an old sshd with few words takes", () => {
    expect(sshdFindings(defaultHost({ sshd: known({ ...sshdLogin(), settings: {} }) }))).toEqual([]);
  });
});

it("what could not be told refuses nothing, and is said", () => {
  const blind = defaultHost({ sshd: unknown("this connection is none of sshd's") });
  expect(sshdFindings(blind)).toEqual([]);
  expect(sshdDoubts(blind)).toEqual(["whether sshd would let us in again (this connection is none of sshd's)"]);
});
