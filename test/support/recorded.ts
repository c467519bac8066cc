/**
 * What a real host printed: Debian 12 with docker.io 20.10 on the lab machine, as observe.sh framed it, without the base64
 * around it. `default` is the host as it comes, with a container; `hardened` the same after the profile strict was applied, with
 * a container made after it. `hardenedArgs` is what had been declared.
 *
 * To record anew: `node test/fixtures/record.ts`.
 */

import { readFileSync } from "node:fs";
import type { HostArgs } from "../../src/desired/host-inputs.ts";
import { parseObservation, type Observation } from "../../src/observed/observation.ts";

const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/debian-12-${name}`, import.meta.url));

export const recorded = (name: "default" | "hardened"): Observation => parseObservation(fixture(`${name}.observation`).toString("base64"));

export const hardenedArgs = (): HostArgs => JSON.parse(fixture("hardened.args.json").toString()) as HostArgs;
