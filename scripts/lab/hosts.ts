/** `npm run lab -- hosts up|down|list|run`: many light hosts by hand. What they are: lab/hosts/light-hosts.ts. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { LightHosts, listHosts, startHosts } from "../../lab/hosts/light-hosts.ts";
import { lightHostServices } from "../../lab/hosts/records.ts";
import { LabError } from "../../lab/settings.ts";
import { renderLabStackFile } from "../../lab/stack-file.ts";

export const HOSTS_USAGE = `npm run lab -- hosts up [count]        start so many light hosts (16), with stand-ins for Docker and systemd
npm run lab -- hosts run command...    run a client where it can reach them, e.g. pulumi up -s lab-hosts
npm run lab -- hosts list              which sets there are
npm run lab -- hosts down [name]       end them, or all sets`;

const NAME = "hosts";
const stackFile = join(import.meta.dirname, "..", "..", "stacks", "Pulumi.lab-hosts.yaml");

export async function hosts(args: string[]): Promise<number> {
  const [verb, ...rest] = args;
  switch (verb) {
    case "up":
      return await up(rest[0] ?? "16");
    case "run":
      return run(rest);
    case "list":
      for (const set of listHosts()) console.log(`${set.name}  ${set.hosts.length} light hosts, ${set.hosts[0]?.connection.host ?? "?"} and following`);
      return 0;
    case "down":
      return await down(rest[0]);
    default:
      console.error(HOSTS_USAGE);
      return 2;
  }
}

async function up(count: string): Promise<number> {
  const start = Date.now();
  const set = await startHosts({ count: Number(count), name: NAME, log: console.log });
  const old = existsSync(stackFile) ? readFileSync(stackFile, "utf8") : "";
  const document = parseDocument(renderLabStackFile(old, set.hosts));
  if (!document.hasIn(["config", "drydock:defaults"])) document.setIn(["config", "drydock:defaults"], document.createNode({ limits: { services: lightHostServices } }));
  writeFileSync(stackFile, document.toString({ lineWidth: 0 }));
  console.log(`${count} light hosts are up (${((Date.now() - start) / 1000).toFixed(1)} s); stacks/Pulumi.lab-hosts.yaml has them.`);
  console.log("Docker, systemd, auditd and iptables are stand-ins there, which only note their calls and what was set.");
  console.log("To reach them: npm run lab -- hosts run pulumi up -s lab-hosts");
  return 0;
}

function run(command: string[]): number {
  const set = new LightHosts(NAME);
  if (!set.isThere()) throw new LabError("no light hosts are up: npm run lab -- hosts up");
  const [program = "", ...words] = [...set.command, ...command];
  return spawnSync(program, words, { stdio: "inherit", env: { ...process.env, ...set.environment } }).status ?? 1;
}

async function down(name: string | undefined): Promise<number> {
  const sets = listHosts().filter((set) => name === undefined || set.name === name);
  if (name !== undefined && sets.length === 0) throw new LabError(`there are no light hosts "${name}"`);
  for (const set of sets) {
    await set.stop();
    if (set.name === NAME) rmSync(stackFile, { force: true });
    console.log(`The light hosts "${set.name}" are gone, with all that was on them.`);
  }
  return 0;
}
