import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { auditInEffect, auditRulesOf, normalizeAuditRule, watchedPath } from "../../src/effect/audit-rules.ts";
import { known, unknown } from "../../src/observed/records.ts";

const rule = "-a always,exit -F arch=b64 -F path=/etc/docker -F perm=rwxa -F key=docker";
/** Kernel 6.12, auditctl 4.0.2, for {@link rule}. */
const listedByAudit4 = "-a always,exit -F arch=b64 -S open,bind,execve,truncate,ftruncate,rename,mkdir,rmdir,creat,link,unlink,symlink,readlink,chmod,fchmod,chown,fchown,lchown,mknod,acct,swapon,quotactl,setxattr,lsetxattr,fsetxattr,getxattr,lgetxattr,fgetxattr,listxattr,llistxattr,flistxattr,removexattr,lremovexattr,fremovexattr,openat,mkdirat,mknodat,fchownat,unlinkat,renameat,linkat,symlinkat,readlinkat,fchmodat,fallocate,renameat2,openat2 -F path=/etc/docker -F perm=rwxa -F key=docker";

describe("one spelling for a rule", () => {
  it.each([
    ["as we write it", rule, rule],
    ["as auditctl -l prints it", "-a always,exit -F arch=b64 -S all -F path=/etc/docker -F perm=rwxa -F key=docker", rule],
    ["as auditctl of audit 4 prints it (Debian 13)", listedByAudit4, rule],
    ["as on an architecture without the old system calls", listedByAudit4.replace(/-S \S+/, "-S execve,truncate,ftruncate,setxattr,lsetxattr,fsetxattr,getxattr,listxattr,removexattr,lremovexattr,fremovexattr,openat,mkdirat,mknodat,fchown,fchownat,unlinkat,linkat,symlinkat,readlinkat,fchmod,fchmodat,fallocate,renameat2"), rule],
    ["action and filter the other way round", "-a exit,always -F arch=b64 -F path=/etc/docker -F perm=rwxa -F key=docker", rule],
    ["at the head of the list", "-A always,exit -F arch=b64 -F path=/etc/docker -F perm=rwxa -F key=docker", rule],
    ["permissions in any order", "-a always,exit -F arch=b64 -F path=/etc/docker -F perm=axwr -F key=docker", rule],
    ["-k for a key", "-a always,exit -F arch=b64 -F path=/etc/docker -F perm=rwxa -k docker", rule],
    ["a key in front", "-a always,exit -k docker -F arch=b64 -F path=/etc/docker -F perm=rwxa", rule],
    ["more blanks", "  -a  always,exit\t-F arch=b64 -F path=/etc/docker -F perm=rwxa -F key=docker ", rule],
    ["a watch", "-w /etc/docker -p aw -k docker", "-w /etc/docker -p wa -k docker"],
    ["a watch with its key first", "-w /etc/docker -k docker -p wa", "-w /etc/docker -p wa -k docker"],
    ["never", "-a exit,never -F dir=/var/lib/docker", "-a never,exit -F dir=/var/lib/docker"],
    ["a system call", "-a always,exit -F arch=b64 -S mount -F key=m", "-a always,exit -F arch=b64 -S mount -F key=m"],
  ])("%s", (_, written, normalized) => {
    expect(normalizeAuditRule(written)).toBe(normalized);
  });

  it("tells rules apart that audit something else", () => {
    const others = [rule.replace("b64", "b32"), rule.replace("path=", "dir="), rule.replace("rwxa", "wa"), rule.replace("always", "never"), rule.replace("key=docker", "key=other"), `${rule} -F auid!=0`, "-w /etc/docker -p rwxa -k docker"];
    expect(new Set([rule, ...others].map(normalizeAuditRule)).size).toBe(others.length + 1);
  });

  it.each(["rename", "openat", "chmod", "execve", "readlink", "fsetxattr"])("takes a list without %s for a narrower rule", (call) => {
    expect(normalizeAuditRule(listedByAudit4.replace(`,${call},`, ","))).not.toBe(rule);
  });

  it("of a normalized rule is that rule", () => {
    const permissions = fc.shuffledSubarray(["r", "w", "x", "a"], { minLength: 1 }).map((letters) => letters.join(""));
    const key = fc.tuple(fc.constantFrom("-k ", "-F key="), fc.constantFrom("docker", "a_b")).map((words) => words.join(""));
    const syscallForm = fc
      .tuple(fc.constantFrom("always,exit", "exit,always", "never,exit", "exit,never"), fc.shuffledSubarray(["-F arch=b64", "-S all", "-S mount", "-F path=/a", "-F dir=/b", "-F auid>=1000"]), permissions, key)
      .map(([filter, fields, letters, name]) => `-a ${filter} ${[...fields, `-F perm=${letters}`, name].join(" ")}`);
    const watchForm = fc.tuple(permissions, key).map(([letters, name]) => `-w /etc/docker -p ${letters} ${name}`);
    fc.assert(
      fc.property(fc.oneof(syscallForm, watchForm), (written) => {
        const once = normalizeAuditRule(written);
        expect(normalizeAuditRule(once)).toBe(once);
      }),
    );
  });
});

describe("the rules of a file", () => {
  it("are its lines but for comments and blank ones", () => {
    expect(auditRulesOf(`# ${rule}\n\n  ${rule}\r\n-w /a -p wa -k docker\n`)).toEqual([rule, "-w /a -p wa -k docker"]);
  });
});

describe("the path that a rule watches", () => {
  it.each([
    [rule, "/etc/docker"],
    ["-a always,exit -F dir=/var/lib/docker -F perm=wa", "/var/lib/docker"],
    ["-w /etc/docker -p wa", "/etc/docker"],
    ["-a always,exit -S mount", undefined],
  ])("%s", (written, path) => {
    expect(watchedPath(written)).toBe(path);
  });
});

describe("what of our rules is in effect", () => {
  const other = rule.replace("/etc/docker", "/etc/other");
  const on = known({ enabled: "1" });

  it("is what the kernel has, in the file's order, without other people's rules", () => {
    const kernel = known([other.replace("arch=b64", "arch=b64 -S all"), "-w /home -p wa", rule]);
    expect(auditInEffect([rule, other, rule.replace("b64", "b32")], kernel, on)).toBe(`${rule}\n${other}\n`);
  });

  it.each([
    ["auditing is off", known([rule]), known({ enabled: "0" }), "auditing is off (auditctl -s: enabled 0)"],
    ["nobody can say whether it is on", known([rule]), unknown("auditctl: not found"), "unknown: auditctl: not found"],
    ["the rules can't be listed", unknown("no"), on, "unknown: no"],
  ])("is said in words when %s", (_, kernel, status, text) => {
    expect(auditInEffect([rule], kernel, status)).toBe(text);
  });
});
