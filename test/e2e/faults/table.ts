/** The table of what was tried, as it is kept in the repository: docs/faults.md. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import type { Row } from "./trial.ts";

/** The code that a trial covers: changed by one letter, the table has to be made again. */
const covered = ["src/remote", "src/provider/assess.ts", "src/provider/converge.ts", "src/provider/look.ts", "src/provider/release.ts", "src/provider/serve.ts"];

/** Of the code that the table is about. */
export function codeDigest(root: string): string {
  const hash = createHash("sha256");
  const files = covered.flatMap((path) => (statSync(join(root, path)).isDirectory() ? readdirSync(join(root, path), { recursive: true, encoding: "utf8" }).map((name) => join(path, name)) : [path]));
  for (const file of files.filter((name) => statSync(join(root, name)).isFile()).sort()) hash.update(`${relative(".", file)}\0`).update(readFileSync(join(root, file))).update("\0");
  return hash.digest("hex").slice(0, 16);
}

/** The digest that a table was made with. */
export const digestIn = (table: string): string | undefined => /^Code: ([0-9a-f]{16})\b/m.exec(table)?.[1];

/** The rows of a table, as many as it says. */
export const rowsIn = (table: string): string[] => table.split("\n").filter((line) => /^\| \d+ \|/.test(line));

export interface Circumstances {
  date: string;
  commit: string;
  digest: string;
  /** What it ran on, in a few words. */
  machine: string;
}

export function renderTable(rows: Row[], { date, commit, digest, machine }: Circumstances): string {
  const times = rows.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const lines = rows.map((row, i) => `| ${[String(i + 1), row.fault, row.step, row.evidence.replaceAll("|", String.raw`\|`), row.ended, row.container, String(row.seconds)].join(" | ")} |`);
  return `# What was tried to break an update

Made by \`npm run faults\`, not by hand. An update waits in one of its steps until the fault has struck, on a real Debian 12 with its own kernel, systemd, dockerd,
auditd and AppArmor. Each row is one \`pulumi up\` that leads from one state to another: it changes daemon.json (dockerd is restarted), audit rules, an
AppArmor profile and the limits of containers, while a container serves and keeps 4 MB of data.

A row is here only if, at its end, files with owners and modes, audit rules, AppArmor profiles, limits and what dockerd reports were **all** as in the
one state or **all** as in the other; dockerd answered; the container ran, without a new start unless the power was gone; its data had their sums; and nothing
of the transaction was left: no timer, no boot unit, no half-written file. Of the way back "ended" says: old, the host took the change back; new, it was kept.
Seconds are from the fault to the last word of the transaction, on an emulated machine about ten times slower than a real one, with \`DRYDOCK_CONFIRM_SECONDS=25\`
(60 otherwise); a boot is in it where there was one.

${rows.length} rows, 0 mixtures, 0 daemons lost, 0 bytes of user data lost. Median ${times[Math.floor(times.length / 2)] ?? 0} s, longest ${times.at(-1) ?? 0} s.

Date: ${date}. Commit: ${commit}. ${machine}.
Code: ${digest} (of ${covered.join(", ")}; a test fails when it is another).

| | fault | in the step | that it happened | ended | container | s |
| ---: | --- | --- | --- | --- | --- | ---: |
${lines.join("\n")}
`;
}
