/** The table of what was tried, as it is kept in the repository: docs/faults.md. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import type { Row } from "../../test/e2e/faults/trial.ts";

/**
 * What a row depends on, changed by one letter the table has to be made again: all that makes of a stack file what is on a host, and the trials.
 */
export const covered = ["src/config", "src/desired", "src/effect", "src/observed", "src/plan", "src/provider", "src/remote", "templates", "test/e2e/faults"];

/** Of the code that the table is about. */
export function codeDigest(root: string): string {
  const hash = createHash("sha256");
  const files = covered.flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)));
  for (const file of files.filter((name) => statSync(join(root, name)).isFile()).sort()) hash.update(`${relative(".", file)}\0`).update(readFileSync(join(root, file))).update("\0");
  return hash.digest("hex").slice(0, 16);
}

/** The digest that a table was made with. */
export const digestIn = (table: string): string | undefined => /^Code: ([0-9a-f]{16})\b/m.exec(table)?.[1];

/** When, of which commit and where a row was tried. */
export interface Run {
  /** Of its begin, e.g. `2026-11-23 14:05` UTC. */
  date: string;
  commit: string;
  /** What it ran on, in a few words. */
  machine: string;
}

/** A row, and the run that it comes from. */
export type TriedRow = Row & { run: Run };

/** What a row claims, as it is read: from a trial, or from the table. */
export type Claim = Pick<Row, "ended" | "daemon" | "container" | "files" | "kernel" | "data">;

/** What the table promises that none of its rows is; counted, and not taken for granted. */
export function count(rows: Claim[]): { mixtures: number; daemonsLost: number; bytesLost: number } {
  return {
    mixtures: rows.filter((row) => [row.daemon, row.files, row.kernel].some((part) => !isOf(part, row.ended))).length,
    daemonsLost: rows.filter(({ daemon }) => !daemon.startsWith("up, ")).length,
    bytesLost: rows.reduce((sum, { data }) => sum + bytesLost(data), 0),
  };
}

/** The rows of a table, as it has them. @throws when a row has not as many cells as the table has columns */
export function rowsIn(table: string): (Claim & { number: number; fault: string; step: string; evidence: string; seconds: number })[] {
  return table.split("\n").filter((line) => /^\| \d+ \|/.test(line)).map((line) => {
    const cells = line.slice(2, -2).split(" | ");
    const [number, fault = "", step = "", evidence = "", ended = "", daemon = "", container = "", files = "", kernel = "", data = "", seconds] = cells;
    if (cells.length !== 11) throw new Error(`not a row of the table: ${line}`);
    return { number: Number(number), fault, step, evidence, ended: ended as Row["ended"], daemon, container: container as Row["container"], files, kernel, data, seconds: Number(seconds) };
  });
}

/** @param withoutRow rows that it is without, as `fault, step` */
export function renderTable(rows: TriedRow[], digest: string, withoutRow: string[] = []): string {
  const times = rows.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const { mixtures, daemonsLost, bytesLost } = count(rows);
  const lines = rows.map((row, i) => `| ${[String(i + 1), row.fault, row.step, row.evidence.replaceAll("|", String.raw`\|`), row.ended, row.daemon, row.container, row.files, row.kernel, row.data, String(row.seconds)].join(" | ")} |`);
  return `# What was tried to break an update

Made by \`npm run faults\`, not by hand. An update waits in one of its steps until the fault has struck, on a real Debian 12 with its own kernel, systemd, dockerd,
auditd and AppArmor. Each row is one \`pulumi up\` (or \`destroy\`) that leads from one state to another: it changes daemon.json (dockerd is restarted), audit rules, an
AppArmor profile and the limits of containers, while a container serves and keeps 4 MB of data.

What the columns say was looked for at the end of each row, by itself, and a row is here only if all of it was right:

- ended: the state that the host had to end in. Old, the host took the change back; new, it was kept; original, as before the first update.
- daemon: dockerd is up, and the state whose settings it reports.
- container: it ran on with its start time, or was started again after a boot or a destroy.
- files: how many, and the state that has their owners, modes and sums. "Old, with theirs" is the old state with what somebody else changed meanwhile.
- kernel: how many audit rules, AppArmor profiles, limits and firewall rules are in effect, and of which state.
- data: bytes of the container's files with their sums of before, of all.
- s: seconds from the fault to the last word of the transaction, on an emulated machine several times slower than a real one, with \`DRYDOCK_CONFIRM_SECONDS=25\` (60
  otherwise, where dockerd dies after 20 s, and for two applies at once); a boot is in it where there was one.

Nothing of the transaction was left at the end of any: no timer, no boot unit, no half-written file. Where a firewall's rule or a setting of sshd locks the operator out in the middle of an
update, the trial puts it there beside the update and takes it away at the end: what is shown is that the host takes the update back with nobody's help, and begins that within the time limit, by
its own journal.

${rows.length} rows, ${mixtures} mixtures, ${daemonsLost} daemons lost, ${bytesLost} bytes of user data lost. Median ${times[Math.floor(times.length / 2)] ?? 0} s, longest ${times.at(-1) ?? 0} s.

${runsOf(rows).join("\n")}
Code: ${digest} (of ${covered.join(", ")}; a test fails when it is another).

| | fault | in the step | that it happened | ended | daemon | container | files | kernel | data | s |
| ---: | --- | --- | --- | --- | --- | --- | --- | --- | --- | ---: |
${lines.join("\n")}
${withoutRow.length === 0 ? "" : `\nWithout a row that passed with this code: ${withoutRow.join("; ")}.\n`}`;
}

// --- Internal ---

/** Each run with its rows: one that was cut off was gone on with by another. */
function runsOf(rows: TriedRow[]): string[] {
  const text = ({ run: { date, commit, machine } }: TriedRow) => `Date: ${date} UTC. Commit: ${commit}. ${machine}.`;
  const runs = [...new Set(rows.map(text))].sort();
  return runs.length === 1 ? runs : runs.map((run) => `- ${run} ${rows.filter((row) => text(row) === run).length} rows.`);
}

/** Whether the state that a part names is the one that the host ended in. */
function isOf(part: string, ended: Row["ended"]): boolean {
  const [, state = ""] = /^(?:up,|\d+) (.*)$/.exec(part) ?? [];
  return ended === "old, with what somebody else changed" ? state === "old" || state === "old, with theirs" : state === ended;
}

/** What cannot be read counts as lost. */
function bytesLost(data: string): number {
  const [, whole, all] = /^(\d+) of (\d+)$/.exec(data) ?? [];
  return Number(all ?? 1) - Number(whole ?? 0);
}
