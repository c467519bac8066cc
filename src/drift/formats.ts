/** The formats by name, and the endings of files that mean them. */

import { renderHtml } from "./html.ts";
import { renderJunit } from "./junit.ts";
import { renderMarkdown } from "./markdown.ts";
import type { DriftReport } from "./report.ts";
import { renderSarif } from "./sarif.ts";
import { renderText } from "./text.ts";

/** What a format may want to know besides the report. */
export interface Context {
  /** Relative to the project. */
  stackFile: string;
  /** Where each host stands in it, counted from 1. */
  lines: ReadonlyMap<string, number>;
  /** For a terminal. @default false */
  color?: boolean;
}

export type Format = "text" | "md" | "json" | "junit" | "sarif" | "html";

export const formats: Record<Format, { endings: string[]; render: (report: DriftReport, context: Context) => string }> = {
  text: { endings: [".txt"], render: renderText },
  md: { endings: [".md"], render: (report) => renderMarkdown(report) },
  json: { endings: [".json"], render: (report) => `${JSON.stringify(report, null, 2)}\n` },
  junit: { endings: [".xml"], render: renderJunit },
  sarif: { endings: [".sarif", ".sarif.json"], render: renderSarif },
  html: { endings: [".html"], render: (report) => renderHtml(report) },
};

/** By the end of a file's name; undefined when it says nothing. */
export function formatOf(file: string): Format | undefined {
  const known = Object.entries(formats).flatMap(([format, { endings }]) => endings.map((ending) => ({ format: format as Format, ending })));
  // .sarif.json before .json.
  return known.sort((a, b) => b.ending.length - a.ending.length).find(({ ending }) => file.endsWith(ending))?.format;
}
