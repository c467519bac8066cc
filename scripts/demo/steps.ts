/** Headlines: each step says in a sentence what is about to happen and why, and in the end how long it took. */

import { DemoError } from "./error.ts";

export class Steps {
  #count = 0;
  readonly #started = Date.now();

  /** Runs one step under its headline. */
  async run<T>(headline: string, deed: () => Promise<T>): Promise<T> {
    if (interrupted) throw new DemoError("stopped");
    this.#count += 1;
    console.log(`\n${bold(`${this.#count}. ${headline}`)}\n`);
    const started = Date.now();
    const result = await deed();
    console.log(dim(`   (${inSeconds(Date.now() - started)})`));
    return result;
  }

  get elapsed(): string {
    return inSeconds(Date.now() - this.#started);
  }
}

/** Lets a running command end by itself on Ctrl-C, so that the machine is put away afterwards; a second one ends at once. */
export function catchInterrupt(): void {
  process.once("SIGINT", () => {
    interrupted = true;
    console.log("\nStopping after this step; once more to stop at once.");
    process.once("SIGINT", () => process.exit(130));
  });
}

export const isInterrupted = () => interrupted;

export const isColorful = process.stdout.isTTY && !process.env.NO_COLOR;

export const bold = (text: string) => styled(1, text);
export const dim = (text: string) => styled(2, text);
export const green = (text: string) => styled(32, text);
export const red = (text: string) => styled(31, text);
export const yellow = (text: string) => styled(33, text);

// --- Internal ---

let interrupted = false;

const styled = (code: number, text: string) => (isColorful ? `\x1b[${code}m${text}\x1b[0m` : text);

function inSeconds(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
