/**
 * What src/remote/observe.sh prints: a record a line, `NAME STATUS =base64(stdout) =base64(stderr)`, and `complete` as the
 * last line.
 */

export interface ProbeResult {
  status: number;
  stdout: string;
  stderr: string;
}

/** A value that was read, or the reason why it could not be: unknown is neither absent nor in order. */
export type Known<T> = { known: true; value: T } | { known: false; reason: string };

export const known = <T>(value: T): Known<T> => ({ known: true, value });
export const unknown = (reason: string): Known<never> => ({ known: false, reason });

export class Records {
  private readonly results = new Map<string, ProbeResult>();

  /** @throws when the text is cut short or not of this form: half an observation must not pass for a whole one. */
  static parse(text: string): Records {
    const records = new Records();
    const lines = text.trimEnd().split("\n");
    if (lines.pop() !== "complete") throw new Error("the observation was cut short before its last line");
    for (const line of lines) {
      const match = /^(\S+) (\d+) =(\S*) =(\S*)$/.exec(line);
      if (!match) throw new Error(`the observation has a line that is not a record: ${line.slice(0, 80)}`);
      const [, name = "", status, stdout = "", stderr = ""] = match;
      records.results.set(name, { status: Number(status), stdout: decode(stdout), stderr: decode(stderr).trim() });
    }
    return records;
  }

  has(name: string): boolean {
    return this.results.has(name);
  }

  /** All records whose name begins with a prefix, by the rest of their name. */
  under(prefix: string): [string, ProbeResult][] {
    return [...this.results].filter(([name]) => name.startsWith(prefix)).map(([name, result]) => [name.slice(prefix.length), result]);
  }

  /** What a probe printed, if it succeeded. */
  text(name: string): Known<string> {
    const result = this.results.get(name);
    if (!result) return unknown(`${name} was not asked for`);
    if (result.status === 0) return known(result.stdout);
    return unknown(result.stderr.split("\n").at(-1) || `${name} ended with exit status ${result.status}`);
  }

  /** What a parser makes of a probe's text; a text that it refuses is unknown, too. */
  parsed<T>(name: string, parse: (text: string) => T): Known<T> {
    const text = this.text(name);
    if (!text.known) return text;
    try {
      return known(parse(text.value));
    } catch (error) {
      return unknown(`${name} printed something unexpected: ${(error as Error).message.split("\n")[0] ?? ""}`);
    }
  }
}

const decode = (base64: string) => Buffer.from(base64, "base64").toString("utf8");
