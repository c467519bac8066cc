import { describe, expect, it } from "vitest";
import { checkProfile } from "../../src/desired/check-profile.ts";

const profile = (...rules: string[]): string => `# head\nabi <abi/3.0>,\ninclude <tunables/global>\n\nprofile drydock-web flags=(attach_disconnected,mediate_deleted) {\n${rules.map((rule) => `  ${rule}\n`).join("")}}\n`;
/** The line of the first rule. */
const first = 6;
const check = (text: string) => checkProfile("drydock-web", text);

describe("rules that a profile may have", () => {
  it.each([
    "file,", "capability,", "capability net_bind_service,", "network,", "network inet stream,", "deny network packet,", "deny mount,", "umount,", "unix,",
    "/srv/{www,ftp}/** r,", "/a/[^b]*c rwkl,", "@{PROC}/sys/** r,", "owner /home/*/x rw,", "deny /bin/su x,", "audit deny /etc/shadow rw,", "/usr/bin/* mrix,", "file /srv/** r,",
    "signal (send, receive) peer=drydock-web,", "ptrace (trace,read) peer=drydock-web,", "set rlimit nproc <= 10,", "include <abstractions/base>", "include if exists <abstractions/x>",
    '"/with blanks/and, commas" r,', "# a comment", "",
  ])("%s", (rule) => {
    expect(check(profile(rule))).toBeUndefined();
  });
});

describe("what undoes a profile, or is none", () => {
  it.each<[string, string]>([
    ["change_profile -> unconfined,", '"change_profile -> unconfined," is no rule; allowed: '],
    ["/bin/* ux,", '"ux" executes outside of the profile; allowed: ix'],
    ["/bin/* rUx,", '"rUx" executes outside of the profile; allowed: ix'],
    ["/bin/* px -> other,", '"/bin/* px -> other," leaves the profile'],
    ["/bin/* cx,", '"cx" executes outside of the profile; allowed: ix'],
    ["file ux /bin/*,", '"ux" executes outside of the profile; allowed: ix'],
    ["/bin/* rx,", '"rx" executes outside of the profile; allowed: ix'],
    ["profile other {", '"profile other {" is no rule; allowed: '],
    ["^hat {", '"^hat {" is no rule; allowed: '],
    ["file, capability,", '"file, capability," is not one rule with a comma at its end'],
    ["capability", '"capability" is not one rule with a comma at its end'],
    ["/a r, # why", '"/a r, # why" is not one rule with a comma at its end'],
    ["file, }", '"file, }" is not one rule with a comma at its end'],
    ["include </etc/passwd>", '"include </etc/passwd>" is no rule; allowed: '],
    ["#include <local/x>", '"#include <local/x>" is no rule; allowed: '],
    ["@{X}=/a", '"@{X}=/a" is not one rule with a comma at its end'],
    ["filet,", '"filet," is no rule; allowed: '],
  ])("%s", (rule, text) => {
    const refusal = check(profile(rule));
    expect(refusal?.line).toBe(first);
    expect(refusal?.text).toContain(text);
  });

  it.each<[string, string, number, string]>([
    ["another name", profile().replace("profile drydock-web", "profile docker-default"), 5, 'the profile is called "docker-default", and must be drydock-web as the file is'],
    ["complain mode", profile().replace("mediate_deleted", "complain"), 5, 'the flag "complain" is not allowed; allowed: attach_disconnected, enforce, mediate_deleted'],
    ["a second profile", `${profile()}profile more {\n`, 7, '"profile more {" stands after the profile\'s end'],
    ["no end", "profile drydock-web {\n", 0, "the profile has no end, }"],
    ["no profile", "# nothing\n", 0, "no profile drydock-web"],
    ["a rule before the profile", "file,\n", 1, '"file," is no line profile drydock-web flags=(…) {'],
  ])("%s", (_, text, line, why) => {
    expect(check(text)).toEqual({ line, text: why });
  });
});
