/** What a host is, as far as the wish for it depends on it. */

import type { HostFacts } from "../desired/host-inputs.ts";
import type { Observation } from "../observed/observation.ts";

/** The binaries that the units start, and which of the audited paths are there. */
export function hostFacts(observation: Observation): HostFacts {
  const starts = ["docker.service", "containerd.service"].flatMap((unit) => {
    // { path=/usr/sbin/dockerd ; argv[]=/usr/sbin/dockerd -H fd:// ; … }
    const path = /\bpath=(\S+)/.exec(observation.units[unit]?.ExecStart ?? "")?.[1];
    return path ? [path] : [];
  });
  return { starts, dockerExecStart: observation.dockerExecStart, watchable: [...observation.present].sort() };
}
