/** The history that a file backend keeps: two files an update, named after the stack and the time. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { backendFolder, historyEntry, historyFolder } from "./backend-folder.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import { RollbackError } from "./error.ts";
import { parseUpdate, remembering, type History } from "./history.ts";

/**
 * @param url of the backend, as `pulumi whoami -v` prints it
 * @param folder that a relative one counts from: where the engine runs
 * @throws RollbackError
 */
export function readFileHistory({ url, folder, project, stack }: { url: string; folder: string; project: string; stack: string }): History {
  const place = historyFolder(backendFolder(url, folder), project, stack);
  if (!existsSync(place)) throw new RollbackError(`stack ${stack} has no update yet: ${place} is not there`);
  const entries = readdirSync(place).flatMap((name) => {
    const entry = historyEntry(name);
    return entry ? [{ name, ...entry }] : [];
  });
  entries.sort((a, b) => (a.time < b.time ? -1 : 1));
  const updates = entries.map(({ name }, i) => {
    const update = parseUpdate(parseEntry(join(place, name)), i + 1);
    if (!update) throw new RollbackError(`${join(place, name)}: is no entry of a history`);
    return update;
  });
  const checkpoint = (number: number) => {
    const prefix = entries[number - 1]?.prefix ?? "";
    const file = ["", ".gz", ".zst"].map((suffix) => join(place, `${prefix}.checkpoint.json${suffix}`)).find(existsSync);
    if (file === undefined) throw new RollbackError(`update ${number}: its checkpoint is not there any more (${join(place, prefix)}.checkpoint.json)`);
    return parseCheckpoint(readUnpacked(file), file);
  };
  return { updates, checkpoint: remembering((number) => Promise.resolve().then(() => checkpoint(number))) };
}

/** A file of the engine's, compressed or not: PULUMI_SELF_MANAGED_STATE_GZIP and its like say how it is written, and change. */
export function readUnpacked(file: string): string {
  const bytes = readFileSync(file);
  if (bytes.subarray(0, 2).equals(gzip)) return gunzipSync(bytes).toString();
  if (bytes.subarray(0, 4).equals(zstd)) return zstdDecompressSync(bytes).toString();
  return bytes.toString();
}

// --- Internal ---

const gzip = Buffer.from([0x1f, 0x8b]);
const zstd = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

function parseEntry(file: string): unknown {
  try {
    return JSON.parse(readUnpacked(file));
  } catch (cause) {
    throw new RollbackError(`${file}: can't be read`, { cause });
  }
}
