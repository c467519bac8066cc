/**
 * What src/remote/observe.sh prints: a line a probe (`NAME STATUS BYTES-OF-STDOUT BYTES-OF-STDERR`), an empty line,
 * the bytes of each stdout, the bytes of each stderr.
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
  static parse(bytes: Buffer): Records {
    const end = bytes.indexOf("\n\n");
    const entries = bytes.subarray(0, Math.max(end, 0)).toString("utf8").split("\n").map(parseEntry);
    const size = entries.reduce((sum, { stdoutBytes, stderrBytes }) => sum + stdoutBytes + stderrBytes, 0);
    if (end < 0 || bytes.length !== end + 2 + size) throw new Error("the observation was cut short");
    const records = new Records();
    let stdoutAt = end + 2;
    let stderrAt = stdoutAt + entries.reduce((sum, { stdoutBytes }) => sum + stdoutBytes, 0);
    for (const { name, status, stdoutBytes, stderrBytes } of entries) {
      const stdout = bytes.toString("utf8", stdoutAt, (stdoutAt += stdoutBytes));
      const stderr = bytes.toString("utf8", stderrAt, (stderrAt += stderrBytes)).trim();
      records.results.set(name, { status, stdout, stderr });
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

  /** Also what a probe that failed printed, e.g. stat for those of many files that are there. */
  result(name: string): ProbeResult {
    return this.results.get(name) ?? { status: -1, stdout: "", stderr: "" };
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

// --- Internal ---

// docker-info 0 1893 0
function parseEntry(line: string): { name: string; status: number; stdoutBytes: number; stderrBytes: number } {
  const [, name = "", status, stdoutBytes, stderrBytes] = /^(.+) (\d+) (\d+) (\d+)$/.exec(line) ?? [];
  if (status === undefined) throw new Error(`the observation has a line that is not a record: ${line.slice(0, 80)}`);
  return { name, status: Number(status), stdoutBytes: Number(stdoutBytes), stderrBytes: Number(stderrBytes) };
}
