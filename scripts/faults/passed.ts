import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { TriedRow } from "./table.ts";

/** The rows that passed with this very code, each with the run that it comes from. */
export class Passed {
  readonly #file: string;
  readonly #rows: Record<string, TriedRow>;

  /** @param file one for each state of the code */
  constructor(file: string, again: boolean) {
    this.#file = file;
    this.#rows = !again && existsSync(this.#file) ? (JSON.parse(readFileSync(this.#file, "utf8")) as Record<string, TriedRow>) : {};
  }

  row(name: string): TriedRow | undefined {
    return this.#rows[name];
  }

  add(name: string, row: TriedRow): void {
    this.#rows[name] = row;
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(this.#file, JSON.stringify(this.#rows));
  }
}
