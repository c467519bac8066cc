/** After the measurement: whether every host has the whole job. A tool that does less is fast for nothing. */

import { isDeepStrictEqual } from "node:util";
import type { LightHosts } from "../../lab/hosts/light-hosts.ts";
import type { HostArgs } from "../../src/desired/host-inputs.ts";
import { handlers, jobArgs, jobFiles } from "./job.ts";

/**
 * @param calls that must have been made, each by its beginning
 * @throws naming each host and what it lacks
 */
export function assertApplied(set: LightHosts, { names = set.hosts.map(({ name }) => name), calls: wanted = handlers }: { names?: string[]; calls?: string[] } = {}): void {
  const args = jobArgs(set.hosts);
  const problems = names.flatMap((name) => {
    const files = jobFiles.flatMap((path) => (isThere(set, name, path, args) ? [] : [`${name}: ${path}`]));
    const calls = set.calls(name);
    return [...files, ...wanted.filter((handler) => !calls.some((call) => call.startsWith(handler))).map((handler) => `${name}: ${handler}`)];
  });
  if (problems.length > 0) throw new Error(`the job was not done: ${problems.slice(0, 10).join("; ")}`);
}

function isThere(set: LightHosts, host: string, path: string, { daemon, files }: HostArgs): boolean {
  try {
    const found = set.read(host, path);
    // Rules for what is not on a host are left out.
    if (path.endsWith(".rules")) return found.includes("path=/usr/sbin/dockerd");
    // One object in the wish, and however each tool prints it.
    if (path === "/etc/docker/daemon.json") return isDeepStrictEqual(JSON.parse(found), daemon);
    return found === files[path];
  } catch {
    return false;
  }
}
