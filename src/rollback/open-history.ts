/** Which backend keeps the stack's history, and whether it can be read. */

import { z } from "zod";
import { readCloudHistory, type AskEngine } from "./cloud-history.ts";
import { RollbackError } from "./error.ts";
import { readFileHistory } from "./file-history.ts";
import type { History } from "./history.ts";

/**
 * @param folder where the engine runs
 * @throws RollbackError
 */
export async function openHistory(stack: string, { folder, project, ask }: { folder: string; project: string; ask: AskEngine }): Promise<History> {
  const printed = await ask(["whoami", "--verbose", "--json"]);
  const url = urlIn(printed);
  if (url.startsWith("file://")) return readFileHistory({ url, folder, project, stack: shortName(stack) });
  if (/^https?:\/\//.test(url)) return await readCloudHistory(stack, ask);
  throw new RollbackError(
    `${hidden(url)}: the history of this kind of backend can't be read from here; fetch the checkpoint that you want from it, .pulumi/history/${project}/${shortName(stack)}/${shortName(stack)}-<time>.checkpoint.json, and name it with --from <checkpoint.json>`,
  );
}

/** `prod` of `acme/drydock/prod`. */
export const shortName = (stack: string) => stack.slice(stack.lastIndexOf("/") + 1);

// --- Internal ---

const backend = z.object({ url: z.string() });

function urlIn(printed: string): string {
  try {
    return backend.parse(JSON.parse(printed)).url;
  } catch (cause) {
    throw new RollbackError("`pulumi whoami --verbose --json` does not say which backend it is", { cause });
  }
}

/** Its parameters may hold a secret, and so may what stands before an @. */
const hidden = (url: string) => url.replace(/\?.*$/, "").replace(/\/\/[^/@]*@/, "//");
