/** The hosts in a state that the engine wrote: a checkpoint of its history, or what `pulumi stack export` prints. */

import { z } from "zod";
import { hostType, parseUrn } from "../urn.ts";
import { RollbackError } from "./error.ts";

/** One host, as a state has it. */
export interface RecordedHost {
  name: string;
  urn: string;
  /** As they are written there; `recordedArgs` reads them. */
  inputs: Record<string, unknown>;
  /** The state itself says that an update applied these inputs; without it they may be what was seen on the host. */
  asApplied: boolean;
  /** The update was left for the host's window: nothing of these inputs was applied. */
  deferred: boolean;
  /** An update of it was cut off, or ended half-way. */
  unfinished: boolean;
}

/** By the host's name. */
export type Checkpoint = ReadonlyMap<string, RecordedHost>;

/**
 * @param text of a checkpoint file, or of `pulumi stack export`
 * @param source names it in errors
 * @throws RollbackError
 */
export function parseCheckpoint(text: string, source: string): Checkpoint {
  const parsed = file.safeParse(json(text, source));
  if (!parsed.success) throw new RollbackError(`${source}: is neither a checkpoint nor what \`pulumi stack export\` prints`);
  const { checkpoint, deployment } = parsed.data;
  const { resources, pending_operations: pending } = checkpoint?.latest ?? deployment ?? { resources: [], pending_operations: [] };
  const cutOff = new Set((pending ?? []).map((operation) => operation.resource.urn));
  const hosts = (resources ?? []).filter((resource) => resource.type === hostType && resource.delete !== true);
  return new Map(
    hosts.map(({ urn, inputs, outputs, initErrors }) => {
      const { name } = parseUrn(urn);
      return [name, { name, urn, inputs: inputs ?? {}, asApplied: outputs?.["asApplied"] === true, deferred: outputs?.["deferred"] === true, unfinished: cutOff.has(urn) || (initErrors ?? []).length > 0 }];
    }),
  );
}

// --- Internal ---

const anything = z.record(z.string(), z.unknown());

const resource = z.looseObject({
  urn: z.string(),
  type: z.string(),
  delete: z.boolean().optional(),
  inputs: anything.optional(),
  outputs: anything.optional(),
  initErrors: z.array(z.string()).nullish(),
});

const deployment = z.looseObject({
  resources: z.array(resource).nullish(),
  pending_operations: z.array(z.looseObject({ resource: z.looseObject({ urn: z.string() }) })).nullish(),
});

// A checkpoint of a stack that has nothing has no `latest`.
const file = z
  .object({ checkpoint: z.object({ latest: deployment.nullish() }).optional(), deployment: deployment.nullish() })
  .refine((value) => value.checkpoint !== undefined || value.deployment !== undefined);

function json(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RollbackError(`${source}: is not JSON`, { cause });
  }
}
