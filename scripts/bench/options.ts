/** What the bench is asked for on its command line. */

import { parseArgs } from "node:util";

export const BENCH_USAGE = `npm run bench -- [--hosts 1,16,64] [--rounds 5] [--key-exchange curve25519-sha256] [--pyinfra] [--no-engine-log]
npm run bench -- --simulate 1000      the provider's and the engine's part alone, without SSH
Light hosts need root. The table is Markdown; what is under way goes to stderr.`;

export interface BenchOptions {
  hosts: number[];
  rounds: number;
  /** That ssh makes connections with. @default OpenSSH's own */
  keyExchange: string | undefined;
  /** Measure the fastest peer beside it. */
  pyinfra: boolean;
  /** Let the engine write its log of each command, as users have it. */
  engineLog: boolean;
  simulate: number | undefined;
}

/** @returns undefined when it is not understood */
export function parseBenchOptions(args: string[]): BenchOptions | undefined {
  try {
    const { values } = parseArgs({ args, options: { hosts: { type: "string", default: "1,16,64" }, rounds: { type: "string", default: "5" }, "key-exchange": { type: "string" }, pyinfra: { type: "boolean", default: false }, "no-engine-log": { type: "boolean", default: false }, simulate: { type: "string" }, markdown: { type: "boolean" } } });
    const hosts = values.hosts.split(",").map(wholeNumber);
    return { hosts, rounds: wholeNumber(values.rounds), keyExchange: values["key-exchange"], pyinfra: values.pyinfra, engineLog: !values["no-engine-log"], simulate: values.simulate === undefined ? undefined : wholeNumber(values.simulate) };
  } catch {
    return undefined;
  }
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new Error(`not a whole number above 0: ${text}`);
  return Number(text);
}
