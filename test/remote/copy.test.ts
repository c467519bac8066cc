/** The copying itself, for real: tar, find, sort, comm and cmp of the machine on real folders. */

import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, lchownSync, linkSync, lstatSync, lutimesSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { transactionProgram } from "../../src/remote/apply.ts";
import { sh, temporaryFolder } from "../support/shell.ts";
import { build, isRoot, snapshot, tree } from "../support/trees.ts";

const functions = transactionProgram.slice(0, transactionProgram.lastIndexOf("case $command in"));

/** A folder with what is copied (`from`) and the copy (`to`). */
class Copying {
  readonly folder = temporaryFolder();
  readonly from = join(this.folder, "from");
  readonly to = join(this.folder, "to");

  constructor() {
    mkdirSync(this.from);
    mkdirSync(join(this.to, ".drydock-copying"), { recursive: true });
    mkdirSync(join(this.folder, "stage"));
    writeFileSync(join(this.folder, "stage/settings"), "PROGRESS_SECONDS=60\n");
  }

  /** What functions of the program print, and how they end. */
  run(commands: string): { status: number | null; said: string } {
    const script = [
      "set -- test \"$1/stage\"",
      functions.replaceAll("/var/lib/drydock", this.folder).replace("show_progress() {", "shown_progress() {"),
      // It would tell of itself for as long as the machine is slow.
      "show_progress() { :; }",
      // Nothing is mounted here.
      "read_from_disk() { :; }",
      `mount_point=${this.folder}/from copy=${this.folder}/to`,
      commands,
    ].join("\n");
    const { status, stdout, stderr } = spawnSync(sh, ["-c", script, "sh", this.folder], { encoding: "utf8" });
    return { status, said: `${stdout}${stderr}`.replaceAll(this.folder, "") };
  }

  at(name: string): string {
    return join(this.from, name);
  }
}

const both = "copy_tree stopped; compare_trees";
const done = { status: 0, said: "" };
const refused = (text: RegExp): object => ({ status: 1, said: expect.stringMatching(text) as unknown });
const inode = (path: string): number => statSync(path).ino;

/** An extended attribute, set by the one tool that is needed anyway. @returns whether the filesystem has them */
function setNote(path: string, note: string): boolean {
  const script = `cd "$1" && tar --create --no-recursion --format=posix --pax-option="SCHILY.xattr.user.note:=$3" --file=- -- "$2" | tar --extract --xattrs --xattrs-include='*' --file=-`;
  return spawnSync("sh", ["-c", script, "sh", join(path, ".."), basename(path), note]).status === 0 && noteOf(path) === note;
}

function noteOf(path: string): string | undefined {
  const { stdout } = spawnSync("tar", ["--create", "--no-recursion", "--format=posix", "--xattrs", "--xattrs-include=*", "--file=-", `--directory=${join(path, "..")}`, basename(path)], { encoding: "latin1" });
  return /SCHILY\.xattr\.user\.note=(.*)\n/.exec(stdout)?.[1];
}

describe("a copy", () => {
  it("of any folder, brought up to date after any change, is equal", () => {
    fc.assert(
      fc.property(tree, tree, (before, after) => {
        const copying = new Copying();
        build(copying.from, before);
        expect(copying.run("copy_tree running")).toEqual(done);
        build(copying.from, after);
        expect(copying.run(both)).toEqual(done);
        expect(snapshot(copying.to)).toEqual(snapshot(copying.from));
        rmSync(copying.folder, { recursive: true });
      }),
      { numRuns: 10 },
    );
  }, 120_000);

  it.each<[string, (copying: Copying) => void, (copying: Copying) => void]>([
    ["a file that changed and kept its size and its time", (copying) => { writeFileSync(copying.at("f"), "one"); lutimesSync(copying.at("f"), 1e9, 1e9); }, (copying) => { writeFileSync(copying.at("f"), "two"); lutimesSync(copying.at("f"), 1e9, 1e9); }],
    ["a file that is gone", (copying) => writeFileSync(copying.at("f"), ""), (copying) => rmSync(copying.at("f"))],
    ["a folder that became a file", (copying) => mkdirSync(copying.at("d/e"), { recursive: true }), (copying) => { rmSync(copying.at("d"), { recursive: true }); writeFileSync(copying.at("d"), ""); }],
    ["a file that became a folder", (copying) => writeFileSync(copying.at("d"), ""), (copying) => { rmSync(copying.at("d")); mkdirSync(copying.at("d/e"), { recursive: true }); }],
    ["a folder that became a link to another", (copying) => { mkdirSync(copying.at("d")); writeFileSync(copying.at("d/f"), ""); }, (copying) => { rmSync(copying.at("d"), { recursive: true }); symlinkSync("/etc", copying.at("d")); }],
    ["a link that became a folder", (copying) => symlinkSync("/etc", copying.at("d")), (copying) => { rmSync(copying.at("d")); mkdirSync(copying.at("d")); writeFileSync(copying.at("d/hostname"), "ours"); }],
    ["a link with another target", (copying) => symlinkSync("a", copying.at("l")), (copying) => { rmSync(copying.at("l")); symlinkSync("b", copying.at("l")); }],
    ["a file that got a second name", (copying) => writeFileSync(copying.at("f"), "x"), (copying) => linkSync(copying.at("f"), copying.at("g"))],
    ["two names that became two files", (copying) => { writeFileSync(copying.at("f"), "x"); linkSync(copying.at("f"), copying.at("g")); }, (copying) => { rmSync(copying.at("g")); writeFileSync(copying.at("g"), "x"); }],
    ["another mode", (copying) => writeFileSync(copying.at("f"), "x"), (copying) => chmodSync(copying.at("f"), 0o4711)],
    ["a folder that was renamed", (copying) => { mkdirSync(copying.at("d")); writeFileSync(copying.at("d/f"), "x"); }, (copying) => renameSync(copying.at("d"), copying.at("e"))],
    ["a fifo that became a file", (copying) => execFileSync("mkfifo", [copying.at("p")]), (copying) => { rmSync(copying.at("p")); writeFileSync(copying.at("p"), "x"); }],
  ])("follows %s", (_, before, after) => {
    const copying = new Copying();
    before(copying);
    expect(copying.run("copy_tree running")).toEqual(done);
    after(copying);
    expect(copying.run(both)).toEqual(done);
    expect(snapshot(copying.to)).toEqual(snapshot(copying.from));
  });

  it("leaves what stands outside as it is, wherever links lead", () => {
    const copying = new Copying();
    mkdirSync(join(copying.folder, "outside"));
    writeFileSync(join(copying.folder, "outside/f"), "untouched");
    symlinkSync(join(copying.folder, "outside"), join(copying.to, "d"));
    mkdirSync(copying.at("d"));
    writeFileSync(copying.at("d/f"), "ours");
    expect(copying.run(both)).toEqual(done);
    expect(readFileSync(join(copying.folder, "outside/f"), "utf8")).toBe("untouched");
    expect(lstatSync(join(copying.to, "d")).isDirectory()).toBe(true);
  });

  it("copies nothing again that has not changed", () => {
    const copying = new Copying();
    writeFileSync(copying.at("f"), "x");
    copying.run("copy_tree running");
    const [before] = [inode(join(copying.to, "f"))];
    writeFileSync(copying.at("g"), "y");
    expect(copying.run(both)).toEqual(done);
    expect(inode(join(copying.to, "f"))).toBe(before);
  });

  it("has the holes of a file, and is the same where the other one has none", () => {
    const copying = new Copying();
    writeFileSync(copying.at("sparse"), "");
    truncateSync(copying.at("sparse"), 64 * 2 ** 20);
    writeFileSync(copying.at("zeros"), Buffer.alloc(2 ** 20));
    expect(copying.run(both)).toEqual(done);
    expect(statSync(join(copying.to, "sparse")).size).toBe(64 * 2 ** 20);
    expect(statSync(join(copying.to, "sparse")).blocks).toBeLessThan(100);
  });

  it("leaves sockets out, and what is the filesystem's own", async () => {
    const copying = new Copying();
    const server = createServer();
    await new Promise<void>((listening) => void server.listen(copying.at("s"), listening));
    mkdirSync(join(copying.to, "lost+found"));
    expect(copying.run(both)).toEqual(done);
    server.close();
    expect(existsSync(join(copying.to, "s"))).toBe(false);
    expect(existsSync(join(copying.to, "lost+found"))).toBe(true);
  });

  it("of a folder that is not there is nothing", () => {
    const copying = new Copying();
    rmSync(copying.from, { recursive: true });
    expect(copying.run(both)).toEqual(done);
    expect(snapshot(copying.to)).toEqual([]);
  });

  it("minds nothing that goes away while containers run", () => {
    const copying = new Copying();
    for (const name of ["a", "b", "c"]) writeFileSync(copying.at(name), name);
    // After it was listed, before it is read.
    expect(copying.run(`tar() { rm -f "$mount_point/b"; command tar "$@"; }; copy_tree running`)).toEqual(done);
    expect(copying.run(both)).toEqual(done);
    expect(snapshot(copying.to)).toEqual(snapshot(copying.from));
  });

  it("is no copy when something goes away while nothing should", () => {
    const copying = new Copying();
    for (const name of ["a", "b"]) writeFileSync(copying.at(name), name);
    expect(copying.run(`tar() { rm -f "$mount_point/b"; command tar "$@"; }; copy_tree stopped`)).toEqual(refused(/^not all of \/from can be read: .*b: Cannot stat: No such file or directory/));
  });

  it("ends when the disk is full, also while containers run", () => {
    const copying = new Copying();
    writeFileSync(copying.at("a"), "a");
    const full = `tar() { case "$*" in *--extract*) cat >/dev/null; echo "tar: ./a: Wrote only 512 of 10240 bytes: No space left on device" >&2; return 2 ;; *) command tar "$@" ;; esac; }`;
    for (const when of ["running", "stopped"]) expect(copying.run(`${full}; copy_tree ${when}`)).toEqual(refused(/^the copy of \/from failed: .*No space left on device/));
  });

  it("says how far it is", () => {
    const copying = new Copying();
    writeFileSync(copying.at("a"), Buffer.alloc(3 * 2 ** 20));
    const script = `lists=$copy/.drydock-copying; list_tree "$mount_point" >"$lists/wanted"; sleep() { [ ! -e "$lists/slept" ] && : >"$lists/slept"; }; shown_progress`;
    expect(copying.run(script)).toEqual({ status: 0, said: expect.stringMatching(/^copied \d+ of about 3 MiB\n$/) as unknown });
  });
});

describe("extended attributes", () => {
  it("come along, change, and go", ({ skip }) => {
    const copying = new Copying();
    for (const name of ["f", "g"]) writeFileSync(copying.at(name), "x");
    mkdirSync(copying.at("d"));
    skip(!["f", "g", "d"].every((name) => setNote(copying.at(name), "one")), "this filesystem has none");
    expect(copying.run("copy_tree running")).toEqual(done);
    expect(["f", "g", "d"].map((name) => noteOf(join(copying.to, name)))).toEqual(["one", "one", "one"]);
    setNote(copying.at("f"), "two");
    setNote(copying.at("d"), "two");
    rmSync(copying.at("g"));
    writeFileSync(copying.at("g"), "x");
    expect(copying.run(both)).toEqual(done);
    expect(["f", "g", "d"].map((name) => noteOf(join(copying.to, name)))).toEqual(["two", undefined, "two"]);
  });

  // tar(1) takes none off a folder that is there: it is found out, and only a copy from the start helps.
  it("go from a folder that was made anew", ({ skip }) => {
    const copying = new Copying();
    mkdirSync(copying.at("d"));
    skip(!setNote(copying.at("d"), "one"), "this filesystem has none");
    copying.run("copy_tree running");
    rmSync(copying.at("d"), { recursive: true });
    mkdirSync(copying.at("d"));
    expect(copying.run("copy_and_compare")).toEqual({ status: 0, said: expect.stringMatching(/the copy differs: .*\ncopying all of \/from once more, and comparing again\n$/s) as unknown });
    expect(copying.run(both)).toEqual(done);
  });

  it("that differ are found out", ({ skip }) => {
    const copying = new Copying();
    writeFileSync(copying.at("f"), "x");
    skip(!setNote(copying.at("f"), "one"), "this filesystem has none");
    expect(copying.run("copy_tree stopped")).toEqual(done);
    setNote(join(copying.to, "f"), "two");
    expect(copying.run("lists=$copy/.drydock-copying; compare_trees")).toEqual(refused(/^the copy differs: /));
  });
});

describe("a copy that differs is found out", () => {
  it.each<[string, (copy: (name: string) => string) => void, RegExp]>([
    ["by one byte, with the same size and time", (copy) => { writeFileSync(copy("f"), "onf"); lutimesSync(copy("f"), 1e9, 1e9); }, /^the copy differs: .*\.\/f: Contents differ/],
    ["by its length", (copy) => writeFileSync(copy("f"), "longer"), /\.\/f: Size differs/],
    ["by a mode", (copy) => chmodSync(copy("f"), 0o666), /\.\/f: Mode differs/],
    ["by the mode of a folder", (copy) => chmodSync(copy("d"), 0o700), /\.\/d: Mode differs/],
    ["by a time", (copy) => lutimesSync(copy("f"), 1e9, 1e9 + 1), /\.\/f: Mod time differs/],
    ["by the time of a folder", (copy) => lutimesSync(copy("d"), 1e9, 1e9 + 1), /^the copy differs: /],
    ["by the target of a link", (copy) => { rmSync(copy("l")); symlinkSync("g", copy("l")); }, /\.\/l: Symlink differs/],
    ["by a type", (copy) => { rmSync(copy("f")); symlinkSync("f", copy("f")); }, /\.\/f: File type differs/],
    ["by a second name that is a file of its own", (copy) => { rmSync(copy("h")); writeFileSync(copy("h"), "one"); lutimesSync(copy("h"), 1e9, 1e9); }, /\.\/h: Not linked to/],
    ["by a file too many", (copy) => writeFileSync(copy("more"), ""), /^the copy has other files than \/from\n$/],
    ["by a file too few", (copy) => rmSync(copy("f")), /^the copy has other files than \/from\n$/],
    ...(isRoot ? [["by an owner", (copy: (name: string) => string) => lchownSync(copy("f"), 7, 0), /\.\/f: Uid differs/] as [string, (copy: (name: string) => string) => void, RegExp]] : []),
  ])("%s", (_, tamper, text) => {
    const copying = new Copying();
    mkdirSync(copying.at("d"));
    writeFileSync(copying.at("f"), "one");
    linkSync(copying.at("f"), copying.at("h"));
    lutimesSync(copying.at("f"), 1e9, 1e9);
    symlinkSync("f", copying.at("l"));
    expect(copying.run(both)).toEqual(done);
    tamper((name) => join(copying.to, name));
    expect(copying.run("compare_trees")).toEqual(refused(text));
  });
});
