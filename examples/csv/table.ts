/** Hosts from a table with a line for each. */

import { parse, type CsvError } from "csv-parse/sync";
import type { FleetHostArgs } from "drydock";

export interface Table {
  hosts: Record<string, FleetHostArgs>;
  /** By the host's name. */
  lines: Record<string, number>;
  /** What is wrong with the table itself, as `{line}: {text}`. */
  problems: string[];
}

const columns = ["name", "address", "port", "user", "groups"];

/** @throws CsvError for a text that can't be read as a table at all */
export function readTable(text: string): Table {
  const table: Table = { hosts: {}, lines: {}, problems: [] };
  const rows = parse(text, {
    bom: true,
    columns: (header: string[]) => {
      const missing = columns.filter((column) => !header.includes(column));
      if (missing.length > 0) table.problems.push(`1: no column ${missing.join(", ")}`);
      return header;
    },
    info: true,
    on_skip: (error?: CsvError) => void table.problems.push(`${String(error?.lines)}: ${String(error?.message)}`),
    skip_empty_lines: true,
    skip_records_with_error: true,
    trim: true,
  }) as unknown as { record: Record<string, string>; info: { lines: number } }[];
  for (const { record, info } of rows) {
    const { name = "", address, port = "", user, groups = "" } = record;
    if (name in table.lines) table.problems.push(`${info.lines}: ${name} stands in line ${String(table.lines[name])} already`);
    table.lines[name] = info.lines;
    table.hosts[name] = {
      // What is no number stays as it is, and is refused by what it says.
      connection: { host: address, port: (/^\d+$/.test(port) ? Number(port) : port) as number, user },
      groups: groups.split(" ").filter(Boolean),
    };
  }
  return table;
}
