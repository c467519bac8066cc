/** What shows that a fault has happened: what the host says, and its journal since the trial began. */

import type { Machine } from "../../../lab/machine.ts";
import { journal } from "./host.ts";

/** What a pattern finds in the text of a command on the host. */
export async function shows(machine: Machine, command: string, pattern: RegExp): Promise<string> {
  const { stdout } = await machine.ssh(command);
  const found = pattern.exec(stdout)?.[0];
  if (found === undefined) throw new Error(`the fault did not happen: ${command} says ${stdout.trim() || "nothing"}`);
  return found.replace(/\s+/g, " ");
}

interface Line {
  /** Since the boot: no clock that was set moves it. */
  second: number;
  text: string;
}

/** The seconds of the first line with each text, looked for from the one before it on; without those that are not there. */
export function inOrder(lines: Line[], texts: string[]): number[] {
  const seconds: number[] = [];
  let from = 0;
  for (const text of texts) {
    const at = lines.findIndex((line, i) => i >= from && line.text.includes(text));
    if (at < 0) break;
    seconds.push(lines[at]?.second ?? NaN);
    from = at + 1;
  }
  return seconds;
}

/** What the journal has of the trial. */
export async function timed(machine: Machine, matches: string): Promise<Line[]> {
  const { stdout } = await machine.ssh(`${journal} ${matches}`);
  return stdout.split("\n").flatMap((line) => {
    const [, second, text = ""] = /^\[ *([\d.]+)\] (.*)/.exec(line) ?? [];
    return second === undefined ? [] : [{ second: Number(second), text }];
  });
}
