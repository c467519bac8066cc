/** What a host is at, while a step takes long: a status beside its name in the terminal, not a line of the report. */

/** How often is looked whether there is something to say, and after how long the same step is said again; in ms. */
const every = 2_000;
const again = 10_000;

/**
 * In a terminal such a line replaces the one before; where there is none, e.g. in a CI job, each becomes a line of the log. So a step
 * is shown only when it has lasted for a while.
 */
export class Progress {
  readonly #show: (status: string) => void;
  readonly #timer: NodeJS.Timeout;
  #step = "";
  #since = 0;
  #shownAt: number | undefined;

  constructor(show: (status: string) => void) {
    this.#show = show;
    this.#timer = setInterval(() => this.#look(), every).unref();
  }

  step(name: string): void {
    this.#step = name;
    this.#since = Date.now();
    this.#shownAt = undefined;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  // --- Internal ---

  #look(): void {
    const now = Date.now();
    if (this.#step === "" || now - this.#since < every || (this.#shownAt !== undefined && now - this.#shownAt < again)) return;
    this.#shownAt = now;
    this.#show(`${this.#step}, ${Math.round((now - this.#since) / 1000)} s`);
  }
}
