/** How a report says things to people, the same in every format. */

import { verdicts, type ControlReport, type Counts, type Report, type SeenHost } from "./model.ts";
import { aboutWaiver } from "./waive.ts";

/** `22 fail, 2 manual, 21 pass`; what is zero is left out, but never what fails. */
export function countsInWords(counts: Counts): string {
  return verdicts.filter((verdict) => verdict === "fail" || counts[verdict] > 0).map((verdict) => `${counts[verdict]} ${verdict}`).join(", ");
}

/** The evidence, and what a waiver makes of it. */
export function sentence({ evidence, waiver, verdict }: ControlReport): string {
  return waiver ? `${evidence}; ${aboutWaiver(waiver, verdict)}` : evidence;
}

/** What a stack file has to say for it; empty where Drydock has no setting. */
export const remedyInWords = ({ remedy }: Pick<ControlReport, "remedy">) => (remedy === undefined ? "" : `In the stack file: ${remedy}.`);

export const heading = ({ benchmark, stack }: Report) => `${benchmark.name} ${benchmark.version}, stack ${stack}`;

/** What a container's look could not tell is one point, not many. */
export function adviceOf(containers: SeenHost["containers"]) {
  if (!containers.known) return [];
  return containers.running.map(({ container, advice }) => ({
    container,
    found: advice.filter(({ known }) => known),
    unknown: advice.filter(({ known }) => !known),
  }));
}

/** A command and what it printed, as in a terminal. */
export const asTerminal = ({ proof }: Pick<ControlReport, "proof">) => proof.map(({ command, printed }) => `# ${command}\n${printed === "" ? "(nothing)" : printed}`).join("\n");
