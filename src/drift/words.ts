/** The words that all formats share. */

import { counted } from "../plan/describe.ts";
import type { DriftReport, HostReport, Verdict } from "./report.ts";

export const verdicts: Record<Verdict, string> = {
  unread: "could not be read",
  refused: "would be refused",
  failed: "error",
  drift: "drift",
  change: "change",
  pending: "pending",
};

/** Above what belongs to a verdict, worst first: this is also the order in which it is shown. */
export const sections: Record<Verdict, { title: string; about: string }> = {
  unread: { title: "Could not be read", about: "Nothing is known of these hosts now. It does not mean that they have not drifted." },
  refused: { title: "Would be refused", about: "An update would stop before it touches these hosts." },
  failed: { title: "Errors", about: "This went wrong while these hosts were looked at." },
  drift: { title: "Drift", about: "What somebody did on the hosts: - is what the last update left, + is what is there now. An update takes it back." },
  change: { title: "Change", about: "What the stack file wants otherwise: - is what the last update left, + is what is declared now." },
  pending: { title: "Pending", about: "Right in the files, and not in effect yet. An update does not help; what it waits for does." },
};

/** `1 host could not be read, 2 hosts drifted; 5 of 8 are as declared`. */
export function headline({ summary, problems, others }: DriftReport): string {
  const said = [
    ...(problems.length > 0 ? ["the preview failed"] : []),
    ...say(summary.unread, "could not be read"),
    ...say(summary.refused, "would refuse the update"),
    ...say(summary.failed, "had an error", "had errors"),
    ...say(summary.drift, "drifted"),
    ...say(summary.change, "would change because of the stack file"),
    ...(others.length > 0 ? [`${counted(others.length, "other resource")} would change`] : []),
    ...say(summary.pending, "waits for something", "wait for something"),
  ];
  const rest = summary.hosts === 0 ? "no host is known" : summary.clean === summary.hosts ? `${summary.hosts === 1 ? "the one host is" : `all ${summary.hosts} hosts are`} as declared` : `${summary.clean} of ${counted(summary.hosts, "host")} ${summary.clean === 1 ? "is" : "are"} as declared`;
  return said.length === 0 ? rest : `${said.join(", ")}; ${rest}`;
}

/** In a table: how much of it there is. */
export const cells = (host: HostReport): { is: string; drift: string; change: string; pending: string } => ({
  is: host.is.length === 0 ? "as declared" : host.is.map((verdict) => verdicts[verdict]).join(", "),
  drift: host.unread === undefined ? count(host.drift) : "not known",
  change: host.goes ? "is taken out" : host.isNew ? "first update" : count(host.change) || (host.is.includes("change") ? "some" : ""),
  pending: host.pending.length > 0 ? String(host.pending.length) : host.unread === undefined ? "" : "not known",
});

/** The lines that belong to a verdict besides diffs. */
export function linesOf(host: HostReport, verdict: Verdict): string[] {
  switch (verdict) {
    case "unread":
      return host.unread === undefined ? [] : [host.unread];
    case "refused":
      return host.refused;
    case "failed":
      return host.errors;
    case "pending":
      return host.pending;
    case "drift":
      return [];
    case "change":
      return [...(host.goes ? ["it stands in the stack file no more: with `allow: [restore-original]` an update gives the original files back, without it the host keeps what it has"] : []), ...host.notes];
  }
}

/** Of a host that would change, notes stand with its change; those of the others have their own heading. */
export const notes = { title: "Notes", about: "What else there is to say of hosts that the stack file leaves as they were." };

export const notesOf = (host: HostReport): string[] => (host.is.includes("change") ? [] : host.notes);

export const piecesOf = (host: HostReport, verdict: Verdict) => (verdict === "drift" ? host.drift : verdict === "change" ? host.change : []);

// --- Internal ---

const say = (count: number, one: string, many = one): string[] => (count === 0 ? [] : [`${counted(count, "host")} ${count === 1 ? one : many}`]);

function count(pieces: HostReport["drift"]): string {
  const places = pieces.reduce((sum, piece) => sum + Math.max(piece.places.length, 1), 0);
  return places === 0 ? "" : counted(places, "place");
}
