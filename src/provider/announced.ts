/**
 * Hosts that the program has announced. The engine asks about one host after the other and waits each time (pkg/resource/deploy,
 * stepGenerator): the first one that has to be looked at takes others along, or a fleet would be looked at host by host.
 */

import type { HostArgs } from "../desired/host-inputs.ts";
import type { Announcement } from "../urn.ts";
import { look } from "./look.ts";

/** At a time, besides those that were begun before: a jump host drops connections when too many come at once (sshd_config(5), MaxStartups). */
const most = 8;

export class Announced {
  readonly #waves: Announcement["hosts"][] = [];
  readonly #asked = new Set<string>();
  #width = 1;

  add({ hosts }: Announcement): void {
    this.#waves.push(hosts);
  }

  /** The engine asks about it now: nobody has to be ahead of that any more. */
  asked(host: string): void {
    this.#asked.add(host);
  }

  /**
   * Begins to look at those that come next, more of them each time: where few hosts have changed, few are looked at for nothing.
   *
   * @param args of the host that is looked at now; others mostly have the same files, and one that does not is looked at once more
   */
  takeAlong(host: string, args: HostArgs): void {
    const wave = this.#waves.find((hosts) => hosts.some((one) => one.host === host)) ?? [];
    const next = wave.slice(wave.findIndex((one) => one.host === host) + 1).slice(0, this.#width);
    this.#width = Math.min(most, 2 * this.#width);
    for (const { host: name, connection } of next.filter((one) => !this.#asked.has(one.host))) {
      this.asked(name);
      // Whoever asks about it looks anew, and is told what is wrong.
      look({ ...args, connection }).catch(() => undefined);
    }
  }
}
