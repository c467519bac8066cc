/** stacks/Pulumi.lab.yaml: the running lab machines as hosts of the stack "lab". Git ignores it. */

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument, YAMLMap } from "yaml";
import { listMachines, type LabConnection } from "./machine.ts";

export const LAB_STACK_FILE = join(import.meta.dirname, "..", "stacks", "Pulumi.lab.yaml");

/** Consent to everything: a lab machine is there to be disrupted. */
const ALLOW = ["hide-containers", "restart-containers", "restore-original"];

export interface LabHost {
  name: string;
  connection: LabConnection;
}

/** Writes the file for the machines that run now. */
export async function writeLabStackFile(file = LAB_STACK_FILE): Promise<void> {
  const machines = await listMachines();
  const hosts = machines.map((machine) => ({ name: machine.name, connection: machine.connection("ops") }));
  const old = existsSync(file) ? readFileSync(file, "utf8") : "";
  // Another process may read it right now: it sees the old file or the new one.
  const part = file.replace(/\.yaml$/, `.${process.pid}.yaml`);
  writeFileSync(part, renderLabStackFile(old, hosts));
  renameSync(part, file);
}

/** The file's new text. What else it says stays: the engine keeps a salt there, people try settings. */
export function renderLabStackFile(old: string, hosts: LabHost[]): string {
  const document = parseDocument(old || "# Written by `npm run lab`: the hosts are the machines that run. Other settings stay.\n{}\n");
  if (!(document.get("config") instanceof YAMLMap)) document.set("config", document.createNode({ "drydock:profile": "strict" }));
  if (!document.hasIn(["config", "drydock:profile"])) document.setIn(["config", "drydock:profile"], "strict");
  for (const name of hostNames(document.getIn(["config", "drydock:hosts"]))) {
    if (!hosts.some((host) => host.name === name)) document.deleteIn(["config", "drydock:hosts", name]);
  }
  if (hosts.length === 0 || hostNames(document.getIn(["config", "drydock:hosts"])).length === 0) {
    document.setIn(["config", "drydock:hosts"], document.createNode({}));
  }
  for (const { name, connection } of hosts) {
    const path = ["config", "drydock:hosts", name];
    document.setIn([...path, "connection"], document.createNode(connection));
    if (!document.hasIn([...path, "allow"])) document.setIn([...path, "allow"], document.createNode(ALLOW));
  }
  if (document.contents instanceof YAMLMap) document.contents.flow = false;
  return document.toString({ lineWidth: 0 });
}

function hostNames(hosts: unknown): string[] {
  return hosts instanceof YAMLMap ? hosts.items.map((item) => String(item.key)) : [];
}
