/** The demo on a throw-away machine: hardened, damaged, repaired, given back. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findMachine, startMachine, type Machine } from "../../lab/machine.ts";
import { DemoError } from "./error.ts";
import { ScratchStack } from "./scratch-stack.ts";
import { bold, dim, type Steps } from "./steps.ts";
import { differences, renderSummary, renderTable, type Snapshot } from "./table.ts";
import { tamperings } from "./tampering.ts";
import { viewHost } from "./view.ts";

/** The machine, and the host in the stack file. */
const name = "demo";

export async function demoOnLab(steps: Steps, { keep, profile }: { keep: boolean; profile: string }): Promise<void> {
  const stack = new ScratchStack("lab-demo", mkdtempSync(join(tmpdir(), "drydock-demo-")));
  let machine: Machine | undefined;
  try {
    machine = await steps.run("A default Debian 12 with Docker boots in QEMU, so that nothing of yours is touched.", boot);
    const before = await lookAround(steps, machine, stack, profile);
    await harden(steps, stack, before);
    await damageAndRepair(steps, machine, stack);
    if (keep) sayHowToGoOn(stack);
    else await giveBack(steps, stack, before);
  } finally {
    if (!keep) {
      await machine?.stop();
      stack.remove();
    }
  }
}

// --- Internal ---

async function boot(): Promise<Machine> {
  // A machine that an earlier `--keep` left: the demo starts from a default host.
  const running = await findMachine(name);
  const machine = await startMachine({ name, replace: running !== undefined, log: (line) => console.log(`   ${line}`) });
  await machine.waitForDocker();
  console.log(`   It is 127.0.0.1 port ${machine.port}; we are ${machine.connection().user} there, who may use sudo.`);
  return machine;
}

function lookAround(steps: Steps, machine: Machine, stack: ScratchStack, profile: string): Promise<Snapshot> {
  return steps.run("This is how Docker comes: what each setting is now, and what the CIS benchmark says.", async () => {
    await stack.write([
      [["drydock:profile"], profile],
      [["drydock:hosts", name], { connection: machine.connection("ops"), allow: ["hide-containers", "restore-original"] }],
    ]);
    return show(await viewHost(stack, name));
  });
}

async function harden(steps: Steps, stack: ScratchStack, before: Snapshot): Promise<void> {
  await steps.run("The stack file names the host and a profile; `pulumi preview` shows what would change, and changes nothing.", async () => {
    console.log(dim(`   ${stack.file}`));
    await stack.pulumi(["preview"]);
  });
  await steps.run("`pulumi up` makes the change as one transaction: files, daemon, kernel, checked afterwards.", () => stack.pulumi(["up", "--yes", "--skip-preview"]));
  await steps.run("The same host, read again: the files, the kernel and the running daemon, not what we believe.", async () => show(await viewHost(stack, name), before));
}

async function damageAndRepair(steps: Steps, machine: Machine, stack: ScratchStack): Promise<void> {
  await steps.run("Somebody touches three settings, each in another place.", () => damage(machine));
  await steps.run("`pulumi preview --diff` reads the host first: (refresh) is what somebody did to it, (update) is the way back.", async () => {
    // 7: the engine's code for --expect-no-changes when there are some.
    const code = await stack.pulumi(["preview", "--diff", "--expect-no-changes"], { expect: [7] });
    console.log(`   Exit code ${code}: with --expect-no-changes drift fails a CI job.`);
  });
  await steps.run("`pulumi up` repairs it.", () => stack.pulumi(["up", "--yes", "--skip-preview"]));
  await steps.run("The next run finds nothing to do and touches nothing.", () => stack.pulumi(["up", "--yes", "--skip-preview", "--expect-no-changes"]));
}

async function giveBack(steps: Steps, stack: ScratchStack, before: Snapshot): Promise<void> {
  await steps.run("`pulumi destroy` gives the original back: the pristine files, the daemon as it was.", () => stack.pulumi(["destroy", "--yes", "--skip-preview"]));
  await steps.run("The host once more: everything should be as in the beginning.", async () => {
    const differing = differences(before, await viewHost(stack, name));
    if (differing.length > 0) throw new DemoError(`pulumi destroy left something behind:\n${differing.join("\n")}`);
    console.log(`   Every line of the first table is what it was: ${before.summary.passed} passed, ${before.summary.failed} failed.`);
  });
}

function show(now: Snapshot, before?: Snapshot): Snapshot {
  console.log(`${renderTable(now, before)}\n${renderSummary(now.summary, before !== undefined)}`);
  return now;
}

async function damage(machine: Machine): Promise<void> {
  for (const { place, what, script } of tamperings) {
    console.log(`   ${bold(place)}: ${what}`);
    const { exitCode, stderr } = await machine.ssh(script);
    if (exitCode !== 0) throw new DemoError(`the demo could not damage its machine ${place}: ${stderr.trim()}`);
  }
}

function sayHowToGoOn(stack: ScratchStack): void {
  console.log(`
${bold("The machine stays up.")} To go on with it:

${stack.howToEnter}
   npm run lab -- ssh ${name}             # look around, break something
   pulumi preview --diff -s ${stack.name}  # what is different
   pulumi up -s ${stack.name}              # repair it
   pulumi destroy -s ${stack.name}         # give the original back
   npm run lab -- down ${name}            # throw the machine away`);
}
