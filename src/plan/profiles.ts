/** What has to be done about AppArmor profiles on one host, and what stands against it. */

import type { HostInputs } from "../desired/host-inputs.ts";
import { profileIn } from "../desired/apparmor-profiles.ts";
import { confines, enforced, usersOf } from "../effect/apparmor.ts";
import type { Observation } from "../observed/observation.ts";

export interface ProfilePlan {
  /** To load from their files, in place of what the kernel has under these names. */
  load: string[];
  /** To take out of the kernel. */
  unload: string[];
  /** Of those to load, whose new text holds at once for somebody who runs. */
  replaced: string[];
  /** apparmor.service loads them at the next boot, and is not enabled. */
  enable: boolean;
}

/** Where systemctl enable puts the link of apparmor.service. */
export const bootLink = "/etc/systemd/system/sysinit.target.wants/apparmor.service";

/** @param written paths of the files that are put in place */
export function planProfiles(wish: HostInputs, seen: HostInputs, observation: Observation, written: string[]): ProfilePlan {
  const { apparmor } = observation;
  const wished = Object.keys(wish.inEffect.apparmor ?? {});
  const rewritten = new Set(written.flatMap((path) => profileIn(path) ?? []));
  const loaded = apparmor.known ? apparmor.value.profiles : {};
  const isRight = (name: string) => loaded[name]?.mode === enforced && loaded[name].asOnDisk !== false;
  const isNew = (name: string) => loaded[name] === undefined;
  return {
    replaced: wished.filter((name) => rewritten.has(name) && !isNew(name) && confines(name, observation)),
    load: wished.filter((name) => rewritten.has(name) || (!isRight(name) && seen.inEffect.apparmor?.[name]?.startsWith("unknown: ") !== true)),
    unload: Object.keys(loaded).filter((name) => !wished.includes(name)).sort(),
    enable: wished.length > 0 && apparmor.known && apparmor.value.enabled && apparmor.value.boot === "disabled",
  };
}

/** @returns one sentence a finding, each with what to do. */
export function profileFindings(wish: HostInputs, observation: Observation, { removes, profiles }: { removes: string[]; profiles: ProfilePlan }): string[] {
  const { containers } = observation;
  // Also one that is not loaded: a stopped container that has it could not start again.
  const go = [...new Set([...profiles.unload, ...removes.flatMap((path) => profileIn(path) ?? [])])].sort();
  const to = (name: string) => `profile ${name} is to go, and`;
  return [
    ...hostFindings(wish, observation),
    ...inUse(go, observation).map(
      ({ name, users }) =>
        `${to(name)} ${users} has it: without it a running process is confined no more, and docker exec and start fail; remove that first, or make it again with another --security-opt apparmor=…, or keep the profile`,
    ),
    ...(containers.known ? [] : go.map((name) => `${to(name)} which containers have it can't be asked (${containers.reason}); start docker.service first`)),
  ];
}

/** Profiles that would go, and who has them. */
export function inUse(names: string[], observation: Observation): { name: string; users: string }[] {
  return names.flatMap((name) => {
    const users = usersOf(name, observation);
    return users.length === 0 ? [] : [{ name, users: users.join(", ") }];
  });
}

/** What loading and unloading means for containers, a sentence each. */
export function describeProfiles({ profiles: { load, unload, enable } }: { profiles: ProfilePlan }, observation: Observation): string[] {
  const { apparmor } = observation;
  const fresh = load.filter((name) => apparmor.known && apparmor.value.profiles[name] === undefined);
  const replaced = load.flatMap((name) => (fresh.includes(name) ? [] : usersOf(name, observation).map((user) => `${user} (${name})`)));
  return [
    ...(fresh.length > 0 ? [`containers made with --security-opt apparmor=NAME can have these profiles: ${fresh.join(", ")}; those that exist keep the one they were made with`] : []),
    ...(replaced.length > 0 ? [`the new text of a profile holds at once for ${replaced.join(", ")}`] : []),
    ...(unload.length > 0 ? [`profiles are taken out of the kernel: ${unload.join(", ")}`] : []),
    ...(enable ? ["apparmor.service is enabled, so that profiles are loaded at boot"] : []),
  ];
}

// --- Internal ---

function hostFindings({ inEffect }: HostInputs, { apparmor }: Observation): string[] {
  if (inEffect.apparmor === undefined) return [];
  if (!apparmor.known) return [`AppArmor can't be asked (${apparmor.reason}), so no profile can be proven; mend that, or set apparmor: null for this host`];
  const { enabled, tool, abi, boot } = apparmor.value;
  if (!enabled) return ["this kernel has no AppArmor, or it is switched off, so profiles would confine nothing; set apparmor: null for this host (SELinux does that work on Red Hat's), or boot with apparmor=1"];
  if (!tool) return ["apparmor_parser is not installed, so no profile can be loaded; install it (apt-get install apparmor) or set apparmor: null for this host"];
  if (!abi) return ["AppArmor here is older than 3.0 (/etc/apparmor.d/abi/3.0 is not there), which Drydock's profiles are written for; update apparmor or set apparmor: null for this host"];
  if (boot === "masked") return ["apparmor.service is masked, so no profile would be loaded at boot; run: systemctl unmask apparmor.service"];
  return [];
}
