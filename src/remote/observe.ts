/** One look at a host: one script over one connection, which changes nothing. */

import { readFileSync } from "node:fs";
import type { Connection } from "../config/connection.ts";
import type { DeclaredVolume } from "../desired/host-inputs.ts";
import type { ImageStore } from "../desired/image-store.ts";
import { parseObservation, type Observation } from "../observed/observation.ts";
import { seconds } from "./limits.ts";
import { quote } from "./shell.ts";
import { readAsRoot } from "./ssh.ts";

export interface ObserveOptions {
  /** Files to read besides daemon.json: those Drydock owns there, by absolute path. */
  files?: string[];
  /** Paths of which only owner and mode are asked: the text of a private key, or of what is the user's, never leaves the host. */
  looked?: string[];
  /** Paths to look whether they exist. */
  paths?: string[];
  /** Filesystems to look at, by mount point. */
  volumes?: Record<string, DeclaredVolume>;
  /** What the wish needs of the host, e.g. `module br_netfilter` (src/plan/needs.ts). */
  needs?: string[];
  /** Where dockerd should keep its images: where that is to change, those that would be hidden are asked for. @default /var/lib/docker, as dockerd has it by itself */
  store?: ImageStore;
  /** Over a connection of its own, after a change: proves that a new one can be made, and asks neither what sshd would say nor for needs. */
  fresh?: boolean;
}

/** @throws UnreachableError, RemoteScriptError (src/remote/ssh.ts), or an Error when the host printed no observation. */
export async function observe(connection: Connection, options: ObserveOptions = {}): Promise<Observation> {
  const asked = Date.now();
  const observation = parseObservation(await observationBytes(connection, options));
  return { ...observation, clockAhead: clockAhead(observation.now, asked, Date.now()) };
}

/**
 * How many seconds a host's clock is ahead of ours at least, less than 0 when it is behind; whatever the way there took is no difference.
 *
 * @param now the host's, in seconds since 1970; `asked` and `answered` are ours, in milliseconds
 */
export function clockAhead(now: number, asked: number, answered: number): number {
  // It tells whole seconds only.
  const [from, to] = [Math.floor(asked / 1000), Math.ceil(answered / 1000)];
  return now < from ? now - from : Math.max(0, now - to);
}

/** An observation as the host prints it; what tests are recorded from. */
export async function observationBytes(connection: Connection, options: ObserveOptions): Promise<Buffer> {
  const files = [...new Set(["/etc/docker", "/etc/docker/daemon.json", ...(options.files ?? [])])];
  const script = `owned=${quote(files.join("\n"))}\nlooked=${quote((options.looked ?? []).join("\n"))}\nwatched=${quote((options.paths ?? []).join("\n"))}\nvolumes=${quote(volumeLines(options.volumes ?? {}))}\nneeds=${quote((options.needs ?? []).join("\n"))}\nafter=${options.fresh === true ? "yes" : "no"}\n${storeVariables(options.store ?? { dataRoot: "/var/lib/docker" })}\n${observeScript}`;
  return readAsRoot(connection, script, {
    step: "observing",
    timeout: seconds.observe,
    ...(options.fresh === undefined ? {} : { fresh: options.fresh }),
  });
}

const volumeLines = (volumes: Record<string, DeclaredVolume>) => Object.entries(volumes).map(([mountPoint, { device, filesystem }]) => `${mountPoint} ${device} ${filesystem}`).join("\n");

const storeVariables = ({ dataRoot, remap = "", driver = "", containerd }: ImageStore) =>
  `data_root=${quote(dataRoot)}\nremap=${quote(remap)}\ndriver=${quote(driver)}\ncontainerd_store=${containerd ?? ""}`;

const observeScript = readFileSync(new URL("observe.sh", import.meta.url), "utf8");
