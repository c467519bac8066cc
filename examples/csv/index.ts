/** Hardens the hosts of hosts.csv. All that is wrong with it is said at once, each with its line. */

import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { checkFleet, type FleetArgs, hardenFleet } from "drydock";
import { readTable } from "./table.ts";

const config = new pulumi.Config();
const file = config.get("file") ?? "hosts.csv";
const table = readTable(readFileSync(file, "utf8"));

const fleet: FleetArgs = {
  profile: config.get("profile") === "baseline" ? "baseline" : "strict",
  defaults: {
    connection: { identityFile: config.get("identityFile") },
    daemon: { "userns-remap": null },
    allow: ["restore-original"],
  },
  groups: { web: { limits: { tasksMax: 4096 } }, db: { limits: { memoryMax: "80%" } } },
  hosts: Object.fromEntries(table.hosts),
};

const problems = [
  ...table.problems,
  ...checkFleet(fleet).map(({ path, text }) => {
    const [where = "", name = "", ...rest] = path.map(String);
    const line = where === "hosts" ? table.lines.get(name) : undefined;
    return line === undefined ? { line: 0, text: `${path.join(".")}: ${text}` } : { line, text: `${[name, ...rest].join(".")}: ${text}` };
  }),
].sort((a, b) => a.line - b.line);
if (problems.length > 0) throw new pulumi.RunError([`${file}: ${problems.length} ${problems.length === 1 ? "mistake" : "mistakes"}`, ...problems.map(({ line, text }) => (line === 0 ? `  ${text}` : `  line ${line}: ${text}`))].join("\n"));

const hosts = hardenFleet(fleet);

export const engines = pulumi.output(Object.fromEntries(Object.entries(hosts).map(([name, { engine }]) => [name, engine])));
