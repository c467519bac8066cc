/**
 * A host for tests of the provider: what an observation of it shows, and what is done to it. It stands in for src/remote, which
 * is the only way from the provider to a host:
 *
 *     vi.mock("../../src/remote/observe.ts", () => ({ observe: () => host.observe() }));
 */

import type { Observation, Owner } from "../../src/observed/observation.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { ApplyOptions, TransactionResult } from "../../src/remote/apply.ts";
import { defaultHost } from "./observation.ts";

export class FakeHost {
  /** What the looks at it show, one after the other; the last one stays. An error is thrown. */
  views: (Observation | Error)[] = [defaultHost()];
  /** What a transaction answers; an error is thrown. */
  result: TransactionResult | Error = { outcome: "done", log: [] };
  /** What a transaction waits for before it answers. */
  hold: Promise<void> = Promise.resolve();
  /** Why nobody can confirm, or reject. */
  confirmation: Error | undefined;
  /** What it prints meanwhile. */
  lines: string[] = [];
  /** What the removal of old data answers. */
  removal: TransactionResult = { outcome: "done", log: ["the old data are removed"] };
  /** `observe`, `apply`, `confirm`, `reject: …`, `remove old data`, `restore`, `write owner …`, `forget owner`, in order. */
  readonly deeds: string[] = [];
  plan: Plan | undefined;

  observe = (): Promise<Observation> => {
    this.deeds.push("observe");
    const view = this.views.length > 1 ? this.views.shift() : this.views[0];
    return view instanceof Error || !view ? Promise.reject(view ?? new Error("no view")) : Promise.resolve(view);
  };

  applyPlan = (_connection: unknown, plan: Plan, _observation?: unknown, _owner?: unknown, options?: ApplyOptions): Promise<TransactionResult> => {
    for (const line of this.lines) options?.onLine?.(line);
    return this.transact("apply", plan);
  };

  restoreOriginal = (_connection: unknown, plan: Plan): Promise<TransactionResult> => this.transact("restore", plan);

  removeOldData = (): Promise<TransactionResult> => {
    this.deeds.push("remove old data");
    return Promise.resolve(this.removal);
  };

  confirmChange = (): Promise<void> => {
    this.deeds.push("confirm");
    return this.confirmation ? Promise.reject(this.confirmation) : Promise.resolve();
  };

  rejectChange = (_connection: unknown, _begun: string, why: string): Promise<void> => {
    this.deeds.push(`reject: ${why}`);
    return this.confirmation ? Promise.reject(this.confirmation) : Promise.resolve();
  };

  writeOwner = (_connection: unknown, { stack, host }: Owner): Promise<void> => {
    this.deeds.push(`write owner ${stack} ${host}`);
    return Promise.resolve();
  };

  forgetOwner = (): Promise<void> => {
    this.deeds.push("forget owner");
    return Promise.resolve();
  };

  private async transact(deed: string, plan: Plan): Promise<TransactionResult> {
    this.deeds.push(deed);
    this.plan = plan;
    await this.hold;
    if (this.result instanceof Error) throw this.result;
    return this.result;
  }
}
