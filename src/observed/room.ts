/** What filesystems have left, and what is wrong with them. */

export interface Room {
  path: string;
  /** Free ones, without those that are kept for root. */
  bytes: number;
  inodes: number;
  /** All inodes there are; 0 where they are made as they are needed (btrfs). */
  allInodes: number;
}

// 18022183 4096 16069043 16777216 /var/lib
export function parseRoom(text: string): Room[] {
  return text.split("\n").filter(Boolean).map((line) => {
    const [, blocks, size, inodes, allInodes, path = ""] = /^(\d+) (\d+) (\d+) (\d+) (.+)$/.exec(line) ?? [];
    if (path === "") throw new Error(`stat -f printed something unexpected: ${line.slice(0, 80)}`);
    return { path, bytes: Number(blocks) * Number(size), inodes: Number(inodes), allInodes: Number(allInodes) };
  });
}

// 254:0 3
export function parseDiskErrors(text: string): Record<string, number> {
  return Object.fromEntries(
    text.split("\n").filter(Boolean).map((line): [string, number] => {
      const [, number = "", count] = /^(\d+:\d+) (\d+)$/.exec(line) ?? [];
      if (count === undefined) throw new Error(`not of this form: ${line.slice(0, 80)}`);
      return [number, Number(count)];
    }),
  );
}
