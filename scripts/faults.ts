/**
 * `npm run faults`: every fault in every step of an update, on lab machines; the table goes to docs/faults.md. What has passed is kept
 * in a cache until the code changes, so that a run that was cut off goes on where it stood.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureImage } from "../lab/machine-image.ts";
import { LabError, readSettings } from "../lab/settings.ts";
import { steps, type Step } from "../test/e2e/faults/breakpoint.ts";
import type { Fault } from "../test/e2e/faults/fault.ts";
import { faults } from "../test/e2e/faults/faults.ts";
import { FaultHost } from "../test/e2e/faults/host.ts";
import { trial } from "../test/e2e/faults/trial.ts";
import { parseWords, runCommand } from "./command.ts";
import { root } from "./engine.ts";
import { committed } from "./faults/commit.ts";
import { withoutRow } from "./faults/without-row.ts";
import { Passed } from "./faults/passed.ts";
import { codeDigest, covered, renderTable, type Run } from "./faults/table.ts";
import { whereMeasured } from "./where-measured.ts";

const USAGE = `npm run faults [-- options]     about an hour on two cores without KVM
  --only <text>       only rows whose fault or step has that text; no table is written, and the code need not be committed
  --machines <n>      lab machines side by side (default 2)
  --again             forget what has passed already`;

interface Case {
  fault: Fault;
  step: Step;
}

await runCommand("faults", [LabError], async (args) => {
  const mistake = (text: string, options: ErrorOptions) => new LabError(text, options);
  const { values } = parseWords(() => parseArgs({ args, options: { only: { type: "string" }, machines: { type: "string", default: "2" }, again: { type: "boolean", default: false } } }), USAGE, mistake);
  if (!/^[1-8]$/.test(values.machines)) throw new LabError(`--machines is "${values.machines}": allowed is a number from 1 to 8`);
  const { only } = values;
  const cases = faults.flatMap((fault) => fault.steps.map((step): Case => ({ fault, step }))).filter((one) => (only === undefined ? !withoutRow.includes(nameOf(one)) : nameOf(one).includes(only)));
  if (cases.length === 0) throw new LabError(`--only is "${only ?? ""}": no row has that text`);

  // Before an hour's work: of code that no commit has nothing is kept.
  const commit = await committed(root, covered).catch((error: unknown) => {
    if (only === undefined) throw error;
  });
  const digest = codeDigest(root);
  const { machine, date } = await whereMeasured();
  const { accelerator } = await ensureImage(readSettings());
  const where = `${machine}; ${values.machines} machine${values.machines === "1" ? "" : "s side by side"}, ${accelerator === "kvm" ? "KVM" : "software emulation"}`;
  const run: Run = { date: `${date} ${new Date().toISOString().slice(11, 16)}`, commit: commit ?? "", machine: where };
  const passed = new Passed(join(readSettings().folder, "faults", `${digest}.json`), values.again);
  // The earlier it strikes, the less there is to take back: what is wrong shows early.
  const order = Object.keys(steps);
  const waiting = cases.filter((one) => passed.row(nameOf(one)) === undefined).sort((a, b) => order.indexOf(a.step) - order.indexOf(b.step));
  console.log(`${cases.length} rows, ${cases.length - waiting.length} passed before with this code`);
  const problems: string[] = [];
  const work = async (name: string): Promise<void> => {
    let host: FaultHost | undefined;
    try {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        try {
          host ??= await prepared(name);
          const row = await trial(host, next.fault, next.step);
          if (commit !== undefined) passed.add(nameOf(next), { ...row, run });
          console.log(`ok    ${nameOf(next)}: ${row.ended}, ${row.seconds} s; ${row.evidence}; daemon ${row.daemon}; container ${row.container}; files ${row.files}; kernel ${row.kernel}; data ${row.data}`);
        } catch (error) {
          const problem = `FAIL  ${nameOf(next)}: ${error instanceof Error ? error.message : String(error)}`;
          problems.push(problem);
          console.log(problem);
          // Whatever it is in now, the next row begins on a machine that is whole.
          await host?.stop();
          host = undefined;
        }
      }
    } finally {
      await host?.stop();
    }
  };
  await Promise.all(Array.from({ length: Number(values.machines) }, (_, i) => work(`faults-${i + 1}`)));
  if (problems.length > 0) {
    console.log(`${problems.length} of ${cases.length} rows failed; docs/faults.md is as it was`);
    return 1;
  }
  if (only === undefined) {
    if (codeDigest(root) !== digest) throw new LabError("the code was changed while it was tried; docs/faults.md is as it was");
    const rows = cases.flatMap((one) => passed.row(nameOf(one)) ?? []);
    writeFileSync(join(root, "docs/faults.md"), renderTable(rows, digest, withoutRow));
    console.log(`docs/faults.md: ${rows.length} rows`);
  }
  return 0;
});

// --- Internal ---

async function prepared(name: string): Promise<FaultHost> {
  console.log(`${name}: a machine is made ready`);
  const host = await FaultHost.start(name);
  try {
    await host.harden();
  } catch (error) {
    await host.stop();
    throw error;
  }
  return host;
}

function nameOf({ fault, step }: Case): string {
  return `${fault.name}, ${step}`;
}
