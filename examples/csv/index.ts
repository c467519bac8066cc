/** Hardens the hosts of hosts.csv. All that is wrong with it is said at once, each with its line. */

import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { FleetError, hardenFleet, type Host } from "drydock";
import { readTable } from "./table.ts";

const config = new pulumi.Config();
const file = config.get("file") ?? "hosts.csv";
const { hosts, lines, problems } = readTable(readFileSync(file, "utf8"));

export const engines = pulumi.output(Object.fromEntries(Object.entries(harden()).map(([name, host]) => [name, host.engine])));

function harden(): Record<string, Host> {
  if (problems.length > 0) throw mistakes(problems);
  try {
    return hardenFleet({
      profile: "strict",
      defaults: {
        connection: { identityFile: config.get("identityFile") },
        daemon: { "userns-remap": null },
        allow: ["restore-original"],
      },
      groups: { web: { limits: { tasksMax: 4096 } }, db: { limits: { memoryMax: "80%" } } },
      hosts,
    });
  } catch (error) {
    if (!(error instanceof FleetError)) throw error;
    throw mistakes(error.problems.map(({ path: [where, name = "", ...rest], text }) => (where === "hosts" ? `${String(lines[name])}: ${[name, ...rest].join(".")}: ${text}` : `${String(where)}: ${text}`)));
  }
}

function mistakes(all: string[]): pulumi.RunError {
  return new pulumi.RunError([`${file}: ${all.length} mistakes`, ...all.map((mistake) => `  line ${mistake}`)].join("\n"));
}
