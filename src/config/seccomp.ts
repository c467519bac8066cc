/** What a stack file may say under `seccomp`: `builtin`, the profile inside the engine, or a profile in the engine's own JSON form. */

import { z } from "zod";

import { capabilities } from "./apparmor-words.ts";
import { showValue } from "./problems.ts";
import { syscallNames } from "./seccomp-syscalls.ts";
import { count, listOf, oneOf, setting, text, type Settled } from "./setting.ts";

/** Where the daemon finds it. */
export const seccompFile = "/etc/docker/drydock-seccomp.json";

const actions = [
  "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP",
] as const;

const architectures = [
  "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32",
  "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X",
  "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64",
] as const;

const operators = ["SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"] as const;

const manual = "https://docs.docker.com/engine/security/seccomp/";
const cost = "restart" as const;

const errno = count(0, 4095);
const architecture = oneOf(architectures);
const capability = z
  .enum(capabilities.map((name) => `CAP_${name.toUpperCase()}`) as [string, ...string[]])
  .meta({ allowed: "a capability, as CAP_SYS_ADMIN" });

const condition = z.strictObject({
  caps: setting(listOf(capability, "capabilities, as CAP_SYS_ADMIN"), { description: "The container has all of them.", cost }),
  arches: setting(listOf(oneOf(["386", "amd64", "amd64p32", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc", "ppc64", "ppc64le", "riscv64", "s390", "s390x", "x32", "x86"]), "architectures"), {
    description: "The host is one of them.",
    cost,
  }),
  minKernel: setting(text('a version such as "4.8"', /^[1-9]\d?\.\d{1,3}$/), { description: "The host's kernel is at least this one.", cost }),
}).meta({ allowed: "a table with caps, arches, minKernel" });

const argument = z.strictObject({
  index: count(0, 5),
  value: count(0),
  valueTwo: setting(count(0), { description: "The value to compare with under the mask `value`, of SCMP_CMP_MASKED_EQ.", cost }),
  op: oneOf(operators),
}).meta({ allowed: "a table { index, value, valueTwo, op }" });

const syscallName = z.enum(syscallNames as [string, ...string[]]).meta({ allowed: "the name of a system call" });

/** One of `syscalls`. */
export const seccompRule = z.strictObject({
  names: z.array(syscallName).min(1).meta({ allowed: "a list of system calls, at least one" }),
  action: oneOf(actions),
  errnoRet: setting(errno, { description: "The error that the program gets, with SCMP_ACT_ERRNO and SCMP_ACT_TRACE.", initially: "1, EPERM", cost }),
  args: setting(listOf(argument, "conditions { index, value, op }"), { description: "Only calls whose arguments are so; all of them must hold.", cost }),
  comment: setting(text("one line of text", /^/), { description: "For people.", cost }),
  includes: setting(condition, { description: "Only on hosts and for containers that are so.", cost }),
  excludes: setting(condition, { description: "Not on hosts and for containers that are so.", cost }),
}).meta({ allowed: "a table with names, action and, if wanted, errnoRet, args, comment, includes, excludes" });

export const seccompSchema = z
  .strictObject({
    defaultAction: setting(oneOf(actions), { description: "What happens to a system call that no rule names.", cost, cis: "5.22", see: manual }),
    defaultErrnoRet: setting(errno, { description: "The error that the program gets, with SCMP_ACT_ERRNO.", initially: "1, EPERM", cost, see: manual }),
    architectures: setting(listOf(architecture, "SCMP_ARCH_…"), { description: "Architectures that are filtered; not together with archMap.", cost, see: manual }),
    archMap: setting(
      listOf(
        z.strictObject({ architecture, subArchitectures: listOf(architecture, "SCMP_ARCH_…").nullable().optional() }).meta({ allowed: "a table { architecture, subArchitectures }" }),
        "tables { architecture, subArchitectures }",
      ),
      { description: "Architectures of the host, each with those that its kernel runs as well.", cost, see: manual },
    ),
    syscalls: setting(listOf(seccompRule, "rules { names, action }"), { description: "The rules.", cost, see: manual }),
  })
  .meta({ allowed: "builtin, or a table with defaultAction, defaultErrnoRet, architectures, archMap, syscalls" });

export type SeccompSettings = Settled<z.infer<typeof seccompSchema>>;

/** Without them no program starts or ends: each call of one line, one of the line is enough. */
const vital = [["execve", "execveat"], ["exit_group", "exit"], ["read"], ["mmap", "mmap2"], ["brk", "mmap"], ["write"]];

const passes = new Set<string>(["SCMP_ACT_ALLOW", "SCMP_ACT_LOG"]);

/** What is wrong with a profile as a whole, by the key that it stands at; nothing if it can be used. */
export function checkSeccomp(profile: SeccompSettings): { key: string; text: string }[] {
  const { defaultAction, syscalls = [], architectures: flat, archMap } = profile;
  if (defaultAction === undefined) return [{ key: "defaultAction", text: `needs a defaultAction; allowed: ${actions.join(", ")}` }];
  const findings: { key: string; text: string }[] = [];
  if (flat !== undefined && archMap !== undefined) findings.push({ key: "archMap", text: "architectures and archMap exclude each other, the daemon would not start" });
  for (const { names, action, args, errnoRet } of syscalls) {
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) findings.push({ key: "syscalls", text: `${showValue(twice)} stands twice in one rule` });
    const ignored = (args ?? []).find(({ op, valueTwo }) => op !== "SCMP_CMP_MASKED_EQ" && valueTwo !== undefined);
    if (ignored) findings.push({ key: "syscalls", text: `${names[0] ?? ""}: valueTwo belongs to SCMP_CMP_MASKED_EQ, ${ignored.op} has only value` });
    if (action === defaultAction && errnoRet === undefined) findings.push({ key: "syscalls", text: `${names[0] ?? ""}: ${action} is the defaultAction already, so the rule does nothing` });
  }
  const always = syscalls.filter(({ args, includes }) => (args ?? []).length === 0 && Object.keys(includes ?? {}).length === 0);
  const ends = (name: string): boolean => {
    const rules = always.filter(({ names }) => names.includes(name));
    return rules.length > 0 ? rules.every(({ action }) => !passes.has(action)) : !passes.has(defaultAction);
  };
  const lost = vital.find((names) => names.every(ends));
  if (lost) findings.push({ key: "syscalls", text: `${lost.join(" and ")} would be refused, so no container could start` });
  if (passes.has(defaultAction) && !syscalls.some(({ action }) => !passes.has(action))) {
    findings.push({ key: "defaultAction", text: `${defaultAction} with no rule that refuses something filters nothing, which is less than seccomp: builtin` });
  }
  return findings;
}
