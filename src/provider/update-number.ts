/** Which update of its stack this is, as `npm run rollback` counts them; only a file backend tells before the update has ended. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { backendFolder, historyEntry, historyFolder } from "../rollback/backend-folder.ts";

/** @returns undefined where nobody knows yet: on Pulumi Cloud and on object stores */
export function updateNumber(project: string, stack: string, env: NodeJS.ProcessEnv = process.env, folder = process.cwd()): number | undefined {
  const url = backendUrl(env, folder);
  if (url === undefined || !url.startsWith("file://")) return undefined;
  const backend = backendFolder(url, folder);
  if (!existsSync(join(backend, ".pulumi"))) return undefined;
  const history = historyFolder(backend, project, stack);
  return (existsSync(history) ? readdirSync(history).filter((name) => historyEntry(name) !== undefined).length : 0) + 1;
}

// --- Internal ---

/** In the engine's order: the environment, the project, the last login (pkg/workspace, GetCurrentCloudURL). */
function backendUrl(env: NodeJS.ProcessEnv, folder: string): string | undefined {
  if (env.PULUMI_BACKEND_URL) return env.PULUMI_BACKEND_URL;
  // Two lines of a file that the engine has parsed: no reason for who uses Drydock as a library to install a parser.
  const ofProject = read(join(folder, "Pulumi.yaml"), (text) => /^backend:\s*\n\s+url:\s*["']?([^\s"'#]+)/m.exec(text)?.[1]);
  if (ofProject) return ofProject;
  const credentials = join(env.PULUMI_CREDENTIALS_PATH || env.PULUMI_HOME || join(homedir(), ".pulumi"), "credentials.json");
  return read(credentials, (text) => (JSON.parse(text) as { current?: string }).current);
}

/** What can't be read tells nothing, and no update ends for it. */
function read(file: string, parseText: (text: string) => string | undefined): string | undefined {
  try {
    return parseText(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
