/** Mistakes in the settings of a program. */

import { type Problem, StackFileError, wordProblems } from "../config/problems.ts";
import { RunError } from "../sdk.ts";

/** Settings ask for something that can't be. Pulumi prints the message, which names every mistake, without a stack. */
export class FleetError extends RunError {
  /** For who has better names for the places than the paths in the settings, e.g. lines of a table. */
  readonly problems: readonly FleetProblem[];

  /** @internal */
  constructor(message: string, problems: readonly FleetProblem[]) {
    super(message);
    this.problems = problems;
  }
}

export interface FleetProblem {
  /** Where it stands, e.g. `["hosts", "web1", "connection", "host"]`. */
  path: readonly (string | number)[];
  /** What is wrong with it, and what is allowed. */
  text: string;
  /** The host that it is a mistake for, when others share the place. */
  host?: string;
}

/**
 * Mistakes of people are printed as they are, mistakes of ours with their stack.
 *
 * @param under the part of every place that the program has not written
 * @internal
 */
export function fleetError(error: unknown, source: string, under: readonly string[] = [], more: readonly Problem[] = []): unknown {
  if (!(error instanceof StackFileError)) return error;
  const written = error.places.map((problem) => ({ ...problem, path: under.every((step, index) => problem.path[index] === step) ? problem.path.slice(under.length) : problem.path }));
  const problems = [...more, ...written];
  return new FleetError(new StackFileError(wordProblems(problems), source).message, problems);
}
