/** Disruptions that a plan would cause and the stack file has to consent to: all of them at once, with the one line that consents to all. */

import { isDeepStrictEqual } from "node:util";
import { disruptions, type Disruption, type HostInputs } from "../desired/host-inputs.ts";
import { containerdData } from "../desired/volumes.ts";
import { wishedContainerdStore, wishedDataRoot } from "../desired/image-store.ts";
import { keepsImagesInContainerd } from "../effect/daemon.ts";
import type { Observation } from "../observed/observation.ts";
import { counted, removedByStop } from "./describe.ts";
import { storeKeys } from "./docker-activation.ts";
import type { Plan } from "./plan.ts";
import { observedInputs, runningContainers } from "./seen.ts";
import { hiddenByVolumes } from "./volume-findings.ts";
import { stopsDocker } from "./volumes.ts";

/** One sentence a finding, each with what to do. */
export function consentFindings(wish: HostInputs, observation: Observation, plan: Plan): string[] {
  const lacking = disruptionsOf(wish, observation, plan).filter(({ disruption }) => !wish.allow.includes(disruption));
  const named = new Set(lacking.map(({ disruption }) => disruption));
  // A list replaces the one of an earlier layer: what was consented to already belongs to it.
  const line = `allow: [${disruptions.filter((one) => named.has(one) || wish.allow.includes(one)).join(", ")}]`;
  const all = named.size > 1 ? " to all of this" : "";
  return [
    ...unknownDisruptions(wish, observation, plan),
    ...lacking.map(({ text, instead }) => (instead === undefined ? `${text}; to consent${all}, add to this host: ${line}` : `${text}; ${instead}, or consent${all} on this host with: ${line}`)),
  ];
}

// --- Internal ---

interface Reason {
  disruption: Disruption;
  text: string;
  /** What makes it unnecessary. */
  instead?: string;
}

function disruptionsOf(wish: HostInputs, observation: Observation, plan: Plan): Reason[] {
  const { docker } = plan;
  const { info } = observation;
  const names = runningContainers(observation).map(({ name }) => name);
  const reasons: Reason[] = hiddenByVolumes(observation, plan.volumes).map((text) => ({ disruption: "hide-containers", text }));
  if (docker.switchesStore && info.known && (info.value.Containers > 0 || info.value.Images > 0)) {
    const running = names.length > 0 ? `stops ${names.join(", ")} and ` : "";
    const images = keepsImagesInContainerd(info.value) && docker.because.includes("userns-remap") ? `, images in ${containerdData}, since with userns-remap this engine keeps none there` : "";
    reasons.push({ disruption: "hide-containers", text: `changing ${storeKeys(docker)} ${running}hides ${counted(info.value.Containers, "container")} and ${counted(info.value.Images, "image")} (they stay under ${info.value.DockerRootDir}${images})` });
  }
  if (!docker.switchesStore && docker.stop.length > 0) {
    const moving = plan.volumes.filter(stopsDocker).map(({ mountPoint }) => mountPoint);
    const removed = removedByStop(docker.stop, observation);
    const lost = removed === undefined ? "" : `; ${removed}`;
    if (moving.length > 0) reasons.push({ disruption: "restart-containers", text: `moving ${moving.join(" and ")} stops ${names.join(", ")}, which are started again after it${lost}` });
    else reasons.push({ disruption: "restart-containers", text: `restarting dockerd without live-restore stops ${names.join(", ")}${lost}`, instead: "set daemon.live-restore: true" });
  }
  reasons.push(...plan.overLimits.map((text): Reason => ({ disruption: "restart-containers", text: `${text}: limits hold for running containers at once`, instead: "raise the limit for this host" })));
  return reasons;
}

/** What nobody can tell is not consented to either. */
function unknownDisruptions(wish: HostInputs, observation: Observation, { docker }: Plan): string[] {
  const { info, containers, units } = observation;
  const state = units["docker.service"]?.ActiveState ?? "";
  if (["activating", "deactivating"].includes(state)) return [`docker.service is ${state}, so what a change would stop or hide is not known; wait until it has ended, or see why it does not: journalctl -u docker`];
  const switched = info.known || state === "active" ? [] : changedStoreKeys(wish, observation);
  if (switched.length > 0) return [`docker.service does not run, so what a change of ${switched.join(" and ")} would hide is not known; start it first: systemctl start docker`];
  const silent = [info, containers].find((fact) => !fact.known);
  if (silent?.known === false && state === "active" && docker.how !== "nothing") {
    return [`dockerd runs and does not answer (${silent.reason}), so what a change would stop or hide is not known; restart docker.service first`];
  }
  return [];
}

/** The keys by which dockerd would see another store, as far as the files tell: only a running one knows which it has. */
function changedStoreKeys(wish: HostInputs, observation: Observation): string[] {
  const { daemon } = observedInputs(wish, observation);
  return [
    ...(wishedDataRoot(wish) === wishedDataRoot({ daemon }) ? [] : ["data-root"]),
    ...(wishedContainerdStore(wish) === wishedContainerdStore({ daemon }) ? [] : ["features"]),
    ...["storage-driver", "userns-remap"].filter((key) => !isDeepStrictEqual(wish.daemon[key], daemon[key])),
  ];
}
