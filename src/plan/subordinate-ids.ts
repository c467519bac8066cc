/** The user and the ranges behind userns-remap (subuid(5)). */

import type { Json } from "../desired/host-inputs.ts";
import type { Observation } from "../observed/observation.ts";

export interface SubordinateIds {
  user: string;
  createUser: boolean;
  /** Lines to add, e.g. `dockremap:100000:65536`. */
  uids: string[];
  gids: string[];
}

export interface Range {
  user: string;
  start: number;
  count: number;
}

/** What a remapped container gets; dockerd takes no smaller range for a whole system of users. */
export const rangeSize = 65536;

/** @returns undefined when the user and a range of its own in both files are there, or nothing is remapped. */
export function planSubordinateIds(usernsRemap: Json | undefined, observation: Observation): SubordinateIds | undefined {
  const user = remapUser(usernsRemap);
  if (user === undefined) return undefined;
  const uids = parseRanges(observation.subordinateUids);
  const gids = parseRanges(observation.subordinateGids);
  const createUser = !observation.users.includes(user);
  const missing = (ranges: Range[]) => !ranges.some((range) => range.user === user && range.count >= rangeSize);
  if (!createUser && !missing(uids) && !missing(gids)) return undefined;
  // One start for both files: nobody wants to explain why container uid and gid differ by some number. A range that is in use,
  // by the daemon or by the other file, is taken again: another one would hide all images and containers.
  const used = [...uids, ...gids].find((range) => range.user === user && range.count >= rangeSize)?.start ?? startInUse(observation);
  // The user's own ranges in a file that gets another one must not share ids with it either: the kernel takes no such map.
  const inTheWay = [uids, gids].flatMap((ranges) => ranges.filter((range) => range.user !== user || missing(ranges)));
  const isFree = (start: number) => start >= firstId && inTheWay.every((range) => start >= range.start + range.count || range.start >= start + rangeSize);
  const start = used !== undefined && isFree(used) ? used : nextFree([...uids, ...gids]);
  const line = `${user}:${start}:${rangeSize}`;
  return { user, createUser, uids: missing(uids) ? [line] : [], gids: missing(gids) ? [line] : [] };
}

/** The user named by `userns-remap`; `default` is dockerd's word for `dockremap`. */
export function remapUser(usernsRemap: Json | undefined): string | undefined {
  if (typeof usernsRemap !== "string" || usernsRemap === "") return undefined;
  const user = usernsRemap.split(":")[0] ?? "";
  return user === "default" ? "dockremap" : user;
}

/** Pairs of ranges of different users that share an id: root in one container would be a user of the other. */
export function overlaps(text: string, user: string): string[] {
  const ranges = parseRanges(text);
  const own = ranges.filter((range) => range.user === user);
  return own.flatMap((a) =>
    ranges
      .filter((b) => b.user !== user && a.start < b.start + b.count && b.start < a.start + a.count)
      .map((b) => `${write(a)} and ${write(b)}`),
  );
}

// dockremap:100000:65536
export function parseRanges(text: string): Range[] {
  return text.split("\n").flatMap((line) => {
    const [, user, start, count] = /^([^:#]+):(\d+):(\d+)\s*$/.exec(line) ?? [];
    return user ? [{ user, start: Number(start), count: Number(count) }] : [];
  });
}

// --- Internal ---

const write = ({ user, start, count }: Range) => `${user}:${start}:${count}`;

/** The first id behind the running daemon's data root, e.g. 165536 of /var/lib/docker/165536.165536. */
function startInUse({ info }: Observation): number | undefined {
  const remapped = info.known ? /\/(\d+)\.\d+$/.exec(info.value.DockerRootDir)?.[1] : undefined;
  return remapped === undefined ? undefined : Number(remapped);
}

/** login.defs(5): SUB_UID_MIN is 100000 by default; ids below it belong to real users. */
const firstId = 100_000;

function nextFree(ranges: Range[]): number {
  return Math.max(firstId, ...ranges.map(({ start, count }) => start + count));
}
