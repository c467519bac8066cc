/** Which containers keep what they have when a default changes, and until when: facts of moby's create.go and of runc. */

import { daemonKeyCost } from "../config/daemon.ts";
import type { HostInputs, Json } from "../desired/host-inputs.ts";
import type { Container, Observation } from "../observed/observation.ts";
import type { DockerActivation } from "./docker-activation.ts";

/** A sentence for those that have to be made again, and one for those that only have to be started again. */
export function describeMadeAgain({ because, stop, switchesStore }: DockerActivation, wish: HostInputs, { containers }: Observation): string[] {
  // What another store has is not seen any more.
  if (switchesStore || !containers.known) return [];
  const runsOn = ({ id, running }: Container) => running && !stop.includes(id);
  const remade = containers.value.filter((container) => because.some((key) => fixed[key]?.(container, wish.daemon[key]) ?? (daemonKeyCost[key] === "containers made again" && !isFilter(key) && runsOn(container))));
  const atStart = [...(because.some(isFilter) ? ["seccomp filter"] : []), ...(because.includes("default-ulimits") ? ["default-ulimits"] : [])];
  const restarted = atStart.length > 0 ? containers.value.filter(runsOn) : [];
  return [
    ...(remade.length > 0 ? [`containers have to be made again to get new defaults: ${listed(remade)}`] : []),
    ...(restarted.length > 0 ? [`containers have to be started again to get the new ${atStart.join(" and ")}: ${listed(restarted)}`] : []),
  ];
}

// --- Internal ---

/** Copied into a container when it is made: neither a restart of dockerd nor a start of the container changes it. */
const fixed: Record<string, (container: Container, wished: Json | undefined) => boolean> = {
  "log-driver": ({ logDriver }, wished = "json-file") => logDriver !== wished,
  "log-opts": () => true,
  "no-new-privileges": ({ privileged }) => !privileged,
  "default-cgroupns-mode": ({ cgroupnsMode }, wished) => cgroupnsMode !== wished,
  // Who asked for one of its own keeps that; which one a container has is not asked.
  "default-ipc-mode": () => true,
  "default-runtime": () => true,
  "default-shm-size": () => true,
};

/** The key, and the words of a plan for another text under the same path. */
const isFilter = (key: string) => ["seccomp-profile", "seccomp profile"].includes(key);

const listed = (some: Container[]) => some.map(({ name }) => name).join(", ");
