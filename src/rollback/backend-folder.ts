/** Where a file backend keeps what, as the engine has it (pkg/backend/diy). */

import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** `file:///srv/state?no_tmp_dir=true`, `file://~`, `file://~/state`, `file://../state`; the engine reads them so (massageBlobPath). */
export function backendFolder(url: string, folder: string): string {
  const path = url.replace(/^file:\/\//, "").replace(/\?.*$/, "");
  return path.startsWith("~") ? join(homedir(), path.slice(2)) : resolve(folder, path);
}

/** Two files an update, named after the stack and the time. */
export const historyFolder = (backend: string, project: string, stack: string) => join(backend, ".pulumi", "history", project, stack);

/** prod-1795438467489180284.history.json.gz; the stack may have been renamed since. @returns the part before `.history`, and its time */
export function historyEntry(name: string): { prefix: string; time: bigint } | undefined {
  const [, prefix, time] = /^(.*-(\d+))\.history\.json(?:\.gz|\.zst)?$/.exec(name) ?? [];
  return prefix === undefined || time === undefined ? undefined : { prefix, time: BigInt(time) };
}
