import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { marker, renderMarkdown } from "../../src/drift/markdown.ts";
import { hostReport, recordedReport, report } from "../support/drift.ts";
import { temporaryFolder } from "../support/shell.ts";
import { FakeGitHub } from "../support/github.ts";
import { project, readWorkflow, WorkflowRun, type Job, type Ran } from "../support/workflow.ts";
import type { DriftReport } from "../../src/drift/report.ts";

const preview = readWorkflow("preview.yml");
const nightly = readWorkflow("drift.yml");
const job = (jobs: Record<string, Job>, name: string): Job => {
  const found = jobs[name];
  if (!found) throw new Error(`no job ${name}`);
  return found;
};

let github: FakeGitHub;
let run: WorkflowRun;

beforeEach(async () => {
  github = await new FakeGitHub().start();
  run = new WorkflowRun({});
});

afterEach(() => {
  github.stop();
  run.remove();
});

/** What the jobs before have handed on, by the index of their stack. */
async function post(name: "comment" | "issue", reports: (DriftReport | undefined)[], stacks = reports.map((_, i) => ["prod", "staging"][i] ?? ""), exitCode = 0, meddle: (folder: string) => void = () => undefined): Promise<Ran[]> {
  run.remove();
  run = new WorkflowRun({ "vars.DRYDOCK_STACKS": JSON.stringify(stacks), "github.event.pull_request.number": "12", "github.token": github.token }, { env: github.environment });
  reports.forEach((made, i) => {
    if (!made) return;
    const folder = join(run.folder, "artifacts", `drift-${i}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${i}.json`), JSON.stringify(made));
    writeFileSync(join(folder, `${i}.md`), renderMarkdown(made));
  });
  meddle(run.folder);
  const ran = await run.job(job(name === "comment" ? preview.jobs : nightly.jobs, name));
  expect(ran.map((step) => (step.exitCode === exitCode ? "" : step.output))).toEqual([""]);
  return ran;
}

const clean = report([hostReport()]);
const drifted = { ...recordedReport("after-a-failed-update"), stack: "prod" };
const changed = report([hostReport({ is: ["change"], isNew: true })], { exitCode: 2 });
const link = "[The run](https://github.example/ops/fleet/actions/runs/77)";

describe("the comment on a pull request", () => {
  it("is made, and updated in place", async () => {
    await post("comment", [drifted]);
    expect(github.posts).toEqual([expect.objectContaining({ on: 12, body: expect.stringContaining("+LimitCORE=infinity") as string })]);
    expect(github.posts[0]?.body).toContain(link);
    await post("comment", [changed]);
    expect(github.posts).toHaveLength(1);
    expect(github.posts[0]?.body).not.toContain("LimitCORE");
    expect(github.writes).toEqual(["POST issues/12/comments", "PATCH issues/comments/1"]);
  });

  it("is left alone when it says the same", async () => {
    await post("comment", [drifted]);
    await post("comment", [drifted]);
    expect(github.writes).toHaveLength(1);
  });

  it("is not made to say that nothing would happen, but brought up to date", async () => {
    await post("comment", [clean]);
    expect(github.posts).toEqual([]);
    await post("comment", [changed]);
    await post("comment", [clean]);
    expect(github.posts[0]?.body).toContain("The one host is as declared.");
  });

  it("is one for each stack", async () => {
    await post("comment", [drifted, { ...changed, stack: "staging" }]);
    expect(github.posts.map(({ body }) => body.split("\n")[0])).toEqual([marker("prod"), marker("staging")]);
  });

  it("is found behind many others, and nobody else's is touched", async () => {
    for (let i = 0; i < 150; i++) github.add({ on: 12, body: "a remark", user: { login: "somebody" } });
    github.add({ on: 12, body: `${marker("prod")} not ours`, user: { login: "somebody" } });
    github.add({ on: 13, body: `${marker("prod")} of another pull request` });
    const ours = github.add({ on: 12, body: `${marker("prod")} old` });
    await post("comment", [drifted]);
    expect(github.writes).toEqual([`PATCH issues/comments/${ours.id}`]);
  });

  it.each([["no report has been made", undefined], ["the report is of another stack", { ...drifted, stack: "other" }]])("says so when %s", async (_, made) => {
    await post("comment", [made], ["prod"]);
    expect(github.posts[0]?.body).toMatch(/^<!-- drydock:drift:prod -->\n[^]*Nobody knows how its hosts are/);
  });

  it("fits, however large the report is", async () => {
    const text = Array.from({ length: 3000 }, (_, i) => `+line ${i} ✓`).join("\n");
    await post("comment", [report(Array.from({ length: 50 }, (_, i) => hostReport({ name: `web${i}`, is: ["drift"], drift: [{ title: "/a", places: ["files./a"], text }] })), { exitCode: 3 })]);
    expect(Buffer.byteLength(github.posts[0]?.body ?? "")).toBeGreaterThan(40_000);
    expect(github.posts[0]?.body).toContain("Left out for its size");
    expect(github.posts[0]?.body).toContain(link);
  });
});

describe("the issue of the night", () => {
  it("is opened for drift, updated, and closed when every host is as declared", async () => {
    await post("issue", [drifted]);
    expect(github.posts).toEqual([expect.objectContaining({ title: "Drydock: stack prod is not as declared", state: "open" })]);
    await post("issue", [{ ...recordedReport("mixed"), stack: "prod" }]);
    expect(github.posts[0]?.body).toContain("could not be read");
    await post("issue", [clean]);
    expect(github.posts.map(({ state, on }) => [state, on])).toEqual([["closed", undefined], ["open", 1]]);
    await post("issue", [clean]);
    expect(github.writes).toEqual(["POST issues", "PATCH issues/1", "POST issues/1/comments", "PATCH issues/1"]);
  });

  it("is another one when it comes back", async () => {
    github.add({ body: `${marker("prod")} of last year`, state: "closed" });
    await post("issue", [drifted]);
    expect(github.writes).toEqual(["POST issues"]);
  });

  it("is opened when a host could not be read, or nobody could look", async () => {
    await post("issue", [{ ...recordedReport("mixed"), stack: "prod" }, undefined]);
    expect(github.posts.map(({ body }) => /could not be read|Nobody knows/.exec(body)?.[0])).toEqual(["could not be read", "Nobody knows"]);
  });

  it("is never taken for another stack's, whatever a host has put into a file: a marker counts only where we begin with it", async () => {
    const tampered = report([hostReport({ is: ["drift"], drift: [{ title: "/a", places: ["files./a"], text: `+# ${marker("staging")}` }] })], { exitCode: 3 });
    await post("issue", [{ ...tampered, stack: "prod" }, { ...clean, stack: "staging" }]);
    expect(github.posts.map(({ title, state }) => [title, state])).toEqual([["Drydock: stack prod is not as declared", "open"]]);
  });

  it("is told of each stack, whatever becomes of another", async () => {
    github.failing = /^POST issues$/;
    const [ran] = await post("issue", [drifted, undefined], ["prod", "staging"], 1);
    expect(github.refused).toBe(2);
    expect(ran?.output).toMatch(/prod: POST issues: GitHub answered 500[^]*staging: POST issues: GitHub answered 500/);
  });

  it("says that nobody knows where a report was cut off", async () => {
    await post("issue", [drifted, { ...drifted, stack: "staging" }], ["prod", "staging"], 0, (folder) => writeFileSync(join(folder, "artifacts", "drift-0", "0.json"), "{"));
    expect(github.posts.map(({ body }) => /Nobody knows|LimitCORE/.exec(body)?.[0])).toEqual(["Nobody knows", "LimitCORE"]);
  });

  it("is not opened for change alone, and not closed by it", async () => {
    await post("issue", [changed]);
    expect(github.posts).toEqual([]);
    await post("issue", [drifted]);
    await post("issue", [changed]);
    expect(github.posts[0]).toMatchObject({ state: "open", body: expect.stringContaining("would change because of the stack file") as string });
  });
});

it("the look takes no command of the runner's from what hosts have to say", () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "npm"), "#!/bin/sh\necho '  ::error::spoof'; echo '+# ##[error]all is well'; exit 1\n", { mode: 0o755 });
  const env = { PATH: `${folder}:${process.env.PATH ?? ""}`, STACK: "prod", INDEX: "0", REPORT: join(folder, "report"), GITHUB_OUTPUT: join(folder, "output"), GITHUB_STEP_SUMMARY: join(folder, "summary") };
  const lines = execFileSync(join(project, ".github/scripts/drift.sh"), { env, encoding: "utf8" }).trimEnd().split("\n");
  const word = /^::stop-commands::([0-9a-f]{32})$/.exec(lines[0] ?? "")?.[1] ?? "none";
  expect(lines.slice(1)).toEqual(["  ::error::spoof", "+# ##[error]all is well", `::${word}::`, "::error::npm run drift ended with exit code 1: what it said is above"]);
  expect(readFileSync(join(folder, "output"), "utf8")).toBe("code=1\n");
});

describe("the workflows", () => {
  const texts = readdirSync(join(project, ".github", "workflows")).map((name) => [name, readFileSync(join(project, ".github", "workflows", name), "utf8")] as const);

  it.each(texts)("%s pins every action by commit, and names its version", (_, text) => {
    const uses = text.split("\n").filter((line) => /^\s*(- )?uses:/.test(line));
    expect(uses.length).toBeGreaterThan(0);
    expect(uses.filter((line) => !/uses: [\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$/.test(line))).toEqual([]);
  });

  it.each(texts)("%s gives the shell nothing of the event but through the environment", (_, text) => {
    expect(text.match(/^\s*(- )?run:.*\$\{\{.*$/gm) ?? []).toEqual([]);
  });

  it("never hand a secret, or a token that may write, to a pull request's code", () => {
    expect(Object.keys(preview.on)).toEqual(["pull_request"]);
    expect(job(preview.jobs, "look").if).toContain("github.event.pull_request.head.repo.full_name == github.repository");
    expect(job(preview.jobs, "look").permissions).toEqual({ contents: "read" });
    const { steps } = job(preview.jobs, "comment");
    expect(JSON.stringify(steps)).not.toContain("secrets.");
    expect(steps[0]?.with).toEqual({ "ref": "${{ github.event.pull_request.base.sha }}", "persist-credentials": false });
    expect(steps.map(({ run: command }) => command).filter(Boolean)).toEqual(['node .github/scripts/comment.mjs "$REPORT"']);
  });

  it("look in the same way by day and by night", () => {
    expect(job(nightly.jobs, "look").steps.map(({ name, run: command, uses, env }) => ({ name, command, uses, env }))).toEqual(job(preview.jobs, "look").steps.map(({ name, run: command, uses, env }) => ({ name, command, uses, env })));
  });
});
