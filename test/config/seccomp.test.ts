import { describe, expect, it } from "vitest";
import { readFleet } from "../../src/config/fleet.ts";
import { checkSeccomp, seccompFile, seccompSchema, type SeccompSettings } from "../../src/config/seccomp.ts";
import { syscallNames } from "../../src/config/seccomp-syscalls.ts";

const host = (own: Record<string, unknown>, defaults: Record<string, unknown> = {}) =>
  readFleet({ defaults, hosts: { web1: { connection: { host: "192.0.2.10" }, ...own } } }).hosts.get("web1");

const profile = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["bpf"], action: "SCMP_ACT_ERRNO" }] } as const;

describe("the layer", () => {
  it("names its file to the daemon", () => {
    expect(host({ seccomp: profile })?.daemon["seccomp-profile"]).toBe(seccompFile);
  });

  it.each(["builtin", null])("%s takes away what an earlier layer set, and the key with it", (word) => {
    const settings = host({ seccomp: word }, { seccomp: profile });
    expect(settings).not.toHaveProperty("seccomp");
    expect(settings?.daemon).not.toHaveProperty("seccomp-profile");
  });
});

describe("system calls", () => {
  it("are each named once, of old and new kernels and other architectures", () => {
    expect(new Set(syscallNames).size).toBe(syscallNames.length);
    expect(syscallNames).toEqual(expect.arrayContaining(["execve", "clone3", "socketcall", "fchmodat2", "mseal", "set_tls", "s390_pci_mmio_read", "riscv_flush_icache"]));
    expect(syscallNames.filter((name) => !/^[a-z_][a-z0-9_]+$/.test(name))).toEqual([]);
  });
});

/** All that the engine's own profile uses: moby/profiles seccomp/default.json, and its older form with empty parts. */
const likeBuiltin = {
  defaultAction: "SCMP_ACT_ERRNO",
  defaultErrnoRet: 1,
  archMap: [{ architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] }, { architecture: "SCMP_ARCH_RISCV64", subArchitectures: null }],
  syscalls: [
    { names: ["brk", "execve", "exit_group", "mmap", "read", "write"], action: "SCMP_ACT_ALLOW", args: [], comment: "", includes: {}, excludes: {} },
    { names: ["ptrace"], action: "SCMP_ACT_ALLOW", includes: { minKernel: "4.8" } },
    { names: ["personality"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: 0xffffffff, op: "SCMP_CMP_EQ" }] },
    { names: ["clone"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: 2114060288, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }], excludes: { caps: ["CAP_SYS_ADMIN"], arches: ["s390", "s390x"] } },
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38, excludes: { caps: ["CAP_SYS_ADMIN"] } },
  ],
};

describe("a profile", () => {
  it("in the form of the engine's own is one", () => {
    const parsed = seccompSchema.parse(likeBuiltin);
    expect(checkSeccomp(parsed as SeccompSettings)).toEqual([]);
  });

  it.each<[string, unknown, string[]]>([
    ["that lets exit_group be killed and exit, too", { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["exit", "exit_group"], action: "SCMP_ACT_KILL" }] }, ["syscalls: exit_group and exit would be refused, so no container could start"]],
    ["that keeps one of two ways", { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["execveat"], action: "SCMP_ACT_ERRNO" }] }, []],
    ["that allows what lets programs start only with a capability", { defaultAction: "SCMP_ACT_ERRNO", syscalls: [{ names: ["brk", "execve", "exit_group", "mmap", "read", "write"], action: "SCMP_ACT_ALLOW", includes: { caps: ["CAP_SYS_ADMIN"] } }] }, ["syscalls: execve and execveat would be refused, so no container could start"]],
    ["that only logs", { defaultAction: "SCMP_ACT_LOG" }, ["defaultAction: SCMP_ACT_LOG with no rule that refuses something filters nothing, which is less than seccomp: builtin"]],
    ["with a rule that says what holds anyway", { ...profile, syscalls: [...profile.syscalls, { names: ["chmod"], action: "SCMP_ACT_ALLOW" }] }, ["syscalls: chmod: SCMP_ACT_ALLOW is the defaultAction already, so the rule does nothing"]],
    ["with a name twice", { ...profile, syscalls: [{ names: ["bpf", "bpf"], action: "SCMP_ACT_ERRNO" }] }, ['syscalls: "bpf" stands twice in one rule']],
    ["with architectures in two forms", { ...profile, architectures: ["SCMP_ARCH_X86_64"], archMap: [{ architecture: "SCMP_ARCH_X86_64" }] }, ["archMap: architectures and archMap exclude each other, the daemon would not start"]],
    ["with a second value that nobody compares with", { ...profile, syscalls: [{ names: ["bpf"], action: "SCMP_ACT_ERRNO", args: [{ index: 0, value: 1, valueTwo: 2, op: "SCMP_CMP_EQ" }] }] }, ["syscalls: bpf: valueTwo belongs to SCMP_CMP_MASKED_EQ, SCMP_CMP_EQ has only value"]],
  ])("%s", (_, written, texts) => {
    expect(checkSeccomp(seccompSchema.parse(written) as SeccompSettings).map(({ key, text }) => `${key}: ${text}`)).toEqual(texts);
  });
});
