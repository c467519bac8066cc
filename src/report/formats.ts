/** The formats of a report, and what each is rendered by. */

import { renderHtml } from "./html.ts";
import { renderJunit } from "./junit.ts";
import { renderMarkdown } from "./markdown.ts";
import type { Report } from "./model.ts";
import { renderSarif } from "./sarif.ts";

export const formats = ["html", "md", "json", "junit", "sarif"] as const;
export type Format = (typeof formats)[number];

export const renderers: Record<Format, (report: Report) => string> = {
  html: renderHtml,
  md: renderMarkdown,
  json: (report) => `${JSON.stringify(report, undefined, 2)}\n`,
  junit: renderJunit,
  sarif: renderSarif,
};
