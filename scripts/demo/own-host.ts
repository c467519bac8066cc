/** The demo on a host of the user's own: what it is and what would change. Nothing is changed without --yes. */

import { homedir } from "node:os";
import { join } from "node:path";
import { describe, UnreachableError } from "../../src/remote/ssh.ts";
import { DemoError } from "./error.ts";
import type { DemoOptions } from "./options.ts";
import { ScratchStack } from "./scratch-stack.ts";
import { bold, type Steps } from "./steps.ts";
import { renderSummary, renderTable, type Snapshot } from "./table.ts";
import { viewHost, type View } from "./view.ts";

type Target = NonNullable<DemoOptions["host"]>;

/** @returns the exit code: 1 when the change would be refused. */
export async function demoOnOwnHost(steps: Steps, target: Target, { yes, profile }: DemoOptions): Promise<number> {
  const name = target.host.replaceAll(/[^A-Za-z0-9]+/g, "-").replaceAll(/^-|-$/g, "");
  // Whoever says --yes wants to go back some day: this state must outlive the demo.
  const stack = new ScratchStack(`lab-${name.toLowerCase()}`, stateFolder(name));
  await stack.write([
    [["drydock:profile"], profile],
    [["drydock:hosts", name, "connection"], target],
  ]);
  const before = await steps.run(`This is ${describe(target)} as it is now. It is read, nothing is changed.`, async () => show(await view(stack, name, target)));
  await steps.run(`This is what the profile ${profile} would change there, and what it would cost. Nothing is changed.`, () => stack.pulumi(["preview"]));
  if (before.refused.length > 0) {
    console.log(`\n${bold("It would be refused")}, and nothing was changed on ${describe(target)}:\n${before.refused.map((reason) => `   - ${reason}`).join("\n")}\n\nThe stack file is stacks/Pulumi.${stack.name}.yaml, the host is called ${name} there.`);
    return 1;
  }
  if (yes) {
    await steps.run("You said --yes: `pulumi up` makes this change as one transaction.", () => stack.pulumi(["up", "--yes", "--skip-preview"]));
    await steps.run("The same host, read again.", async () => show(await view(stack, name, target), before));
  }
  sayHowToGoOn(stack, yes);
  return 0;
}

// --- Internal ---

async function view(stack: ScratchStack, name: string, target: Target): Promise<View> {
  try {
    return await viewHost(stack, name);
  } catch (cause) {
    if (!(cause instanceof UnreachableError)) throw cause;
    throw new DemoError(`${cause.message}\n\n${hintFor(cause.message, target)}`, { cause });
  }
}

function hintFor(message: string, { host, port, user }: Target): string {
  const words = `${port === 22 ? "" : `-p ${port} `}${user === undefined ? "" : `${user}@`}${host}`;
  if (!message.includes("the host key is not known")) {
    return `The demo connects as \`ssh ${words}\` does, so that one must work first; keys come from your agent and ~/.ssh/config.`;
  }
  return `Connect once by hand, \`ssh ${words}\`, and compare the fingerprint it shows with what the host itself says on its
console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`;
}

function show<T extends Snapshot>(now: T, before?: Snapshot): T {
  console.log(`${renderTable(now, before)}\n${renderSummary(now.summary, true)}`);
  return now;
}

/** XDG's folder for what should outlive a run but is no document of the user's. */
function stateFolder(name: string): string {
  const base = process.env.XDG_STATE_HOME;
  return join(base === undefined || base === "" ? join(homedir(), ".local", "state") : base, "drydock", "demo", name);
}

function sayHowToGoOn(stack: ScratchStack, changed: boolean): void {
  console.log(`
${changed ? bold("The host is hardened.") : bold("Nothing was changed.")} To go on, with the stack file stacks/Pulumi.${stack.name}.yaml (git ignores it):

${stack.howToEnter}
   pulumi preview --diff -s ${stack.name}  # what would change, or what somebody touched
   pulumi up -s ${stack.name}              # make it so
   pulumi destroy -s ${stack.name}         # give the original back; the host needs \`allow: [restore-original]\` in the stack file`);
}
