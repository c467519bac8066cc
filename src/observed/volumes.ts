/** What observe.sh reads of one volume: its device, and what has to move there. */

export interface VolumeFacts {
  /** The device behind the stable path; undefined when it is not there. */
  device: Device | undefined;
  /** Where the mount point really is: another path than its own when it is a symbolic link. */
  place: string;
  /** What lies in the mount point's folder as long as no filesystem of its own is mounted there. */
  data: { bytes: number; entries: number } | undefined; // NaN where counting them took too long
  /** Programs that are needed and not installed. */
  missingTools: string[];
}

export interface Device {
  path: string;
  /** `block special file`, or what it is instead. */
  kind: string;
  /** `major:minor`, as mountinfo has it. */
  number: string;
  bytes: number;
  readOnly: boolean;
  /** Names of partitions on it and of devices made from it. */
  children: string[];
  /** What wipefs(8) finds, filesystems and partition tables, LUKS, LVM, RAID, swap. */
  signatures: Signature[];
}

export interface Signature {
  type: string;
  label: string;
  uuid: string;
}

/** @throws when it is not of this form */
export function parseVolume(text: string): VolumeFacts {
  const lines = text.split("\n").filter(Boolean).map((line) => line.split(/ (.*)/s) as [string, string?]);
  const all = (name: string) => lines.filter(([key]) => key === name).map(([, value = ""]) => value);
  const one = (name: string) => all(name)[0];
  const place = one("place");
  if (place === undefined) throw new Error("no line `place`");
  const data = one("data")?.split(" ");
  return {
    device: parseDevice(one("device"), all("lsblk"), all("signature")),
    place,
    data: data === undefined ? undefined : { bytes: sizeOf(data[0]), entries: sizeOf(data[1]) },
    missingTools: all("missing"),
  };
}

// --- Internal ---

const sizeOf = (text: string | undefined) => (text === "-" ? Number.NaN : assertNumber(Number(text)));

// device block special file|fe:10|/dev/vdb
// lsblk NAME="vdb" TYPE="disk" SIZE="3221225472" RO="0"
function parseDevice(device: string | undefined, rows: string[], signatures: string[]): Device | undefined {
  if (device === undefined) return undefined;
  const [kind = "", number = "", path = ""] = device.split("|");
  // A disk of which nothing is known must not pass for an empty one.
  if (kind === "block special file" && rows.length === 0) throw new Error("no line `lsblk`");
  const [self, ...children] = rows.map((row) => Object.fromEntries([...row.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value])));
  return {
    path,
    kind,
    number: number.split(":").map((part) => Number.parseInt(part, 16)).join(":"),
    bytes: self === undefined ? 0 : assertNumber(self.SIZE ? Number(self.SIZE) : undefined),
    readOnly: self?.RO === "1",
    children: children.map(({ NAME = "" }) => NAME),
    signatures: signatures.flatMap((line) => (line.startsWith("#") ? [] : [parseSignature(line)])),
  };
}

// # offset,uuid,label,type␤0x438,6f1e…,drydock-data,ext4
function parseSignature(line: string): Signature {
  const [, uuid = "", label = "", type = ""] = line.split(",");
  return { type: type || "unknown", label, uuid };
}

function assertNumber(value: number | undefined): number {
  if (value === undefined || !Number.isFinite(value)) throw new Error(`not a number: ${value}`);
  return value;
}
