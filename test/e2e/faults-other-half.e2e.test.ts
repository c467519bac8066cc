/** The other half of the faults, for the second worker. */

import { afterAll, beforeAll, describe } from "vitest";
import { tryFaults } from "./fault-trials.ts";
import { FaultHost } from "./faults/host.ts";

let host: FaultHost;

beforeAll(async () => {
  host = await FaultHost.start("e2e-faults-2");
  await host.harden();
});

afterAll(async () => {
  await host.stop();
});

describe("an update with a fault in it", () => tryFaults(1, () => host));
