/**
 * Hosts that are not there: an `ssh` on the PATH that prints what a real host once printed (test/fixtures), hardened already,
 * with the owner that each would have. Nothing in the product knows of it.
 */

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./stack.ts";

/** Writes an answer for each host into the folder. @returns what goes in front of PATH */
export function recordHosts(folder: string, count: number, stack: string): string {
  const recording = readFileSync(join(root, "test", "fixtures", "debian-12-hardened.observation"));
  mkdirSync(join(folder, "answers"), { recursive: true });
  mkdirSync(join(folder, "bin"), { recursive: true });
  for (let i = 1; i <= count; i++) {
    const answer = withOwner(recording, `stack drydock/${stack}\nhost ${hostName(i)}\n`);
    writeFileSync(join(folder, "answers", hostName(i)), answer);
  }
  const ssh = join(folder, "bin", "ssh");
  // ssh OPTIONS -- HOST COMMAND
  writeFileSync(ssh, `#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nread -r _\nexec cat '${folder}/answers/'"$2"\n`);
  chmodSync(ssh, 0o755);
  return join(folder, "bin");
}

/** The `drydock:*` values that the recorded host was hardened with. */
export function recordedConfig(count: number): Record<string, unknown> {
  const names = Array.from({ length: count }, (_, i) => hostName(i + 1));
  return { profile: "strict", defaults: { allow: ["hide-containers"] }, hosts: Object.fromEntries(names.map((host) => [host, { connection: { host } }])) };
}

/** The same observation with another owner: a line a probe (`NAME STATUS BYTES BYTES`), an empty line, then the bytes. */
export function withOwner(recording: Buffer, owner: string): Buffer {
  const end = recording.indexOf("\n\n");
  const probes = recording.subarray(0, end).toString().split("\n").map((line) => line.split(" "));
  const at = probes.findIndex(([name]) => name === "owner");
  const before = probes.slice(0, at).reduce((sum, probe) => sum + Number(probe.at(-2)), 0);
  const size = Number(probes[at]?.at(-2));
  const start = end + 2 + before;
  const head = probes.map((probe, i) => (i === at ? ["owner", "0", String(Buffer.byteLength(owner)), probe.at(-1) ?? "0"] : probe).join(" ")).join("\n");
  return Buffer.concat([Buffer.from(`${head}\n\n`), recording.subarray(end + 2, start), Buffer.from(owner), recording.subarray(start + size)]);
}

// --- Internal ---

const hostName = (number: number) => `simulated${number}`;
