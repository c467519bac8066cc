/** systemd of the model: it goes by the unit files that it has read, not by those on the disk. */

import type { Observation } from "../../src/observed/observation.ts";
import type { UnitProperties } from "../../src/observed/systemd.ts";
import { fail, type ModelHost } from "./model-host.ts";

type Directives = Record<string, string>;

/** Units of which systemd always has read the files. */
const services = ["docker.service", "containerd.service"];
export const slice = "drydock-containers.slice";

export class ModelSystemd {
  private read: Map<string, string>;
  private readonly host: ModelHost;
  private readonly recorded: Observation;
  private readonly stopped = new Set<string>();
  sliceRuns = false;

  constructor(recorded: Observation, host: ModelHost) {
    this.recorded = recorded;
    this.host = host;
    this.read = this.onDisk();
  }

  units(): Record<string, UnitProperties> {
    return Object.fromEntries(
      Object.entries(this.recorded.units).map(([name, properties]) => {
        const state = name === slice ? (this.sliceRuns ? "active" : "inactive") : this.stopped.has(name) ? "inactive" : (properties.ActiveState ?? "");
        const isLoaded = services.includes(name) || (name === slice && this.sliceRuns);
        const changed = isLoaded && JSON.stringify(filesOf(name, this.read)) !== JSON.stringify(filesOf(name, this.onDisk()));
        return [name, { ...properties, ActiveState: state, NeedDaemonReload: changed ? "yes" : "no" }];
      }),
    );
  }

  reload(): void {
    this.read = this.onDisk();
  }

  boot(): void {
    this.reload();
    this.stopped.clear();
    this.sliceRuns = false;
  }

  start(unit: string): void {
    if (this.recorded.units[unit]?.LoadState !== "loaded") fail(`Unit ${unit} not found`);
    this.stopped.delete(unit);
  }

  stop(unit: string): void {
    this.stopped.add(unit);
  }

  runs(unit: string): boolean {
    return !this.stopped.has(unit);
  }

  /** Of all files of a unit, as systemd has read them: drop-ins by their names, the last one wins. */
  directives(unit: string): Directives {
    const lines = filesOf(unit, this.read).flatMap(([, text]) => text.split("\n"));
    return Object.fromEntries(lines.flatMap((line) => (/^[A-Z]\w*=/.test(line) ? [line.split(/=(.*)/s).slice(0, 2) as [string, string]] : [])));
  }

  private onDisk(): Map<string, string> {
    return new Map([...this.host.files].flatMap(([path, { text }]) => (path.startsWith("/etc/systemd/system/") && text !== undefined ? [[path, text]] : [])));
  }
}

function filesOf(unit: string, files: Map<string, string>): [string, string][] {
  const folder = "/etc/systemd/system/";
  return [...files].filter(([path]) => path === `${folder}${unit}` || path.startsWith(`${folder}${unit}.d/`)).sort(([a], [b]) => (a < b ? -1 : 1));
}
