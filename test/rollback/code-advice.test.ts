import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { adviseCode, type AskGit } from "../../src/rollback/code-advice.ts";
import type { Update } from "../../src/rollback/history.ts";

const file = "stacks/Pulumi.prod.yaml";
let folder: string;

const run = (...words: string[]) => execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "core.abbrev=7", ...words], { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
const git: AskGit = (words) => {
  try {
    return run(...words);
  } catch {
    return undefined;
  }
};

function commit(message: string, files: Record<string, string>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  run("add", "-A");
  run("commit", "-qm", message);
  return run("rev-parse", "HEAD").trim();
}

const advise = (update: Partial<Update>) => adviseCode({ number: 2, kind: "update", started: new Date(), message: "", dirty: false, succeeded: true, partial: false, ...update }, [file, "templates"], git);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-advice-"));
  run("init", "-q");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("to make the code agree", () => {
  it("one commit is reverted", () => {
    const old = commit("as it was", { [file]: "a", "templates/x.hbs": "a" });
    const mistake = commit("icc on", { [file]: "b" }).slice(0, 7);
    commit("something else", { "README.md": "c" });
    const short = old.slice(0, 7);
    expect(advise({ commit: old })).toBe(`Update 2 was made from commit ${short}. Since then:\n  ${mistake} icc on\nTo take that back: git revert ${mistake}, or git checkout ${short} -- ${file} templates`);
    // And it does what it says.
    run("revert", "--no-edit", mistake);
    expect(run("show", `HEAD:${file}`)).toBe("a");
  });

  it("several are, by the files they touched, also those that are not committed", () => {
    const old = commit("as it was", { [file]: "a", "templates/x.hbs": "a" });
    for (let i = 0; i < 12; i++) commit(`change ${i}`, { [file]: `${i}` });
    writeFileSync(join(folder, "templates/x.hbs"), "b");
    const text = advise({ commit: old });
    expect(text).toMatch(/change 11\n(.*\n){9} {2}and 2 older ones\n {2}changes that are not committed\nTo take that back: git checkout \w{7} -- stacks\/Pulumi.prod.yaml templates$/);
    run(...(/git (checkout .*)$/.exec(text)?.[1] ?? "").split(" "));
    expect(run("status", "--porcelain", "templates")).toBe("");
  });

  it("nothing is to be done where nothing has changed since", () => {
    expect(advise({ commit: commit("as it is", { [file]: "a" }) })).toMatch(/^stacks\/Pulumi.prod.yaml is as of commit \w{7} already; if `pulumi preview` shows a change, it comes from another commit of Drydock itself\.$/);
  });

  it.each<[string, () => Partial<Update>, RegExp]>([
    ["no commit is recorded", () => ({}), /^The history names no commit for update 2: make stacks\/Pulumi.prod.yaml say again what it said then\.$/],
    ["the commit is of another clone", () => ({ commit: "974b3ef0501801c80bf4ea037a3f603c2c61b7dd" }), /^Update 2 was made from commit 974b3ef, which is not in this clone: fetch it, then git checkout 974b3ef -- stacks\/Pulumi.prod.yaml$/],
    ["git does not have the stack file", () => ({ commit: commit("other", { "README.md": "a" }) }), /but git does not have stacks\/Pulumi.prod.yaml: make it say again what it said then\.$/],
    ["it was not all committed then", () => ({ commit: commit("as it was", { [file]: "a" }), dirty: true }), /^Update 2 was made from commit \w{7}, with changes that were not committed: make stacks\/Pulumi.prod.yaml say again what it said then\.$/],
  ])("by hand, where %s", (_, update, expected) => {
    expect(advise(update())).toMatch(expected);
  });
});
