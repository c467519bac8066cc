/** Where a host stands in its stack file, for findings that point there. */

import { isMap, isScalar, LineCounter, parseDocument } from "yaml";

/** Line of each host by its name, counted from 1. Of a file that can't be read nothing is known. */
export function hostLines(text: string): Map<string, number> {
  const lineCounter = new LineCounter();
  const hosts = parseDocument(text, { lineCounter }).getIn(["config", "drydock:hosts"]);
  if (!isMap(hosts)) return new Map();
  return new Map(hosts.items.flatMap(({ key }) => (isScalar(key) && key.range ? [[String(key.value), lineCounter.linePos(key.range[0]).line] as [string, number]] : [])));
}
