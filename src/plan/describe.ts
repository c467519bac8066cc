/** A plan in words and unified diffs: what changes on the host, and what it costs there. */

import { createTwoFilesPatch } from "diff";
import type { HostInputs, Json, JsonObject } from "../desired/host-inputs.ts";
import { wishedDataRoot, wishesRemap } from "../desired/image-store.ts";
import { dataRoot, keepsImagesInContainerd } from "../effect/daemon.ts";
import type { Observation } from "../observed/observation.ts";
import { isDeepStrictEqual } from "node:util";
import { visible } from "../redact.ts";
import { containerdData } from "../desired/volumes.ts";
import { scopeDropIn } from "../effect/container-limits.ts";
import { storeKeys } from "./docker-activation.ts";
import { describeMadeAgain } from "./made-again.ts";
import { auditIsImmutable, daemonConfigurationOn, runningContainers } from "./seen.ts";
import { auditWaits, bridgeWaits } from "./pending.ts";
import { describeProfiles } from "./profiles.ts";
import type { Plan } from "./plan.ts";
import { readableBytes } from "./volume-findings.ts";
import { stopsDocker, type VolumeStep } from "./volumes.ts";
import { auditRulesFile, daemonJson } from "./wish.ts";

/**
 * Unified diffs of the files, then one line for each other difference. Empty when there is none.
 *
 * @param newFiles `named`: for a state that has their texts in `files` already, since the engine writes all of it at each step
 */
export function describeChange(plan: Plan, wish: HostInputs, seen: HostInputs, observation: Observation, newFiles: "whole" | "named" = "whole"): string {
  const textOn = (path: string) => {
    const file = observation.files[path];
    return file?.known ? shown(path, file.value.text ?? "", ours) : "";
  };
  const ours = new Set([...Object.keys(wish.daemon), ...Object.keys(seen.daemon)]);
  const patches = [
    ...plan.writes.map(({ path, text }) => {
      const isThere = observation.files[path] !== undefined;
      if (!isThere && newFiles === "named" && path in wish.files) return `+++ ${path}\tnew file`;
      return patch(path, textOn(path), shown(path, text, ours), sideNotes(isThere, true));
    }),
    ...plan.removes.map((path) => patch(path, textOn(path), "", sideNotes(true, false))),
  ];
  return [...patches, ...differencesBesides(plan, wish, seen)].join("\n");
}

/** One line a difference: `inEffect.daemon.icc: true => false`. */
export function differences(wish: HostInputs, seen: HostInputs): string[] {
  const { modes, inEffect, files, daemon } = wish;
  return [
    ...compare("daemon", seen.daemon, daemon),
    ...compare("files", seen.files, files, () => "has another text"),
    ...compare("modes", seen.modes, modes),
    ...compare("inEffect.services", seen.inEffect.services, inEffect.services),
    ...(seen.inEffect.configuration === inEffect.configuration ? [] : [`inEffect.configuration: ${seen.inEffect.configuration}`]),
    ...compare("inEffect.daemon", seen.inEffect.daemon, inEffect.daemon),
    ...compareLines("inEffect.audit", seen.inEffect.audit ?? "", inEffect.audit ?? ""),
    ...compare("inEffect.apparmor", seen.inEffect.apparmor ?? {}, inEffect.apparmor ?? {}),
    ...(seen.inEffect.seccomp === inEffect.seccomp ? [] : [`inEffect.seccomp: ${seen.inEffect.seccomp ?? "nothing"}`]),
    ...compare("inEffect.limits", seen.inEffect.limits, inEffect.limits),
    ...compare("inEffect.mounts", seen.inEffect.mounts ?? {}, inEffect.mounts ?? {}),
    ...(seen.inEffect.oldData === inEffect.oldData ? [] : [`inEffect.oldData: ${seen.inEffect.oldData ?? "nothing"} => ${inEffect.oldData ?? "nothing"}`]),
  ];
}

/** What the change costs on the running host, a sentence each; never empty. */
export function describeCost(plan: Plan, wish: HostInputs, observation: Observation): string[] {
  const { docker } = plan;
  const names = new Map(runningContainers(observation).map(({ id, name }) => [id, name]));
  const because = docker.because.length > 0 ? ` (${docker.because.join(", ")})` : "";
  const cost: string[] = [];
  cost.push(...plan.volumes.map(describeVolume));
  if (plan.removeOldData) cost.push("what was there before a move is removed at the end");
  if (plan.volumes.some((step) => stopsDocker(step) && step.mountPoint === containerdData)) cost.push("containerd stops while its data move, and starts again");
  if (plan.start.length > 0) cost.push(`${plan.start.join(", ")} ${plan.start.length === 1 ? "is" : "are"} started`);
  cost.push(...ownReplaced(wish, observation));
  if (docker.how === "start") cost.push("dockerd is started");
  if (docker.how === "reload") cost.push(`dockerd reloads its configuration${because}; no container notices`);
  if (docker.how === "restart") {
    const first = docker.liveRestoreFirst ? ", after a reload that switches live-restore on" : "";
    cost.push(`dockerd restarts${because}${first}`);
    if (names.size > 0 && docker.stop.length === 0) cost.push(`containers keep running: ${[...names.values()].join(", ")}`);
  }
  if (docker.stop.length > 0) {
    cost.push(`containers ${docker.switchesStore ? "stop" : "are stopped and started again"}: ${docker.stop.map((id) => names.get(id) ?? id).join(", ")}`);
    const lost = removedByStop(docker.stop, observation);
    if (lost !== undefined) cost.push(`${lost}: Docker removes them when they stop, with their anonymous volumes`);
  }
  if (docker.switchesStore && observation.info.known) {
    const { Containers, Images, DockerRootDir } = observation.info.value;
    cost.push(`${storeKeys(docker)} ${storeKeys(docker).includes(" and ") ? "change" : "changes"}: ${counted(Containers, "container")} and ${counted(Images, "image")} under ${DockerRootDir} are hidden, not lost; images have to be loaded again`);
    const hidden = [...(observation.containers.known ? observation.containers.value.map(({ name }) => `container ${name}`) : []), ...(observation.images.known ? observation.images.value.map((name) => `image ${name}`) : [])];
    if (wishesRemap(wish) && keepsImagesInContainerd(observation.info.value)) cost.push(`with userns-remap this engine keeps no images in ${containerdData}: they are below ${docker.because.includes("data-root") ? wishedDataRoot(wish) : dataRoot(observation.info.value)} from then on`);
    if (hidden.length > 0) cost.push(`hidden from then on: ${hidden.join(", ")}`);
  }
  cost.push(...describeMadeAgain(docker, wish, observation));
  const limits = Object.entries(wish.inEffect.limits).filter(([name]) => name.startsWith("docker-.scope ")).map(([name, value]) => `${name.split(" ")[1] ?? ""}=${value}`);
  if (plan.writes.some(({ path }) => path === scopeDropIn) && names.size > 0 && docker.stop.length === 0) {
    cost.push(`running containers get these limits at once, unless they have some of their own: ${limits.join(", ")}`);
  }
  const overIpv6 = wish.daemon["userland-proxy"] === false && wish.daemon["ip6tables"] !== true && docker.because.includes("userland-proxy")
    ? runningContainers(observation).filter(({ ports }) => Object.values(ports).some((bindings) => bindings?.some(({ HostIp }) => HostIp === "::")))
    : [];
  if (overIpv6.length > 0) cost.push(`published ports answer over IPv6 no more, since docker-proxy did that: ${overIpv6.map(({ name }) => name).join(", ")}`);
  if (docker.dropBetweenContainers) cost.push("containers on docker0 can't reach each other from then on, running ones included");
  if (docker.liftDrop) cost.push("containers on docker0 can reach each other again");
  if (docker.stop.length === 0) cost.push(...bridgeWaits(wish, observation));
  cost.push(...describeProfiles(plan, observation));
  if (plan.writes.some(({ path }) => path === auditRulesFile) && auditIsImmutable(observation)) cost.push(auditWaits);
  if (plan.modules.length > 0) cost.push(`kernel modules are loaded: ${plan.modules.join(", ")}`);
  return cost.length > 0 ? cost : ["nothing restarts"];
}

/** A key that was the user's own until now. Of a host that is new the whole diff is shown; here the engine knows none of it. */
function ownReplaced(wish: HostInputs, observation: Observation): string[] {
  const { keys } = observation.applied;
  if (keys === undefined) return [];
  const ours = keys.split(",");
  return Object.entries(daemonConfigurationOn(observation)).flatMap(([key, value]) =>
    key in wish.daemon && !ours.includes(key) && !isDeepStrictEqual(wish.daemon[key], value) ? [`daemon.${key} is replaced, which Drydock had not set: it was ${visible(JSON.stringify(value))}`] : [],
  );
}

/** Those that were run with --rm, where there are any. */
export function removedByStop(stop: string[], observation: Observation): string | undefined {
  const names = runningContainers(observation).filter(({ id, autoRemove }) => autoRemove && stop.includes(id)).map(({ name }) => name);
  return names.length === 0 ? undefined : `containers that were run with --rm do not come back, ${names.join(", ")}`;
}

function describeVolume({ how, mountPoint, device, filesystem, bytes, format }: VolumeStep): string {
  if (how === "repair") return `${mountPoint} gets the options and the place at boot that are wished; nothing stops`;
  if (how === "adopt") return `Docker stops, and ${mountPoint} is the ${filesystem} on ${device} from then on, with the data on it`;
  const made = format ? `, which is empty and gets ${filesystem}` : ", where a copy was begun";
  return `${readableBytes(bytes)} under ${mountPoint} move to ${device}${made}: copied while Docker runs, and once more, with what has changed, while it is stopped; then every byte is compared`;
}

/** What a unified diff says of a side, beside the path. */
export interface SideNotes {
  before?: string;
  after?: string;
}

/** A unified diff of one file, with two lines around each change: who reads it has no room for more. */
export function patch(path: string, before: string, after: string, notes: SideNotes = {}): string {
  const text = createTwoFilesPatch(path, path, before, after, notes.before ?? "", notes.after ?? "", { context: 2 });
  // What a terminal acts on is seen: the text is of a host that somebody may have got into.
  return text.split("\n").filter((line) => !/^(Index: .*|={67})$/.test(line)).map(visible).join("\n").trimEnd();
}

/** A file that was not there, or is not there any more. */
export const sideNotes = (wasThere: boolean, isThere: boolean): SideNotes => ({ ...(wasThere ? {} : { before: "new file" }), ...(isThere ? {} : { after: "removed" }) });

/** `1 container`, `2 containers`. */
export const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;

// --- Internal ---

/**
 * daemon.json without what the user's own keys hold, and one key a line: a proxy's address may have a password in it, and this
 * text goes to logs and to the state.
 */
function shown(path: string, text: string, ours: Set<string>): string {
  if (path !== daemonJson || text.trim() === "") return text;
  try {
    const entries = Object.entries(JSON.parse(text) as JsonObject).map(([key, value]): [string, Json] => [key, ours.has(key) ? value : "(yours, stays as it is)"]);
    return `${JSON.stringify(Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))), null, 2)}\n`;
  } catch {
    return "(not JSON)\n";
  }
}

/** What the diffs of the files do not say already. */
function differencesBesides(plan: Plan, wish: HostInputs, seen: HostInputs): string[] {
  const written = new Set(plan.writes.map(({ path }) => path));
  const said = (line: string) =>
    line.startsWith("files.") || line.startsWith("daemon.") || line.startsWith("inEffect.audit: ") || [...written].some((path) => line.startsWith(`modes.${path}:`));
  const { add, remove } = plan.audit;
  const audit = add.length + remove.length > 0 ? [`inEffect.audit: ${add.length} rules are loaded into the kernel, ${remove.length} taken out`] : [];
  return [...differences(wish, seen).filter((line) => !said(line)), ...audit];
}

function compare(prefix: string, seen: Record<string, Json>, wished: Record<string, Json>, say?: () => string): string[] {
  const keys = [...new Set([...Object.keys(seen), ...Object.keys(wished)])].sort();
  return keys
    .filter((key) => !isDeepStrictEqual(seen[key], wished[key]))
    .map((key) => `${prefix}.${key}: ${say && key in seen && key in wished ? say() : `${show(seen[key])} => ${show(wished[key])}`}`);
}

function compareLines(name: string, seen: string, wished: string): string[] {
  const [before, after] = [seen, wished].map((text) => text.split("\n").filter(Boolean)) as [string[], string[]];
  return [...before.filter((line) => !after.includes(line)).map((line) => `${name}: - ${line}`), ...after.filter((line) => !before.includes(line)).map((line) => `${name}: + ${line}`)];
}

const show = (value: Json | undefined) => (value === undefined ? "nothing" : typeof value === "string" && value.includes("\n") ? `${value.split("\n").length - 1} lines` : JSON.stringify(value));
