/** `npm run lab -- up|ssh|down|reset|list`: lab machines by hand. What they are: lab/machine.ts. */

import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { findMachine, listMachines, startMachine, type Machine } from "../lab/machine.ts";
import { LabError } from "../lab/settings.ts";
import { sshArguments } from "../lab/ssh.ts";
import { LAB_STACK_FILE, writeLabStackFile } from "../lab/stack-file.ts";
import { runCommand } from "./command.ts";
import { hosts, HOSTS_USAGE } from "./lab/hosts.ts";

const USAGE = `npm run lab -- up [name] [--fresh]     start a machine: resumed in seconds, or booted with --fresh
npm run lab -- ssh [name] [command]    a shell as ops, who may sudo; or one command
npm run lab -- reset [name]            throw its disk away and start it again on the same port
npm run lab -- down [name]             stop it, or all of them
npm run lab -- list                    what runs
${HOSTS_USAGE}
A machine is called "lab" unless a name is given. stacks/Pulumi.lab.yaml always has those that run.`;

const DEFAULT_NAME = "lab";

await runCommand("lab", [LabError], main);

async function main(args: string[]): Promise<number> {
  const verb = args[0];
  // What follows the machine's name belongs to the command in there, options too.
  if (verb === "ssh") return await ssh(args[1], args.slice(2));
  if (verb === "hosts") return await hosts(args.slice(1));
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { fresh: { type: "boolean", default: false } } });
  const name = positionals[1];
  switch (verb) {
    case "up":
      return await up(name ?? DEFAULT_NAME, values.fresh);
    case "reset":
      await (await running(name)).reset();
      return await list();
    case "down":
      return await down(name);
    case "list":
      return await list();
    default:
      console.error(USAGE);
      return verb === undefined || verb === "help" ? 0 : 2;
  }
}

async function up(name: string, fresh: boolean): Promise<number> {
  const start = Date.now();
  const found = await findMachine(name);
  if (found) console.log(`The machine "${name}" runs already.`);
  else {
    await startMachine({ name, fresh, log: console.log });
    console.log(`The machine "${name}" is up (${((Date.now() - start) / 1000).toFixed(1)} s).`);
  }
  await writeLabStackFile();
  console.log(`Its connection is in ${LAB_STACK_FILE}; a shell: npm run lab -- ssh ${name}`);
  return 0;
}

async function ssh(name: string | undefined, command: string[]): Promise<number> {
  const machine = await running(name);
  return spawnSync("ssh", [...sshArguments(machine.sshTarget(), "ops", true), ...command], { stdio: "inherit" }).status ?? 1;
}

async function down(name: string | undefined): Promise<number> {
  for (const machine of name === undefined ? await listMachines() : [await running(name)]) {
    await machine.stop();
    console.log(`The machine "${machine.name}" is stopped, its disk thrown away.`);
  }
  await writeLabStackFile();
  return 0;
}

async function list(): Promise<number> {
  const machines = await listMachines();
  if (machines.length === 0) console.log("No machine runs: npm run lab -- up");
  for (const machine of machines) console.log(`${machine.name}  127.0.0.1 port ${machine.port}`);
  return 0;
}

async function running(name = DEFAULT_NAME): Promise<Machine> {
  const machine = await findMachine(name);
  if (!machine) throw new LabError(`no machine "${name}" runs: npm run lab -- up ${name}`);
  return machine;
}
