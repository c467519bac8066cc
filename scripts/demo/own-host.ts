/** The demo on a host of the user's own: what it is and what would change. Nothing is changed without --yes. */

import { homedir } from "node:os";
import { join } from "node:path";
import { describe, UnreachableError } from "../../src/remote/ssh.ts";
import type { DemoOptions } from "./options.ts";
import { DemoError } from "./error.ts";
import { ScratchStack } from "./scratch-stack.ts";
import { bold, type Steps } from "./steps.ts";
import { renderSummary, renderTable, type Snapshot } from "./table.ts";
import { viewHost, type DemoHost } from "./view.ts";

export async function demoOnOwnHost(steps: Steps, connection: NonNullable<DemoOptions["host"]>, { yes, profile }: DemoOptions): Promise<void> {
  const name = connection.host.replaceAll(/[^A-Za-z0-9]+/g, "-");
  const host: DemoHost = { name, config: { "drydock:profile": profile, "drydock:hosts": { [name]: { connection } } } };
  // Whoever says --yes wants to go back some day: this state must outlive the demo.
  const stack = new ScratchStack(`lab-${name.toLowerCase()}`, stateFolder(name));
  const before = await steps.run(`This is ${describe(connection)} as it is now. It is read, nothing is changed.`, async () => show(await view(host, connection)));
  const code = await steps.run(`This is what the profile ${profile} would change there, and what it would cost. Nothing is changed.`, async () => {
    await stack.write(host.config);
    // A refusal is something to show, too.
    return stack.pulumi(["preview", "--diff"], { expect: [0, 1, 255] });
  });
  if (!yes || code !== 0) {
    console.log(code === 0 ? sayHowToGoOn(stack, connection, profile) : `\nThe preview says above what stands in the way. Nothing was changed on ${describe(connection)}.`);
    if (code !== 0) process.exitCode = 1;
    return;
  }
  await steps.run("You said --yes: `pulumi up` makes this change as one transaction.", () => stack.pulumi(["up", "--yes", "--skip-preview"]));
  await steps.run("The same host, read again.", async () => show(await view(host, connection), before));
  console.log(sayHowToGoOn(stack, connection, profile));
}

// --- Internal ---

async function view(host: DemoHost, connection: { host: string; port: number; user?: string }): Promise<Snapshot> {
  try {
    return await viewHost(host);
  } catch (cause) {
    if (!(cause instanceof UnreachableError)) throw cause;
    throw new DemoError(`${cause.message}\n\nThe demo connects as \`ssh ${sshWords(connection)}\` does: try that first. Keys come from your agent or ~/.ssh/config, the host key from known_hosts.`, { cause });
  }
}

function show(now: Snapshot, before?: Snapshot): Snapshot {
  console.log(`${renderTable(now, before)}\n${renderSummary(now.summary, true)}`);
  return now;
}

const sshWords = ({ host, port, user }: { host: string; port: number; user?: string }) => `${port === 22 ? "" : `-p ${port} `}${user === undefined ? "" : `${user}@`}${host}`;

/** XDG's folder for what should outlive a run but is no document of the user's. */
function stateFolder(name: string): string {
  const base = process.env.XDG_STATE_HOME;
  return join(base === undefined || base === "" ? join(homedir(), ".local", "state") : base, "drydock", "demo", name);
}

function sayHowToGoOn(stack: ScratchStack, connection: { host: string; port: number; user?: string }, profile: string): string {
  const exports = Object.entries(stack.environment).map(([name, value]) => `export ${name}='${value}'`);
  const asked = `npm run demo -- --host ${describe(connection)}${profile === "strict" ? "" : ` --profile ${profile}`} --yes`;
  return `
${bold("To go on")}, with the stack file stacks/Pulumi.${stack.name}.yaml (git ignores it):

   ${exports.join("\n   ")}
   export PATH="$PWD/node_modules/.bin:$PATH"
   pulumi preview --diff -s ${stack.name}    # what would change, or what somebody touched
   pulumi up -s ${stack.name}                # make it so (the same as ${asked})
   pulumi destroy -s ${stack.name}           # give the original back; needs \`allow: [restore-original]\` in the stack file`;
}
