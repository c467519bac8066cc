/** The whole of it with an engine that is a stand-in: for backends that can't be had here. */

import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HostArgs } from "../../../src/desired/host-inputs.ts";
import { checkpointText, urnOf, type Left } from "../../support/history.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-roll-back-"));
  mkdirSync(join(folder, "answers"));
  // `pulumi stack export --version 2 --stack prod …` prints the file `stack export 2`, and notes its words.
  writeFileSync(
    join(folder, "pulumi"),
    `#!/bin/sh
echo "$*" >>'${folder}/calls'
[ -z "\${DRYDOCK_ROLLBACK:-}" ] || cp "$DRYDOCK_ROLLBACK" '${folder}/hosts.json'
name="$1"; case "$1" in stack) name="$1 $2" ;; esac
case "$*" in *--version*) name="$name $(echo "$*" | sed 's/.*--version \\([0-9]*\\).*/\\1/')" ;; *"--page "*) name="$name $(echo "$*" | sed 's/.*--page \\([0-9]*\\).*/\\1/')" ;; esac
[ -f "${folder}/answers/$name" ] || { echo "error: $name is not known" >&2; exit 255; }
cat "${folder}/answers/$name"
`,
  );
  chmodSync(join(folder, "pulumi"), 0o755);
});
afterEach(() => rmSync(folder, { recursive: true }));

const answer = (name: string, text: string) => writeFileSync(join(folder, "answers", name), text);
const calls = () => readFileSync(join(folder, "calls"), "utf8").trim().split("\n").map((line) => line.replace(" --non-interactive --color never", ""));
const hosts = () => JSON.parse(readFileSync(join(folder, "hosts.json"), "utf8")) as Record<string, HostArgs>;

function run(...words: string[]): Promise<{ code: number; output: string }> {
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH ?? ""}` };
  return new Promise((resolve) => {
    execFile(process.execPath, [join(import.meta.dirname, "../../../scripts/rollback.ts"), ...words], { env }, (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), output: `${stdout}${stderr}` }));
  });
}

const entry = (version: number, more: object = {}) => ({ version, kind: "update", startTime: "2026-11-23T12:54:28.000Z", message: `number ${version}`, environment: {}, result: "succeeded", ...more });
const at = (level: string, more: Partial<HostArgs> = {}) => ({ args: { daemon: { "log-level": level }, ...more } });
const connection = (host: string) => ({ connection: { host, port: 22 } });
const update = (name: string, before: Left["hosts"], after: Left["hosts"]) => {
  const inputsOf = (left: Left["hosts"]) => (JSON.parse(checkpointText(left)) as { checkpoint: { latest: { resources: { urn: string; inputs: object }[] } } }).checkpoint.latest.resources.find(({ urn }) => urn === urnOf(name))?.inputs;
  return `${JSON.stringify({ resourcePreEvent: { metadata: { op: "update", urn: urnOf(name), old: { inputs: inputsOf(before) }, new: { inputs: inputsOf(after) } } } })}\n${end}`;
};
/** The engine's last word. */
const end = JSON.stringify({ summaryEvent: { result: "succeeded" } });

function onCloud(): void {
  answer("whoami", `{"user":"ann","url":"https://app.pulumi.example/ann"}`);
  // More than a page.
  const all = Array.from({ length: 103 }, (_, i) => entry(103 - i));
  answer("stack history 1", JSON.stringify(all.slice(0, 100)));
  answer("stack history 2", JSON.stringify(all.slice(100)));
  const left: Left["hosts"][] = [{ web1: at("info", connection("192.0.2.1")), web2: at("info") }, { web1: at("warn"), web2: at("warn") }];
  for (let version = 1; version <= 103; version++) answer(`stack export ${version}`, checkpointText((version < 103 ? left[0] : left[1]) ?? {}));
  answer("stack export", checkpointText({ web1: at("warn", { ...connection("192.0.2.9"), allow: ["restore-original"] }), web2: at("warn"), web3: at("warn") }));
  answer("up", "Updating\n");
}

describe("on Pulumi Cloud", () => {
  it("the checkpoint of that version is asked for, and applied where the host is now, with the consents of today and those asked for", async () => {
    onCloud();
    answer("preview", update("web1", { web1: at("warn") }, { web1: at("info") }));
    const { code, output } = await run("acme/drydock/nobody", "--to", "2", "--host", "web1", "--allow", "hide-containers", "--yes");
    expect(code, output).toBe(0);
    expect(calls()).toEqual([
      "stack export --stack acme/drydock/nobody",
      "whoami --verbose --json",
      "stack history --json --page-size 100 --page 1 --stack acme/drydock/nobody",
      "stack history --json --page-size 100 --page 2 --stack acme/drydock/nobody",
      "stack export --version 2 --stack acme/drydock/nobody",
      `preview --json --stack acme/drydock/nobody --target ${urnOf("web1")}`,
      `up --yes --skip-preview --message rollback to update 2 (number 2) --stack acme/drydock/nobody --target ${urnOf("web1")}`,
      "stack export --stack acme/drydock/nobody",
    ]);
    expect(hosts()).toMatchObject({ web1: { daemon: { "log-level": "info" }, connection: { host: "192.0.2.9" }, allow: ["hide-containers", "restore-original"] }, web2: { daemon: { "log-level": "warn" } }, web3: { daemon: { "log-level": "warn" } } });
    expect(output).toContain("web1 is back at update 2.");
    expect(existsSync(/\S*drydock-rollback-\S*/.exec(output)?.[0] ?? "/nowhere")).toBe(false);
  });

  it("the table has all pages, and the one before is the last that left something else", async () => {
    onCloud();
    answer("preview", end);
    const { code, output } = await run("nobody");
    expect(code, output).toBe(0);
    expect(output).toContain("and 83 older ones");
    expect(output).toContain("Back to update 102, 2026-11-23 12:54 UTC: number 102");
    expect(output).toContain("Nothing to do: the 2 hosts are as in update 102 already. Nothing was touched.");
    expect(calls().filter((words) => words.startsWith("up"))).toEqual([]);
  });

  it("what would be refused is shown with the consent that it needs, and a failure ends with 1", async () => {
    onCloud();
    const refusal = { diagnosticEvent: { urn: urnOf("web1"), severity: "error", message: "web1: this would be refused: changing userns-remap hides 1 container; to consent, add to this host: allow: [hide-containers]\n" } };
    answer("preview", `${JSON.stringify(refusal)}\n${update("web1", { web1: at("warn") }, { web1: at("info") })}`);
    rmSync(join(folder, "answers/up"));
    const { code, output } = await run("nobody", "--to", "1", "--yes");
    expect(code).toBe(1);
    expect(output).toContain("To consent for this rollback alone: --allow hide-containers");
    expect(output).toContain("rollback: not every host went back; what each one said is above.");
    expect(output).not.toContain("is back at");
  });

  it("a host that waits for its window is not back, and its window, consents and address are today's whatever was found on it", async () => {
    onCloud();
    const window = ["daily 01:00-02:00 UTC"];
    const found = (level: string) => at(level, { ...connection("192.0.2.9"), allow: ["restore-original"], window, modes: { "/etc/docker/daemon.json": "absent" } });
    answer("stack export", checkpointText({ web1: { ...found("warn"), asApplied: false, deferred: true }, web2: at("warn"), web3: found("warn") }));
    answer("preview", [update("web1", { web1: at("warn") }, { web1: at("info") }), update("web2", { web2: at("warn") }, { web2: at("info") })].join("\n"));
    const { code, output } = await run("nobody", "--to", "2", "--yes");
    expect(code).toBe(1);
    expect(hosts()).toMatchObject({ web1: { daemon: { "log-level": "info" }, connection: { host: "192.0.2.9" }, allow: ["restore-original"], window }, web3: { connection: { host: "192.0.2.9" }, modes: { "/etc/docker/daemon.json": "absent" } } });
    expect(output).toContain("\nweb2 is back at update 2.\n\nweb1 waits for its window and was not touched. Run the same command again in the window.\n");
  });

  it("a preview without an end tells nothing, and is an error", async () => {
    onCloud();
    answer("preview", "{\n  \"steps\": []\n}\n");
    const { code, output } = await run("nobody", "--to", "1", "--yes");
    expect(code).toBe(1);
    expect(output).toContain("rollback: the preview came to no end, so nobody knows what would change; nothing was touched");
    expect(calls().filter((words) => words.startsWith("up"))).toEqual([]);
  });

  it("a host of then that is not known to have been applied is not back, and the exit code says so", async () => {
    onCloud();
    for (let version = 1; version <= 2; version++) answer(`stack export ${version}`, checkpointText({ web1: at("info"), web2: { ...at("info"), deferred: true } }));
    answer("preview", update("web1", { web1: at("warn") }, { web1: at("info") }));
    const { code, output } = await run("nobody", "--to", "2", "--yes");
    expect(output).toContain("web1 is back at update 2.");
    expect(output).toContain("rollback: web2 was there then and is left as now, as said above. To go back without, name the others with --host.");
    expect(code).toBe(1);
    expect((await run("nobody", "--to", "2", "--host", "web1", "--yes")).code).toBe(0);
  });

  it("shows what a terminal would act on, and no secrets, before it asks", async () => {
    onCloud();
    const found = (files: Record<string, string>) => ({ ...at("warn", { files }) });
    answer("preview", update("web1", { web1: found({ "/etc/a": "x\u001b[2J\u001b[8m\nPASSWORD=hunter2\n" }) }, { web1: found({ "/etc/a": "x\n" }) }));
    const { output } = await run("nobody", "--to", "2", "--host", "web1", "--yes");
    expect(output).toContain("-x\\u001b[2J\\u001b[8m");
    expect(output).toContain("-PASSWORD=(hidden)");
    expect(output).not.toMatch(/\u001b|hunter2/);
  });

  it("a preview that fails is the end, and says why", async () => {
    onCloud();
    const { code, output } = await run("nobody", "--to", "1", "--yes");
    expect(code).toBe(1);
    expect(output).toContain("rollback: the preview failed, and nothing was touched:\nerror: preview is not known");
    expect(calls().filter((words) => words.startsWith("up"))).toEqual([]);
  });
});

describe("on another backend", () => {
  beforeEach(() => {
    answer("whoami", `{"user":"ann","url":"s3://id:key@bucket?region=eu&awssdk=v2"}`);
    answer("stack export", checkpointText({ web1: at("warn") }));
    answer("preview", update("web1", { web1: at("warn") }, { web1: at("info") }));
    answer("up", "Updating\n");
  });

  it("the history is refused, with what to do instead", async () => {
    const { code, output } = await run("nobody", "--to", "2", "--yes");
    expect(code).toBe(1);
    expect(output).toBe("rollback: s3://bucket: the history of this kind of backend can't be read from here; fetch the checkpoint that you want from it, .pulumi/history/drydock/nobody/nobody-<time>.checkpoint.json, and name it with --from <checkpoint.json>\n");
  });

  it("a file is taken, and nobody asks for the backend", async () => {
    writeFileSync(join(folder, "old.json"), checkpointText({ web1: at("info") }));
    const { code, output } = await run("nobody", "--from", join(folder, "old.json"), "--yes");
    expect(code, output).toBe(0);
    expect(calls().at(-2)).toBe(`up --yes --skip-preview --message rollback to old.json --stack nobody --target ${urnOf("web1")}`);
    expect(hosts()).toMatchObject({ web1: { daemon: { "log-level": "info" } } });
  });

  it.each([
    ["a file that is not there", ["--from", "/nowhere/old.json"], "rollback: --from /nowhere/old.json: is not there\n"],
    ["a file of something else", ["--from", "package.json"], "rollback: package.json: is neither a checkpoint nor what `pulumi stack export` prints\n"],
  ])("%s is refused", async (_, words, message) => {
    expect(await run("nobody", ...words, "--yes")).toEqual({ code: 1, output: message });
  });
});

it("a stack that is not there is the engine's own word", async () => {
  const { code, output } = await run("nobody");
  expect(code).toBe(1);
  expect(output).toBe("rollback: pulumi stack export --stack nobody ended with exit code 255: error: stack export is not known\n");
});
