/**
 * What the stack tells of its hosts, for `pulumi stack output` and dashboards: counts and ids only, and nothing that changes by
 * itself. Waivers are named and not judged, since a clock would change the outputs of an update that does nothing.
 */

import { currentBenchmark } from "../cis/current.ts";
import type { Summary } from "../cis/summary.ts";
import type { Waivers } from "../config/waivers.ts";
import type { Host } from "../provider/host.ts";
import type { HostOutputs } from "../provider/outputs.ts";
import { all, recover, type Output } from "../sdk.ts";

export interface Compliance {
  /** `CIS Docker Benchmark 1.6.0`. */
  benchmark: string;
  total: Counts & {
    hosts: number;
    /** Hosts of which nothing is known now: their update failed. They are in no count. */
    unknownHosts: string[];
  };
  hosts: Record<string, HostCompliance | UnknownHost>;
}

/** As in the output `cis` of a host, and added up. */
export type Counts = Omit<Summary, "failing">;

export interface HostCompliance extends Counts {
  /** Ids, in the benchmark's order. Waived ones are among them. */
  failing: string[];
  /** What is right in the files and waits for something, e.g. a reboot. */
  waiting: string[];
  /** The last day of each waiver that the stack file declares, by the id of its control; absent without any. */
  waivedUntil?: Record<string, string>;
}

export interface UnknownHost {
  problem: string;
}

/** @param waivers by the host's name */
export function complianceOf(hosts: ReadonlyMap<string, Pick<Host, "cis" | "pending">>, waivers: ReadonlyMap<string, Waivers>): Output<Compliance> {
  const each = [...hosts].map(([name, host]) => {
    const known = all([host.cis, host.pending]).apply(([cis, pending]) => [name, hostCompliance(cis, pending, waivers.get(name) ?? {})] as const);
    // One that failed must not take the others' figures with it; what went wrong, the provider has said.
    return recover(known, () => [name, failed] as const);
  });
  return all(each).apply((entries) => compliance(Object.fromEntries(entries)));
}

/** Pure. */
export function compliance(hosts: Compliance["hosts"]): Compliance {
  const known = Object.values(hosts).filter((host): host is HostCompliance => !("problem" in host));
  const sum = (count: keyof Counts) => known.reduce((total, host) => total + host[count], 0);
  return {
    benchmark: `${currentBenchmark.name} ${currentBenchmark.version}`,
    total: {
      hosts: Object.keys(hosts).length,
      unknownHosts: Object.entries(hosts).flatMap(([name, host]) => ("problem" in host ? [name] : [])),
      passed: sum("passed"),
      failed: sum("failed"),
      pending: sum("pending"),
      manual: sum("manual"),
      notApplicable: sum("notApplicable"),
      unknown: sum("unknown"),
    },
    hosts,
  };
}

// --- Internal ---

const failed: UnknownHost = { problem: "its update failed" };

/** A half-done first update has left inputs and no outputs. */
function hostCompliance(cis: HostOutputs["cis"] | undefined, pending: string[] | undefined, waivers: Waivers): HostCompliance | UnknownHost {
  if (cis === undefined) return failed;
  const { failing, ...counts } = cis;
  return {
    ...counts,
    failing: failing.map((text) => text.split(" ")[0] ?? text),
    waiting: pending ?? [],
    ...(Object.keys(waivers).length === 0 ? {} : { waivedUntil: Object.fromEntries(Object.entries(waivers).map(([id, { until }]) => [id, until])) }),
  };
}
