/** Hosts from a table with a line for each. */

import { parse, type CsvError } from "csv-parse/sync";
import type { FleetHostArgs } from "drydock";

export interface Table {
  hosts: Map<string, FleetHostArgs>;
  /** By the host's name. */
  lines: Map<string, number>;
  /** What is wrong with the table itself. */
  problems: TableProblem[];
}

export interface TableProblem {
  line: number;
  text: string;
}

const columns = ["name", "address", "port", "user", "hostKey", "groups"];

/** @throws CsvError for a text that is no table at all, e.g. with a quote that nothing closes */
export function readTable(text: string): Table {
  const problems: TableProblem[] = [];
  const rows = parse(text, {
    bom: true,
    columns: (header: string[]) => {
      const missing = columns.filter((column) => !header.includes(column));
      if (missing.length > 0) problems.push({ line: 1, text: `no column ${missing.join(", ")}` });
      return header;
    },
    info: true,
    on_skip: (error?: CsvError) => void problems.push({ line: Number(error?.["lines"]), text: String(error?.message) }),
    skip_empty_lines: true,
    skip_records_with_error: true,
    trim: true,
  }) as unknown as { record: Record<string, string>; info: { lines: number } }[];

  const hosts = new Map<string, FleetHostArgs>();
  const lines = new Map<string, number>();
  for (const { record, info } of rows) {
    const { name = "", address = "", port = "", user = "", hostKey = "", groups = "" } = record;
    const twin = lines.get(name);
    if (twin === undefined) {
      lines.set(name, info.lines);
      const connection = { host: address || undefined, port: numberOf(port), user: user || undefined, hostKey: hostKey || undefined };
      hosts.set(name, { connection, groups: groups.split(" ").filter(Boolean) });
    } else {
      problems.push({ line: info.lines, text: `${name} stands in line ${twin} already` });
    }
  }
  return { hosts, lines, problems };
}

/** What is no number stays as it is written: Drydock says so, and what is allowed. */
function numberOf(text: string): number | undefined {
  if (text === "") return undefined;
  return /^\d+$/.test(text) ? Number(text) : (text as unknown as number);
}
