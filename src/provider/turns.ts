/**
 * Whose turn it is: how many hosts are changed at a time, and when so many of a wave have failed that the rest is left alone.
 *
 * The engine works on all hosts of a wave at once and knows no such limits; all of them come through this one process.
 */

import type { HostRollout } from "../desired/host-inputs.ts";
import { DeferredError, HostError } from "./errors.ts";

/** Not this host's failure: too many others had failed before its turn. */
export class NotItsTurnError extends HostError {
  override name = "NotItsTurnError";
}

export class Turns {
  #working = 0;
  readonly #waiting: (() => void)[] = [];
  /** Hosts that failed, by wave. */
  readonly #failed = new Map<number, string[]>();

  /**
   * Waits for a turn, works, and counts a failure.
   *
   * @param onWait told once if there is no turn yet
   * @throws NotItsTurnError when too many of the wave have failed meanwhile; whatever `work` throws
   */
  async take<T>(host: string, rollout: HostRollout | undefined, work: () => Promise<T>, onWait: () => void = () => undefined): Promise<T> {
    if (!rollout) return work();
    this.#assertGoesOn(host, rollout);
    const limit = rollout.maxParallel ?? Number.POSITIVE_INFINITY;
    if (this.#working >= limit) {
      onWait();
      // Who ends hands its place over, so that none who comes later gets it.
      await new Promise<void>((done) => this.#waiting.push(done));
    } else {
      this.#working++;
    }
    try {
      this.#assertGoesOn(host, rollout);
      return await work();
    } catch (error) {
      if (!(error instanceof NotItsTurnError || error instanceof DeferredError)) this.#failed.set(rollout.wave, [...this.#failedIn(rollout), host]);
      throw error;
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#working--;
    }
  }

  // --- Internal ---

  #failedIn = ({ wave }: HostRollout): string[] => this.#failed.get(wave) ?? [];

  #assertGoesOn(host: string, rollout: HostRollout): void {
    const failed = this.#failedIn(rollout);
    if (failed.length <= rollout.maxFailures) return;
    throw new NotItsTurnError(
      `${host}: refused, nothing was touched: ${failed.join(", ")} of wave ${rollout.wave} failed, and rollout.maxFailures is ${rollout.maxFailures}; mend ${failed.length === 1 ? "it" : "them"} and run the update again, which goes on from here`,
    );
  }
}
