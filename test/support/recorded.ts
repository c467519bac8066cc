/**
 * What a real host printed: Debian 12 with docker.io 20.10 on the lab machine, as observe.sh framed it;
 * `debian-13` is that of docker.io 26.1, Linux 6.12, audit 4 and AppArmor 4. `default` is the host as it comes, with a container; `hardened` the same after the profile strict was applied, with
 * a container made after it. `hardenedArgs` is what had been declared.
 *
 * To record anew: `node test/fixtures/record.ts`.
 */

import { readFileSync } from "node:fs";
import type { HostArgs } from "../../src/desired/host-inputs.ts";
import { parseObservation, type Observation } from "../../src/observed/observation.ts";

export type Recorded = "debian-12" | "debian-13";

const fixture = (host: Recorded, name: string): Buffer => readFileSync(new URL(`../fixtures/${host}-${name}`, import.meta.url));

export const recorded = (name: "default" | "hardened", host: Recorded = "debian-12"): Observation => parseObservation(fixture(host, `${name}.observation`));

export const hardenedArgs = (host: Recorded = "debian-12"): HostArgs => JSON.parse(fixture(host, "hardened.args.json").toString()) as HostArgs;
