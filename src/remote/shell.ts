/**
 * A word for a POSIX shell. zx's own quoting writes `$'…'`, which dash, the `sh` of Debian, does not know.
 *
 * @throws on a NUL character, which no argument can carry.
 */
export function quote(word: string): string {
  if (word.includes("\0")) throw new Error("a shell word cannot hold a NUL character");
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Writes a file there without a process: `printf` is part of the shell, so the content stands in no process list either.
 *
 * @throws on a NUL character, which no text has.
 */
export function writeFile(path: string, content: string): string {
  return `printf %s ${quote(content)} >${quote(path)}`;
}
