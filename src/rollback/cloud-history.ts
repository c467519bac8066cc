/** The history that Pulumi Cloud keeps, asked through the engine. */

import { z } from "zod";
import { parseCheckpoint } from "./checkpoint.ts";
import { RollbackError } from "./error.ts";
import { parseUpdate, remembering, type History } from "./history.ts";

/** Runs `pulumi` and returns what it printed. */
export type AskEngine = (words: string[]) => Promise<string>;

/** @throws RollbackError */
export async function readCloudHistory(stack: string, ask: AskEngine): Promise<History> {
  const updates = [];
  for (let page = 1; ; page++) {
    const printed = await ask(["stack", "history", "--json", "--page-size", `${pageSize}`, "--page", `${page}`, "--stack", stack]);
    const entries = z.array(z.unknown()).safeParse(parsed(printed));
    const read = entries.success ? entries.data.map((entry) => parseUpdate(entry)) : [undefined];
    if (!read.every((update) => update !== undefined)) throw new RollbackError("`pulumi stack history --json` printed something else than a history");
    updates.push(...read);
    if (read.length < pageSize) break;
  }
  if (updates.length === 0) throw new RollbackError(`stack ${stack} has no update yet`);
  updates.sort((a, b) => a.number - b.number);
  const checkpoint = async (number: number) => parseCheckpoint(await ask(["stack", "export", "--version", `${number}`, "--stack", stack]), `update ${number}`);
  return { updates, checkpoint: remembering(checkpoint) };
}

// --- Internal ---

const pageSize = 100;

/** The engine prints `null` where there is none. */
function parsed(printed: string): unknown {
  try {
    return JSON.parse(printed) ?? [];
  } catch {
    return undefined;
  }
}
