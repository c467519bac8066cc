import { describe, expect, it } from "vitest";
import { permissionsOn } from "../../src/cis/audit-checks.ts";
import { evaluateHost } from "../../src/cis/evaluate.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { defaultHost } from "../support/observation.ts";

const rule = (path: string, how = "path") => `-a always,exit -F arch=b64 -F ${how}=${path} -F perm=wa -F key=docker`;

describe("which rules cover a path", () => {
  it.each([
    ["a path", "/etc/docker", [rule("/etc/docker")], "wa"],
    ["a folder", "/etc/docker", [rule("/etc/docker", "dir")], "wa"],
    ["a watch as auditctl -l prints it", "/etc/docker", ["-w /etc/docker/ -p rwxa -k docker"], "rwxa"],
    ["no perm= is all of them", "/etc/docker", ["-a always,exit -F path=/etc/docker -F key=docker"], "rwxa"],
    ["the CIS spelling", "/run/containerd", ["-a exit,always -F path=/run/containerd -F perm=war -k docker"], "rwa"],
    ["two rules add up", "/etc/docker", ["-w /etc/docker -p w -k a", "-w /etc/docker -p a -k b"], "wa"],
    ["auditctl of audit 4 fills in the system calls of perm=", "/etc/docker", ["-a always,exit -F arch=b64 -S open,bind,truncate,ftruncate,rename,mkdir,rmdir,creat,link,unlink,symlink,chmod,fchmod,chown,fchown,lchown,mknod,acct,swapon,quotactl,setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr,openat,mkdirat,mknodat,fchownat,unlinkat,renameat,linkat,symlinkat,fchmodat,fallocate,renameat2,openat2 -F path=/etc/docker -F perm=wa -F key=docker"], "wa"],
    ["merged directories", "/lib/systemd/system/docker.service", [rule("/usr/lib/systemd/system/docker.service")], "wa"],
    ["/var/run is /run", "/run/docker.sock", [rule("/var/run/docker.sock")], "wa"],
  ])("%s", (_what, path, rules, permissions) => {
    expect(permissionsOn(path, rules)).toBe(permissions);
  });

  it.each([
    ["a file below does not cover its folder", "/etc/docker", [rule("/etc/docker/daemon.json")]],
    ["a folder above is not enough: a later mount escapes it", "/var/lib/docker", [rule("/var/lib", "dir")]],
    ["a longer name that contains it", "/usr/bin/containerd", [rule("/usr/bin/containerd-shim")]],
    ["reads alone", "/etc/docker", ["-w /etc/docker -p r -k docker"]],
    ["a filter on the user lets others through", "/etc/docker", ["-a always,exit -F path=/etc/docker -F perm=wa -F auid>=1000 -F key=docker"]],
    ["fewer system calls than its permissions need", "/etc/docker", ["-a always,exit -F arch=b64 -S open,truncate -F path=/etc/docker -F perm=wa -F key=docker"]],
    ["some system calls only", "/etc/docker", ["-a always,exit -F arch=b64 -S unlink -F path=/etc/docker -F key=docker"]],
    ["an exception before it", "/etc/docker", ["-a never,exit -F path=/etc/docker", rule("/etc/docker")]],
    ["Fedora's default switches every rule off", "/etc/docker", ["-a never,task", rule("/etc/docker")]],
    ["another list", "/etc/docker", ["-a always,exclude -F path=/etc/docker"]],
    ["no rule at all", "/etc/docker", []],
  ])("%s", (_what, path, rules) => {
    expect(permissionsOn(path, rules)).toBeUndefined();
  });
});

const resultFor = (id: string, change: Partial<Observation>) => evaluateHost(defaultHost(change)).find((result) => result.id === id);
const both = (rules: string[]): Partial<Observation> => ({ auditRules: known(rules), auditRulesOnDisk: known(rules) });

describe("the verdict", () => {
  it.each([
    ["1.1.6", "in kernel and files", both([rule("/etc/docker")]), "pass", "auditctl -l has a rule for /etc/docker"],
    ["1.1.6", "nowhere", both([]), "fail", "auditctl -l has no rule that records writes to /etc/docker"],
    ["1.1.6", "loaded by hand", { auditRules: known([rule("/etc/docker")]), auditRulesOnDisk: known([]) }, "fail", "in the kernel until the next boot only: no file has a rule for /etc/docker"],
    ["1.1.6", "deleted from the kernel", { auditRules: known([]), auditRulesOnDisk: known([rule("/etc/docker")]) }, "fail", "auditctl -l has no rule that records writes to /etc/docker"],
    ["1.1.6", "an immutable kernel", { auditRules: known([]), auditRulesOnDisk: known([rule("/etc/docker")]), auditStatus: known({ enabled: "2" }) }, "pending", "waits for a reboot: the kernel takes no more audit rules (auditctl -s: enabled 2)"],
    ["1.1.6", "auditing switched off", { ...both([rule("/etc/docker")]), auditStatus: known({ enabled: "0" }) }, "fail", "auditctl -l has no rule that records writes to /etc/docker"],
    ["1.1.6", "no auditctl", { auditRules: unknown("auditctl: not found"), auditRulesOnDisk: known([rule("/etc/docker")]) }, "unknown", "auditctl -l: auditctl: not found"],
    ["1.1.13", "a file that Debian does not have", both([]), "not applicable", "/etc/sysconfig/docker is not on this host"],
    ["1.1.3", "the benchmark's path alone, another binary runs", both([rule("/usr/bin/dockerd")]), "fail", "auditctl -l has no rule that records writes to /usr/sbin/dockerd"],
    ["1.1.3", "the binary that runs and the benchmark's path", both([rule("/usr/bin/dockerd"), rule("/usr/sbin/dockerd")]), "pass", "auditctl -l has a rule for /usr/bin/dockerd, /usr/sbin/dockerd"],
    ["1.1.9", "the socket without its unit", both([rule("/run/docker.sock")]), "fail", "auditctl -l has no rule that records writes to /lib/systemd/system/docker.socket"],
  ] as const)("%s: %s", (id, _what, change, verdict, evidence) => {
    expect(resultFor(id, change)).toMatchObject({ verdict, evidence });
  });

  it("does not take files it could not read for files without a rule", () => {
    const change = { auditRules: known([rule("/etc/docker")]), auditRulesOnDisk: unknown("cat: Input/output error") };
    expect(resultFor("1.1.6", change)).toMatchObject({ verdict: "unknown", onDisk: "unknown: cat: Input/output error", evidence: "cat: Input/output error" });
  });
});
