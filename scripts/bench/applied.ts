/** After the measurement: whether every host has the whole job. A tool that does less is fast for nothing. */

import type { LightHosts } from "../../lab/hosts/light-hosts.ts";
import { handlers, jobArgs, jobFiles } from "./job.ts";

/**
 * @param calls that must have been made, each by its beginning
 * @throws naming each host and what it lacks
 */
export function assertApplied(set: LightHosts, { names = set.hosts.map(({ name }) => name), calls: wanted = handlers }: { names?: string[]; calls?: string[] } = {}): void {
  const args = jobArgs(set.hosts);
  const problems = names.flatMap((name) => {
    const files = jobFiles.flatMap((path) => (isThere(set, name, path, args.files[path]) ? [] : [`${name}: ${path}`]));
    const calls = set.calls(name);
    return [...files, ...wanted.filter((handler) => !calls.some((call) => call.startsWith(handler))).map((handler) => `${name}: ${handler}`)];
  });
  if (problems.length > 0) throw new Error(`the job was not done: ${problems.slice(0, 10).join("; ")}`);
}

function isThere(set: LightHosts, host: string, path: string, text: string | undefined): boolean {
  try {
    const found = set.read(host, path);
    // Rules for what is not on a host are left out; the daemon's keys are one object in the wish.
    if (path.endsWith(".rules")) return found.includes("path=/usr/sbin/dockerd");
    if (text === undefined) return found.includes('"icc": false');
    return found === text;
  } catch {
    return false;
  }
}
