/** What is said of one control, and how three truths come to one word. */

import type { HostInputs } from "../desired/host-inputs.ts";
import type { Observation } from "../observed/observation.ts";
import type { Known } from "../observed/records.ts";

export type Verdict = "pass" | "fail" | "pending" | "not applicable" | "manual" | "unknown";

/** What a check says; `ControlResult` adds which control it is. */
export interface Finding {
  /** What the stack file asks for. */
  declared?: string;
  /** What the files say. */
  onDisk?: string;
  /** What the kernel or the running daemon does. */
  inEffect?: string;
  verdict: Verdict;
  /** One line a reader can check on the host. */
  evidence: string;
}

/** What a check looks at. */
export interface Evidence {
  observation: Observation;
  wish: HostInputs | undefined;
}

export interface Truths {
  /** Whether the files satisfy the control; undefined when that is not known. */
  disk: boolean | undefined;
  /** Whether the running state does. */
  effect: boolean | undefined;
  /** Set when it is known why the running state is behind the files: `a restart of docker.service`. */
  waitsFor?: string | undefined;
}

/**
 * Disk and running state must both satisfy a control. What is not known never passes, and what waits for a restart, a
 * reboot or a container made again is neither passed nor failed (design decision 8).
 */
export function decide({ disk, effect, waitsFor }: Truths): Verdict {
  if (disk === false) return "fail";
  if (disk === true && effect !== true && waitsFor !== undefined) return "pending";
  if (effect === false) return "fail";
  return disk === undefined || effect === undefined ? "unknown" : "pass";
}

/** The value of a known fact through a function, undefined when it is unknown. */
export function whenKnown<T, R>(fact: Known<T>, then: (value: T) => R): R | undefined {
  return fact.known ? then(fact.value) : undefined;
}
