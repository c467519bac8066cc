/**
 * Disks for a FakeRoot: each is a folder, and to mount one is to put a link to it in the place of the folder that was there. So
 * everything is copied and compared for real, by anybody.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { DeclaredVolume } from "../../src/desired/host-inputs.ts";
import { mountUnit, volumeFiles, wholeLabel } from "../../src/desired/volumes.ts";
import type { FileWrite } from "../../src/plan/plan.ts";
import type { VolumeStep } from "../../src/plan/volumes.ts";
import { type FakeRoot, mine, stubs } from "./fake-root.ts";

export const uuid = "6f4e5d4c-3b2a-8908-8706-050403020100";

/** A step for /var/lib/docker on an empty disk; each test changes what it is about. */
export function step(change: Partial<VolumeStep> = {}): VolumeStep {
  const { mountPoint = "/var/lib/docker" } = change;
  const volume: DeclaredVolume = { device: `/dev/disk/by-id/${mountPoint.slice("/var/lib/".length)}`, filesystem: "ext4", options: "nodev" };
  return { how: "move", mountPoint, unit: mountUnit(mountPoint), uuid, label: wholeLabel(mountPoint), format: true, bytes: 4096, ...volume, ...change };
}

/** The files that go with it. */
export function volumeWrites(...steps: VolumeStep[]): FileWrite[] {
  const texts = new Map(steps.map(({ unit, device, mountPoint }) => [`/etc/systemd/system/${unit}`, `[Mount]\nWhat=${device}\nWhere=${mountPoint}\n`]));
  return volumeFiles.flatMap((path) => (path.endsWith(".mount") && !texts.has(path) ? [] : [{ path, text: texts.get(path) ?? "[Unit]\n", mode: "0644", ...mine }]));
}

/** Teaches a host to make filesystems and to mount them. */
export function withDisks(host: FakeRoot): void {
  for (const folder of ["/disks", "/below", "/labels", "/var/lib/docker"]) mkdirSync(host.at(folder), { recursive: true });
  host.write("/proc/self/mountinfo", "");
  for (const [name, text] of Object.entries(programs)) host.on(name, `${functions}\n${text}`);
}

export const disk = (host: FakeRoot, name = "docker"): string => host.at(`/disks/${name}`);

/** The label of a disk; nothing without a filesystem. */
export const labelOf = (host: FakeRoot, name = "docker"): string => (existsSync(host.at(`/labels/${name}`)) ? readFileSync(host.at(`/labels/${name}`), "utf8").trim() : "");

/** As an earlier run has left it. */
export function format(host: FakeRoot, label: string, name = "docker"): void {
  mkdirSync(disk(host, name), { recursive: true });
  writeFileSync(host.at(`/labels/${name}`), `${label}\n`);
}

// --- Internal ---

const functions = `
place() { printf '%s\\n' "$1" | sed "s#^$ROOT##" | tr / _; }
attach() { # DISK PATH
  [ -d "$ROOT/disks/$1" ] && [ ! -L "$2" ] || return 32
  mv "$2" "$ROOT/below/$(place "$2")" && ln -s "$ROOT/disks/$1" "$2"
}
detach() { # PATH
  [ -L "$1" ] || return 32
  rm "$1" && mv "$ROOT/below/$(place "$1")" "$1"
}
made() { mkdir -p "$ROOT/disks/$1/lost+found" && echo "$2" >"$ROOT/labels/$1"; }
for last; do :; done
name=\${last##*/}`;

const programs: Record<string, string> = {
  mount: 'attach "${5##*/}" "$6"',
  umount: 'detach "$last"',
  // What is mounted where, told by the disk's name.
  mountpoint: 'case "$1" in -d) basename "$(readlink "$last")" ;; -x) echo "$name" ;; *) [ -L "$last" ] ;; esac',
  // A line a signature; whoever has a label has one.
  wipefs: 'for label in "$ROOT/labels/$name"; do [ ! -e "$label" ] || echo "0x438,uuid,$(cat "$label"),ext4"; done',
  blkid: `case "$*" in *UUID*) echo ${uuid} ;; *) cat "$ROOT/labels/$name" ;; esac`,
  "mkfs.ext4": 'made "$name" "$5"',
  "mkfs.xfs": 'made "$name" "$3"',
  e2label: 'echo "$2" >"$ROOT/labels/${1##*/}"',
  // xfs_io -c 'label -s LABEL' MOUNTPOINT
  xfs_io: 'on=$(readlink "$3") && echo "\${2##* }" >"$ROOT/labels/\${on##*/}"',
  udevadm: "",
  // Runs it in the only namespace there is, and mounts again what it has unmounted there.
  unshare: '[ ! -e "$ROOT/no-unshare" ] || exit 1\nshift 3\nplace=$5\non=$(readlink "$5")\n"$@"\nstatus=$?\n[ -L "$place" ] || attach "${on##*/}" "$place"\nexit "$status"',
  systemctl: `
case "$*" in
  "show -p ActiveEnterTimestampMonotonic "*) cat "$ROOT/started-at" 2>/dev/null || echo 1; exit ;;
  "start "*.mount)
    unit=$ROOT/etc/systemd/system/$2
    [ ! -e "$ROOT/no-$2" ] && [ -e "$unit" ] || { echo "Job for $2 failed." >&2; exit 1; }
    what=$(sed -n 's/^What=//p' "$unit")
    attach "\${what##*/}" "$ROOT$(sed -n 's/^Where=//p' "$unit")"
    exit ;;
  "stop "*.mount) detach "$ROOT/$(echo "\${2%.mount}" | tr - /)"; exit ;;
esac
${stubs.systemctl ?? ""}`,
};
