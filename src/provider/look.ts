/** One look at a host, with everything that the wish for it makes worth looking at. */

import { isDeepStrictEqual } from "node:util";
import { auditedPaths, statPaths } from "../cis/evaluate.ts";
import type { HostArgs, HostInputs } from "../desired/host-inputs.ts";
import { wishedStore } from "../desired/image-store.ts";
import type { Observation } from "../observed/observation.ts";
import { observe, type ObserveOptions } from "../remote/observe.ts";
import { needName, needsOf } from "../plan/needs.ts";
import { auditCandidates } from "../plan/seen.ts";
import { connectionProblems } from "../config/resolved-connection.ts";
import { HostError } from "./errors.ts";

export interface LookOptions {
  /** Over a connection of its own, after an apply: proves that a new one can be made. */
  fresh?: boolean;
  /** What this process saw a moment ago will do: `check` and `read` look just before `create` and `update` do. */
  reuse?: boolean;
}

/** @throws HostError when the connection says something that ssh must not be given; UnreachableError, RemoteScriptError */
export async function look(wish: HostArgs | HostInputs, options: LookOptions = {}): Promise<Observation> {
  const wrong = connectionProblems(wish.connection);
  if (wrong.length > 0) throw new HostError(wrong.join("\n  "));
  const places = placesToLook(wish);
  const key = JSON.stringify(wish.connection);
  const seen = recent.get(key);
  if (options.reuse && seen && Date.now() - seen.at < reusableSeconds * 1000 && covers(seen, places)) {
    // One that failed is tried anew: a jump host may have dropped what came along with others.
    const observation = await seen.observation.catch(() => undefined);
    if (observation) return observation;
  }
  // After a change, whoever looks again wants to know what is now.
  if (options.fresh) {
    recent.delete(key);
    return observe(wish.connection, { ...places, fresh: true });
  }
  const observation = observe(wish.connection, places);
  const now: Seen = { at: Number.POSITIVE_INFINITY, places, observation };
  recent.set(key, now);
  const settled = (): void => void (now.at = Date.now());
  observation.then(settled, settled);
  return observation;
}

type Places = Required<Pick<ObserveOptions, "files" | "looked" | "paths" | "volumes" | "needs" | "store">>;

/** The files and paths that the wish, and the benchmark, make worth looking at. */
export function placesToLook(wish: HostArgs | HostInputs): Places {
  return {
    files: [...Object.keys(wish.files), ...Object.keys(wish.modes)],
    looked: [...namedFiles(wish), ...statPaths],
    volumes: wish.volumes ?? {},
    needs: needsOf(wish).map(needName),
    store: wishedStore(wish),
    paths: [...new Set([...auditedPaths, ...auditCandidates(wish)])].sort(),
  };
}

// --- Internal ---

interface Seen {
  /** When it came, in milliseconds; later than any time while it is under way. */
  at: number;
  places: Places;
  /** May be under way. */
  observation: Promise<Observation>;
}

const recent = new Map<string, Seen>();

/**
 * The transaction itself refuses when a file is not as it was seen, and when a container is left that was not, so an old look
 * costs a second try at worst.
 */
const reusableSeconds = 60;

const covers = ({ places }: Seen, wanted: Places) =>
  isDeepStrictEqual(places.volumes, wanted.volumes) &&
  isDeepStrictEqual(places.store, wanted.store) &&
  (["files", "looked", "paths", "needs"] as const).every((kind) => wanted[kind].every((path) => places[kind].includes(path)));

/** Files of the user's that settings name by their path on the host: keys and certificates. */
function namedFiles({ daemon }: HostArgs): string[] {
  const logOpts = typeof daemon["log-opts"] === "object" ? (daemon["log-opts"] as Record<string, unknown>) : {};
  const named = [daemon.tlscacert, daemon.tlscert, daemon.tlskey, logOpts["syslog-tls-ca-cert"], logOpts["syslog-tls-cert"], logOpts["syslog-tls-key"]];
  return named.filter((path) => typeof path === "string");
}
