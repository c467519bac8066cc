/** A difference for people: a unified diff where there is text, `a => b` where there is a value. */

import type { Json } from "../desired/host-inputs.ts";
import { patch } from "../plan/describe.ts";
import type { Difference } from "./classify.ts";
import { redact } from "../redact.ts";

/** Something to show of one place, or of daemon.json as a whole. */
export interface Piece {
  /** `/etc/docker/daemon.json`, `/etc/audit/rules.d/50-drydock.rules`, `inEffect.daemon.icc`. */
  title: string;
  /** The places it is about, e.g. `daemon.icc`. */
  places: string[];
  /** A unified diff, or one line for a value: as text, without anything that looks like a secret. */
  text: string;
}

/** Differences in the order: daemon.json, files, the rest. */
export function pieces(differences: Difference[], secrets: readonly string[] = []): Piece[] {
  const daemon = differences.filter(({ place }) => place.startsWith("daemon."));
  const files = differences.filter(isFile);
  const rest = differences.filter((difference) => !daemon.includes(difference) && !files.includes(difference));
  const shown = [...(daemon.length > 0 ? [daemonPiece(daemon)] : []), ...files.map(filePiece), ...rest.map(valuePiece)];
  return shown.map(({ text, title, places }) => ({ title: redact(title, secrets), places: places.map((place) => redact(place, secrets)), text: redact(text, secrets) }));
}

// --- Internal ---

const daemonJson = "/etc/docker/daemon.json";

const isFile = ({ place, from, to }: Difference) => place.startsWith("files.") || (place === "inEffect.audit" && [from, to].every((value) => value === undefined || typeof value === "string"));

/** Only the keys that differ, each with the lines of its value: what stays says nothing. */
function daemonPiece(differences: Difference[]): Piece {
  const [before, after] = (["from", "to"] as const).map((side) => {
    const entries = differences.flatMap(({ place, [side]: value }) => (value === undefined ? [] : [[place.slice("daemon.".length), value] as [string, Json]]));
    return entries.map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value, null, 2)}\n`).join("");
  }) as [string, string];
  return { title: daemonJson, places: differences.map(({ place }) => place), text: patch(daemonJson, before, after, { before: lostNote(differences.some(({ lost }) => lost === true)) }) };
}

function filePiece({ place, from, to, lost }: Difference): Piece {
  const title = place.replace(/^files\./, "");
  const note = lost ? lostNote(true) : from === undefined ? "not there" : "";
  return { title, places: [place], text: patch(title, asText(from), asText(to), { before: note, after: to === undefined ? "gone" : "" }) };
}

function valuePiece({ place, from, to, lost }: Difference): Piece {
  return { title: place, places: [place], text: `${place}: ${lost ? "(what was applied is not stored any more)" : show(from)} => ${show(to)}` };
}

const lostNote = (lost: boolean) => (lost ? "what was applied is not stored any more" : "");

const asText = (value: Json | undefined): string => (value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value, null, 2));

const show = (value: Json | undefined): string => (value === undefined ? "nothing" : JSON.stringify(value));
