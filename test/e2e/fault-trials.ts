/** Each fault once, in one of the steps of an update, in two shares; `npm run faults` tries it and its variants in all of them and writes docs/faults.md. */

import { expect, it } from "vitest";
import { withoutRow } from "../../scripts/faults/without-row.ts";
import { count } from "../../scripts/faults/table.ts";
import { skipWithoutTime } from "../support/time-left.ts";
import { faults } from "./faults/faults.ts";
import type { FaultHost } from "./faults/host.ts";
import { trial } from "./faults/trial.ts";

const once = faults.filter(({ variant }) => !variant).map((fault) => ({ fault, name: fault.name, step: fault.steps[Math.floor(fault.steps.length / 2)] ?? "begun" }));

/** @param host hardened */
export function tryFaults(share: 0 | 1, host: () => FaultHost): void {
  const mine = once.filter((_, i) => i % 2 === share);
  const hasNoRow = ({ name, step }: (typeof mine)[number]): boolean => withoutRow.includes(`${name}, ${step}`);
  it.skip.each(mine.filter(hasNoRow))("$name, $step (skipped: the table of faults has no row of it that passed with this code: npm run faults)", () => undefined);
  it.for(mine.filter((one) => !hasNoRow(one)))("$name, $step: all of one state or all of the other", async ({ fault, step }, context) => {
    skipWithoutTime(context, `npm run faults -- --only '${fault.name}'`);
    const row = await trial(host(), fault, step).catch(async (error: unknown) => {
      // The next one begins on a host that is whole.
      await host().bring("one");
      throw error;
    });
    expect(row.ended).toBe(fault.ends(step));
    expect(count([row])).toEqual({ mixtures: 0, daemonsLost: 0, bytesLost: 0 });
  });
}
