/**
 * The system calls by which the kernel tells what is done to a file. auditctl of audit 4 fills them in where a rule has permissions and names
 * none (Debian 13: 4.0.2), and lists them; older ones and the kernel leave them out and mean the same.
 */

/**
 * Whether a list of system calls narrows nothing that the permissions ask for.
 *
 * @param permissions of `r`, `w`, `x`, `a`
 * @param listed as behind `-S`: `open,openat,unlinkat`
 */
export function coverPermissions(permissions: string, listed: string): boolean {
  const calls = new Set(listed.split(","));
  const hasOldOnes = Object.values(oldCalls).some((names) => names.some((name) => calls.has(name)));
  const classes = [callsEverywhere, ...(hasOldOnes ? [oldCalls] : [])];
  const needed = classes.flatMap((byPermission) => Object.entries(byPermission).flatMap(([letter, names]) => (permissions.includes(letter) ? names : [])));
  return needed.every((name) => calls.has(name));
}

// --- Internal ---

/** Of the kernel's classes (include/asm-generic/audit_*.h) those that change or read files and are on every architecture. */
const callsEverywhere: Record<string, string[]> = {
  r: ["openat", "readlinkat", "getxattr", "listxattr"],
  w: ["openat", "mkdirat", "mknodat", "unlinkat", "linkat", "symlinkat", "renameat2", "truncate", "ftruncate", "fallocate"],
  x: ["execve"],
  a: ["fchmod", "fchmodat", "fchown", "fchownat", "setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"],
};

/** Newer architectures (arm64, riscv64) have none of them, x86 has all. */
const oldCalls: Record<string, string[]> = {
  r: ["open", "readlink"],
  w: ["open", "creat", "rename", "mkdir", "rmdir", "link", "unlink", "symlink", "mknod"],
  a: ["chmod", "chown", "lchown"],
};
