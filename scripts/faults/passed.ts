import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Row } from "../../test/e2e/faults/trial.ts";

/** The rows that passed with this very code. */
export class Passed {
  readonly #file: string;
  readonly #rows: Record<string, Row>;

  /** @param file one for each state of the code */
  constructor(file: string, again: boolean) {
    this.#file = file;
    this.#rows = !again && existsSync(this.#file) ? (JSON.parse(readFileSync(this.#file, "utf8")) as Record<string, Row>) : {};
  }

  row(name: string): Row | undefined {
    return this.#rows[name];
  }

  add(name: string, row: Row): void {
    this.#rows[name] = row;
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(this.#file, JSON.stringify(this.#rows));
  }
}
