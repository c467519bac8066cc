/** Folders with all that a container may leave in one, and what tells two of them apart. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, lchownSync, linkSync, lstatSync, lutimesSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";

export const isRoot = process.getuid?.() === 0;

export interface Leaf {
  kind: "file" | "link" | "hard link" | "fifo" | "whiteout" | "folder";
  /** Content, target of a link, or the other name. */
  text: string;
  mode: number;
  owner: number;
  /** Seconds since 1970; 0 leaves it as it comes. */
  time: number;
}

export type Tree = Record<string, Leaf>;

/** What overlayfs marks a removed file with: a device that is none. Only root can make it. */
const kinds: Leaf["kind"][] = ["file", "file", "file", "folder", "folder", "link", "hard link", "fifo", ...(isRoot ? ["whiteout" as const] : [])];
const names = ["a", "b", "-c", "d\ne", "f g"];
/** Written so that counterexamples stay readable. */
const hole = "(hole)";
const holeBytes = 70_000;

const leaf: fc.Arbitrary<Leaf> = fc.record({
  kind: fc.constantFrom(...kinds),
  text: fc.constantFrom("", "one", "two", `${hole}end`, hole, "a", "../b", "/nonexistent/x"),
  mode: fc.constantFrom(0o644, 0o600, 0o755, 0o4755, 0o1777),
  owner: isRoot ? fc.constantFrom(0, 1000, 70_000) : fc.constant(process.getuid?.() ?? 0),
  // So few that a file of another content often has the size and the time of the one before.
  time: fc.constantFrom(0, 1_600_000_000, 1_600_000_000.25),
});

const path = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));

/** Leaves below something that is no folder are left out when it is built. */
export const tree: fc.Arbitrary<Tree> = fc.dictionary(path, leaf, { maxKeys: 9, noNullPrototype: true });

/** Makes a folder hold just this, and goes no further than it has to: what may stay is changed in place. */
export function build(folder: string, wanted: Tree): void {
  mkdirSync(folder, { recursive: true });
  const paths = Object.keys(wanted).sort();
  const fits = paths.filter((name) => parents(name).every((parent) => (wanted[parent]?.kind ?? "folder") === "folder"));
  const folders = new Set([...fits.flatMap(parents), ...fits.filter((name) => wanted[name]?.kind === "folder")]);
  for (const name of walk(folder).reverse()) {
    const stat = lstatSync(join(folder, name));
    const stays = stat.isDirectory() ? folders.has(name) : stat.isFile() && stat.nlink === 1 && wanted[name]?.kind === "file" && fits.includes(name);
    if (!stays) rmSync(join(folder, name), { recursive: true, force: true });
  }
  for (const name of [...folders].sort()) mkdirSync(join(folder, name), { recursive: true });
  const special: string[] = [];
  const made = fits.filter((name) => {
    const { kind, text } = wanted[name] as Leaf;
    const at = join(folder, name);
    if (kind === "file") writeFileSync(at, "");
    if (kind === "file" && text.startsWith(hole)) truncateSync(at, holeBytes);
    if (kind === "file") writeFileSync(at, text.replace(hole, ""), { flag: "a" });
    if (kind === "link") symlinkSync(text || "nowhere", at);
    if (kind === "fifo") special.push(`mkfifo "$${special.length + 1}"`);
    if (kind === "whiteout") special.push(`mknod "$${special.length + 1}" c 0 0`);
    return kind !== "hard link";
  });
  const at = made.filter((name) => ["fifo", "whiteout"].includes(wanted[name]?.kind ?? "")).map((name) => join(folder, name));
  if (at.length > 0) execFileSync("sh", ["-c", special.join("\n"), "sh", ...at]);
  // Another name for what stands nearest before it. tar(1) keeps these of files and links, and makes of each name of a device or
  // a fifo one of its own.
  for (const [index, name] of fits.entries()) {
    const other = fits.slice(0, index).findLast((before) => ["file", "link"].includes(wanted[before]?.kind ?? ""));
    if (wanted[name]?.kind === "hard link" && other !== undefined) linkSync(join(folder, other), join(folder, name));
  }
  for (const name of made) {
    const { kind, mode, owner } = wanted[name] as Leaf;
    lchownSync(join(folder, name), owner, owner);
    if (kind !== "link") chmodSync(join(folder, name), mode);
  }
  for (const name of made.reverse()) {
    const { time } = wanted[name] as Leaf;
    if (time > 0) lutimesSync(join(folder, name), time, time);
  }
}

/** A line an entry, with all that a copy has to keep. What belongs to a filesystem itself is left out. */
export function snapshot(folder: string): string[] {
  const firstOf = new Map<bigint, string>();
  return walk(folder)
    .filter((name) => !/^(lost\+found|\.drydock-copying)(\/|$)/.test(name))
    .map((name) => {
      const at = join(folder, name);
      const stat = lstatSync(at, { bigint: true });
      const links = stat.isDirectory() ? 0n : stat.nlink;
      const first = firstOf.get(stat.ino) ?? name;
      firstOf.set(stat.ino, first);
      const content = stat.isFile() ? createHash("sha256").update(readFileSync(at)).digest("hex").slice(0, 12) : stat.isSymbolicLink() ? readlinkSync(at) : "";
      const size = stat.isDirectory() ? 0n : stat.size;
      return [JSON.stringify(name), stat.mode.toString(8), stat.uid, stat.gid, size, stat.mtimeNs, links, links > 1n ? JSON.stringify(first) : "", stat.rdev, content].join(" ");
    });
}

// --- Internal ---

const parents = (name: string): string[] => (dirname(name) === "." ? [] : [...parents(dirname(name)), dirname(name)]);

/** readdir's own `recursive` follows links. */
function walk(folder: string, below = ""): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true })
    .flatMap((entry) => [join(below, entry.name), ...(entry.isDirectory() ? walk(folder, join(below, entry.name)) : [])])
    .sort();
}
