/** What was recorded of a host, as what is declared for it now: text for text, but for how it is reached and what it consents to. */

import { z } from "zod";
import { filesystems } from "../config/volume.ts";
import type { DeclaredVolume, HostArgs, JsonObject } from "../desired/host-inputs.ts";
import { mountUnitFile, withDevice } from "../desired/volumes.ts";

export interface RecordedArgs {
  args: HostArgs;
  /** What is recorded and can't be taken, each a sentence. */
  leftOut: string[];
}

/**
 * The declared part of recorded inputs. Whoever recorded them may have had another schema: what is there is taken as it is, and
 * what this version has no place for is named.
 *
 * @returns what is wrong with them, when they are no inputs of a host
 */
export function recordedArgs(inputs: Record<string, unknown>): RecordedArgs | { wrong: string[] } {
  const parsed = recorded.safeParse(inputs);
  if (!parsed.success) return { wrong: parsed.error.issues.map(({ path, message }) => `${path.join(".") || "inputs"}: ${message}`) };
  const args = declaredIn(parsed.data);
  const unknown = Object.keys(inputs).filter((key) => !(key in recorded.shape) && !key.startsWith("__"));
  return { args, leftOut: unknown.map((key) => `${key} is recorded, and this version of Drydock does not know it`) };
}

/**
 * What the state of today has of a host that is not taken back. It may be what was found there, e.g. a mode `absent`: only how it is
 * reached, what it consents to and its window are read closely.
 *
 * @returns undefined when nobody could reach it with that
 */
export function argsToday(inputs: Record<string, unknown>): HostArgs | undefined {
  const parsed = today.safeParse(inputs);
  return parsed.success ? declaredIn(parsed.data) : undefined;
}

// --- Internal ---

function declaredIn({ connection, allow, window, daemon, files, modes, volumes, host }: z.infer<typeof recorded>): HostArgs {
  return {
    connection,
    allow,
    ...(window === undefined ? {} : { window }),
    daemon: daemon as JsonObject,
    files: withDevices(files, volumes, host?.filesystems),
    modes,
    ...(volumes === undefined ? {} : { volumes }),
  } as HostArgs;
}

const text = z.string({ error: "is not a text" });
const path = z.string().regex(/^\/[^\0\n]+$/, { error: "is not a path" });
const table = { error: ({ code, input }: { code?: string; input?: unknown }) => (code === "invalid_key" ? "is not a path" : input === undefined ? "is not there" : "is not a table") };

const recorded = z.looseObject({
  connection: z.looseObject({ host: text, port: z.number({ error: "is not a number" }) }, table),
  allow: z.array(text).default([]),
  window: z.array(text).optional(),
  daemon: z.record(z.string(), z.unknown(), table),
  files: z.record(path, text, table),
  modes: z.record(path, z.string().regex(/^[^:\s]+:\S+ \d{4}$/, { error: "is not of the form owner:group mode" })).default({}),
  volumes: z.record(path, z.looseObject({ device: path, filesystem: z.enum(filesystems, { error: "is no filesystem that Drydock makes" }), options: text })).optional(),
  host: z.looseObject({ filesystems: z.record(z.string(), text).optional() }).optional(),
  // The program gives each host its turn.
  rollout: z.unknown().optional(),
  // What must be in effect follows from the rest, by the rules of today.
  reachable: z.unknown().optional(),
  inEffect: z.unknown().optional(),
});

const texts = z.record(z.string(), z.string()).catch({});

const today = recorded.extend({ daemon: recorded.shape.daemon.catch({}), files: texts, modes: texts, volumes: recorded.shape.volumes.catch(undefined), host: recorded.shape.host.catch(undefined) });

/** As declared: `check` puts the UUID in that the device has now, which may be another disk's. */
function withDevices(files: Record<string, string>, volumes: Record<string, DeclaredVolume> = {}, uuids: Record<string, string> = {}): Record<string, string> {
  const declared = Object.entries(volumes).flatMap(([mountPoint, { device }]): [string, string][] => {
    const [unit, uuid] = [mountUnitFile(mountPoint), uuids[mountPoint]];
    const text = files[unit];
    return uuid === undefined || text === undefined ? [] : [[unit, withDevice(text, device, uuid)]];
  });
  return { ...files, ...Object.fromEntries(declared) };
}
