/** Makes machines and hardens each of them in the same update. */

import * as pulumi from "@pulumi/pulumi";
import { hardenFleet } from "drydock";
import { Machine, type MachineArgs } from "./machine.ts";

const config = new pulumi.Config();
const wanted = config.requireObject<Record<string, MachineArgs>>("machines");
const machines = Object.entries(wanted).map(([name, args]) => ({ name, machine: new Machine(`${name}-vm`, args) }));

const hosts = hardenFleet({
  profile: config.get("profile") === "baseline" ? "baseline" : "strict",
  defaults: {
    connection: { user: "root", identityFile: config.require("identityFile") },
    // Stops containers and hides images: decide on it for hosts that have some.
    daemon: { "userns-remap": null },
    allow: ["restore-original"],
  },
  // In a preview address and key are not known yet; everything else is checked and rendered all the same.
  hosts: Object.fromEntries(machines.map(({ name, machine }) => [name, { connection: { host: machine.publicIp, hostKey: machine.publicKey } }])),
});

export const failing = pulumi.output(Object.fromEntries(Object.entries(hosts).map(([name, { cis }]) => [name, cis.failing])));
