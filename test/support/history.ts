/** Histories made by hand: what each update left, in the form in which the engine writes it. */

import type { HostArgs } from "../../src/desired/host-inputs.ts";
import { parseCheckpoint, type Checkpoint } from "../../src/rollback/checkpoint.ts";
import { remembering, type History, type Update } from "../../src/rollback/history.ts";
import { declared } from "./wish.ts";

export interface Left {
  update?: Partial<Update>;
  /** By host. */
  hosts: Record<string, LeftHost>;
}

export interface LeftHost {
  args?: Partial<HostArgs>;
  asApplied?: boolean;
  deferred?: boolean;
  initErrors?: string[];
  pending?: boolean;
  /** In place of `args`. */
  inputs?: Record<string, unknown>;
}

/** Update 1 first. */
export function historyOf(...left: Left[]): History {
  const updates = left.map(({ update }, i): Update => ({ number: i + 1, kind: "update", started: new Date(Date.UTC(2026, 10, 23, 12, i)), message: `number ${i + 1}`, dirty: false, succeeded: true, partial: false, ...update }));
  return { updates, checkpoint: remembering((number) => Promise.resolve(checkpointOf(left[number - 1]?.hosts ?? {}))) };
}

export const checkpointOf = (hosts: Left["hosts"]): Checkpoint => parseCheckpoint(checkpointText(hosts), "a test");

export function checkpointText(hosts: Left["hosts"]): string {
  const resources = Object.entries(hosts).map(([name, { args, asApplied = true, deferred, initErrors, inputs }]) => ({
    urn: urnOf(name),
    type: "drydock:index:Host",
    inputs: inputs ?? { ...declared(args), reachable: "yes", host: { starts: [], dockerExecStart: "", missing: [] }, inEffect: {} },
    outputs: { engine: "29.0.0", asApplied, ...(deferred ? { deferred } : {}) },
    ...(initErrors ? { initErrors } : {}),
  }));
  const pending = Object.entries(hosts).filter(([, { pending: cut }]) => cut).map(([name]) => ({ type: "updating", resource: { urn: urnOf(name), type: "drydock:index:Host" } }));
  const others = [{ urn: "urn:pulumi:prod::drydock::pulumi:pulumi:Stack::drydock-prod", type: "pulumi:pulumi:Stack" }];
  return JSON.stringify({ version: 3, checkpoint: { stack: "prod", latest: { manifest: {}, resources: [...others, ...resources], ...(pending.length > 0 ? { pending_operations: pending } : {}) } } });
}

export const urnOf = (name: string) => `urn:pulumi:prod::drydock::drydock:index:Host::${name}`;
