/** The profiles that files ask for, and what the kernel has of them. */

import { profileIn } from "../desired/apparmor-profiles.ts";
import type { Container, Observation } from "../observed/observation.ts";
import { profileOf, type AppArmor } from "../observed/apparmor.ts";

export const enforced = "enforce";

/** What must be in effect for the profiles among the files; undefined when there is none. */
export function profilesWished(files: Record<string, string>): Record<string, string> | undefined {
  const names = Object.keys(files).flatMap((path) => profileIn(path) ?? []);
  return names.length === 0 ? undefined : Object.fromEntries(names.sort().map((name) => [name, enforced]));
}

/** The same as the kernel has it, and every other profile under our names that is loaded; undefined when there is neither. */
export function profilesInEffect(wished: Record<string, string> | undefined, { apparmor }: Observation): Record<string, string> | undefined {
  if (!apparmor.known) return wished && Object.fromEntries(Object.keys(wished).map((name) => [name, `unknown: ${apparmor.reason}`]));
  const names = new Set([...Object.keys(wished ?? {}), ...Object.keys(apparmor.value.profiles)]);
  return names.size === 0 ? undefined : Object.fromEntries([...names].sort().map((name) => [name, wished?.[name] === undefined ? (apparmor.value.profiles[name]?.mode ?? "not loaded") : inEffect(name, apparmor.value)]));
}

/** The profile that confines each running container, by its name. */
export function containerProfiles({ containers, apparmor }: Observation): Record<string, string> {
  if (!containers.known) return {};
  const running = containers.value.filter((container) => container.running);
  const label = ({ pid }: Container): string => {
    if (!apparmor.known) return `unknown: ${apparmor.reason}`;
    if (!apparmor.value.enabled) return "unconfined";
    return (apparmor.value.labels[pid] ?? `unknown: process ${pid} was not seen`).replace(/ \(enforce\)$/, "");
  };
  return Object.fromEntries(running.map((container): [string, string] => [container.name, label(container)]).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether a process runs with it. */
export const confines = (profile: string, observation: Observation) => confined(profile, observation).size > 0;

/** Who would lose a profile that goes: containers, stopped ones too, and other processes. */
export function usersOf(profile: string, observation: Observation): string[] {
  const { containers } = observation;
  const pids = confined(profile, observation);
  const all = containers.known ? containers.value : [];
  const users = all.filter((container) => pids.has(container.pid) || container.securityOpt.some((option) => /^apparmor[=:](.*)$/.exec(option)?.[1] === profile));
  if (users.length > 0) return users.map(({ name }) => `container ${name}`);
  return [...pids].slice(0, 3).map((pid) => `process ${pid}`);
}

// --- Internal ---

/** Process ids. */
function confined(profile: string, { apparmor }: Observation): Set<number> {
  const labels = apparmor.known ? Object.entries(apparmor.value.labels).filter(([, label]) => profileOf(label).split("//")[0] === profile) : [];
  return new Set(labels.map(([pid]) => Number(pid)));
}

function inEffect(name: string, { enabled, boot, profiles }: AppArmor): string {
  if (!enabled) return "not loaded: the kernel has no AppArmor";
  const loaded = profiles[name];
  if (!loaded) return "not loaded";
  if (loaded.asOnDisk === false) return `${loaded.mode}, and not what the file says`;
  if (loaded.mode === enforced && boot !== "enabled") return `${enforced} until the next boot: apparmor.service is ${boot}`;
  return loaded.mode;
}
