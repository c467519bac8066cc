/**
 * The Handlebars templates: one file a file on the host, in the folder shape of the host, `.hbs` at the end. A file of
 * the same place in the user's own folder takes the place of ours.
 */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";

import Handlebars from "handlebars";

import { didYouMean } from "../config/problems.ts";
import { sortedJson } from "./json.ts";

/** A template that can't be rendered, or what it renders can't go to a host. Names the template, the line and the host. */
export class TemplateError extends Error {
  override name = "TemplateError";
}

/** Every file Drydock writes, daemon.json included. */
export const renderedPaths = [
  "/etc/audit/rules.d/50-drydock.rules",
  "/etc/docker/daemon.json",
  "/etc/modules-load.d/drydock.conf",
  "/etc/systemd/system/containerd.service.d/40-drydock-volume.conf",
  "/etc/systemd/system/containerd.service.d/50-drydock.conf",
  "/etc/systemd/system/docker-.scope.d/10-drydock.conf",
  "/etc/systemd/system/docker.service.d/40-drydock-volume.conf",
  "/etc/systemd/system/docker.service.d/50-drydock.conf",
  "/etc/systemd/system/drydock-containers.slice",
  "/etc/systemd/system/var-lib-containerd.mount",
  "/etc/systemd/system/var-lib-docker.mount",
  "/etc/tmpfiles.d/drydock.conf",
] as const;
export type RenderedPath = (typeof renderedPaths)[number];

export interface Template {
  /** Where it was read from, for messages. */
  file: string;
  render: (context: object) => string;
}

/** @param overrides the user's folder, or none */
export function readTemplates(overrides?: string): Map<RenderedPath, Template> {
  if (overrides !== undefined) refuseStrangers(overrides);
  return new Map(renderedPaths.map((path) => [path, readTemplate(path, overrides)]));
}

// --- Internal ---

const builtIn = join(import.meta.dirname, "..", "..", "templates");

// No helper of ours does more than write JSON; `strict` makes a misspelled name an error instead of nothing.
const handlebars = Handlebars.create();
handlebars.registerHelper("json", (value: unknown) => sortedJson(value));

// By text: a fleet renders the same few templates for each of its hosts, and compiling costs ten times what rendering does.
const compiledTexts = new Map<string, Handlebars.TemplateDelegate<object>>();

function compile(text: string): Handlebars.TemplateDelegate<object> {
  const known = compiledTexts.get(text);
  if (known) return known;
  const compiled = handlebars.compile<object>(text, { strict: true, noEscape: true });
  compiledTexts.set(text, compiled);
  return compiled;
}

function readTemplate(path: RenderedPath, overrides?: string): Template {
  const own = overrides === undefined ? undefined : join(overrides, `${path}.hbs`);
  const file = own !== undefined && existsSync(own) ? own : join(builtIn, `${path}.hbs`);
  const name = file === own ? own : join("templates", `${path}.hbs`);
  const compiled = compile(readFileSync(file, "utf8"));
  return {
    file: name,
    render: (context) => {
      try {
        return compiled(context);
      } catch (cause) {
        throw new TemplateError(`${name}${explainHandlebars(cause)}`, { cause });
      }
    },
  };
}

/** Handlebars says `"x" not defined in [object Object] - 2:11` and `Parse error on line 2:` with four lines after it. */
function explainHandlebars(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const unknown = /^(".*") not defined in .* - (\d+):\d+$/.exec(message);
  if (unknown) return `, line ${unknown[2] ?? ""}: ${unknown[1] ?? ""} is not defined`;
  const parse = /^Parse error on line (\d+):\n(.*)/.exec(message);
  if (parse) return `, line ${parse[1] ?? ""}: no Handlebars: ${parse[2] ?? ""}`;
  return `: ${message.split("\n").join(" ")}`;
}

/** A template that nothing reads would be a setting that silently does nothing. */
function refuseStrangers(folder: string): void {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new TemplateError(`${folder}: no such folder (drydock:templates)`);
  const known = renderedPaths.map((path) => `${path.slice(1)}.hbs`);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = relative(folder, join(entry.parentPath, entry.name));
    if (entry.isDirectory() || known.includes(file) || !file.endsWith(".hbs")) continue;
    throw new TemplateError(`${join(folder, file)}: no file of Drydock's${didYouMean(file, known) || `; known: ${known.join(", ")}`}`);
  }
}
