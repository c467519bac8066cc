/** What a fault is: where it strikes, how it is shown to have happened, and in which state the host has to end. */

import type { Machine } from "../../../lab/machine.ts";
import type { Step } from "./breakpoint.ts";
import type { FaultHost, State, Update } from "./host.ts";

/** `original`: as before the first update, after a destroy. */
export type End = "old" | "new" | "old, with what somebody else changed" | "original";

/** One update with a fault in it. */
export interface Circumstances {
  host: FaultHost;
  machine: Machine;
  update: Update;
  /** The state that the update leads away from. */
  from: State;
  step: Step;
}

export interface Fault {
  name: string;
  /** Where it strikes: the update waits there until it has. */
  steps: Step[];
  /** It is of a kind that another one stands for in `npm test`. */
  variant?: true;
  /** In which operation. @default "up" */
  during?: "destroy";
  /** Until the host takes back what nobody has confirmed. @default limits.confirm */
  confirm?: number;
  /** Before it is looked at: Drydock leaves the host, and the update is its first one. */
  leaves?: (host: FaultHost) => Promise<unknown>;
  /** Before the update begins; what an update sees is refused instead. */
  prepare?: (host: FaultHost, from: State) => Promise<unknown>;
  strike?: (circumstances: Circumstances) => Promise<unknown>;
  /** It does not last: the host has to help itself as long as it does, and to be whole afterwards. */
  passes?: (circumstances: Circumstances) => Promise<unknown>;
  /** What the operator has to do by hand then. */
  finish?: (circumstances: Circumstances) => Promise<unknown>;
  /** What shows that it has happened, once all is over. @throws when it has not */
  evidence: (circumstances: Circumstances) => Promise<string>;
  /** After the end state was looked at: what the operator does next, and what came of it. */
  next?: (circumstances: Circumstances) => Promise<string>;
  /** At the very end. */
  undo?: (host: FaultHost) => Promise<unknown>;
  /** In which state the host ends; a change of somebody else stays in both. */
  ends: (step: Step) => End;
  /** What the operator is told, if there is anybody left to tell. */
  says?: RegExp;
  /** The container has to be started again by somebody. */
  restarts?: boolean;
}
