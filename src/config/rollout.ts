/** In which order hosts are changed, how many at a time, and how many may fail: `drydock:rollout`. */

import { z } from "zod";

import { hostName } from "./names.ts";
import { didYouMean, showValue, type Problem } from "./problems.ts";
import { count, listOf, setting, text, type Settled } from "./setting.ts";

const waveMember = text("the name of a host or a group", hostName);

export const rolloutSchema = z
  .strictObject({
    waves: setting(listOf(listOf(waveMember, "names of hosts and groups"), "waves, each a list of names of hosts and groups, e.g. [[web1], [web]]"), {
      description:
        "Waves of hosts, by names of hosts and groups. A wave starts when all hosts of the one before are applied and their gates passed; one that is left for its window holds it back, too. A host that is named itself is not in the wave of its group; one of several groups is in the first wave that names one of them; hosts in no wave make one last wave.",
      initially: "one wave",
      cost: "nothing",
    }),
    maxParallel: setting(count(1, 1000), {
      description: "How many hosts are changed at a time; looking at them is not limited. The engine has a limit of its own, PULUMI_PARALLEL.",
      initially: "the engine's limit alone",
      cost: "nothing",
    }),
    maxFailures: setting(count(0, 1000), {
      description: "How many hosts of a wave may fail; after one more the rest of the wave is refused untouched. Any failure keeps the next wave from starting. Holds with PULUMI_CONTINUE_ON_ERROR=true; without it the engine stops at the first failure.",
      initially: "0",
      cost: "nothing",
    }),
  })
  .meta({ allowed: "a table with waves, maxParallel, maxFailures" });

export type RolloutSettings = Settled<z.infer<typeof rolloutSchema>>;

export interface Rollout {
  /** Names of hosts; each host of the fleet is in one of them. */
  waves: string[][];
  maxParallel?: number;
  maxFailures: number;
}

/** What a fleet has to tell about a name in a wave. */
export interface Members {
  /** Groups of each host, by its name, in the order of the stack file. */
  hosts: ReadonlyMap<string, readonly string[]>;
  groups: readonly string[];
}

/** Which host is in which wave; mistakes go to `problems`. */
export function readWaves(written: RolloutSettings, { hosts, groups }: Members, problems: Problem[]): Rollout {
  const named = new Map<string, number>();
  const ofGroup = new Map<string, number>();
  for (const [wave, names] of (written.waves ?? []).entries()) {
    for (const [index, name] of names.entries()) {
      const [isHost, isGroup] = [hosts.has(name), groups.includes(name)];
      const known = [...hosts.keys(), ...groups];
      const earlier = named.get(name) ?? ofGroup.get(name);
      const mistake = (text: string): void => void problems.push({ path: ["rollout", "waves", wave, index], text });
      if (isHost && isGroup) mistake(`${showValue(name)} is a host and a group; rename one of the two`);
      else if (!isHost && !isGroup) mistake(`no host or group ${showValue(name)}${didYouMean(name, known) || (known.length > 12 ? "" : `; known: ${known.join(", ")}`)}`);
      else if (earlier !== undefined) mistake(`${showValue(name)} is in wave ${earlier + 1} already`);
      else (isHost ? named : ofGroup).set(name, wave);
    }
  }
  const last = written.waves?.length ?? 0;
  const waves = Array.from({ length: last + 1 }, (): string[] => []);
  for (const [host, itsGroups] of hosts) {
    const byGroup = itsGroups.flatMap((group) => ofGroup.get(group) ?? []);
    waves[named.get(host) ?? Math.min(last, ...byGroup)]?.push(host);
  }
  return {
    waves: waves.filter((names) => names.length > 0),
    ...(written.maxParallel === undefined ? {} : { maxParallel: written.maxParallel }),
    maxFailures: written.maxFailures ?? 0,
  };
}
