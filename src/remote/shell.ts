/**
 * A word for a POSIX shell. zx's own quoting writes `$'…'`, which dash, the `sh` of Debian, does not know.
 *
 * @throws on a NUL character, which no argument can carry.
 */
export function quote(word: string): string {
  if (word.includes("\0")) throw new Error("a shell word cannot hold a NUL character");
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A here-document that no content can end early: it is base64, which the host's coreutils decode. */
export function hereBase64(command: string, content: string): string {
  const body = Buffer.from(content, "utf8").toString("base64").replace(/(.{1,120})/g, "$1\n");
  return `base64 -d <<'EOF' | ${command}\n${body}EOF\n`;
}
