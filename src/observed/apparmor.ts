/** What the kernel's AppArmor does: which of Drydock's profiles are loaded, and which profile confines which process. */

export interface AppArmor {
  /** Whether the kernel confines by it. */
  enabled: boolean;
  /** Whether apparmor_parser is there. */
  tool: boolean;
  /** Whether it knows the features that Drydock's profiles are written for: /etc/apparmor.d/abi/3.0. */
  abi: boolean;
  /** Whether the next boot loads what is in /etc/apparmor.d: `enabled`, `disabled` or `masked` as systemctl(1) means it. */
  boot: string;
  /** Profiles under Drydock's names that the kernel has, by name. */
  profiles: Record<string, LoadedProfile>;
  /** The profile of each process by pid, e.g. `docker-default (enforce)`, `unconfined`. */
  labels: Record<number, string>;
}

export interface LoadedProfile {
  /** `enforce`, `complain`, `kill`, … */
  mode: string;
  /** Whether it is what the file on disk compiles to; undefined where the kernel keeps no sum (CONFIG_SECURITY_APPARMOR_HASH). */
  asOnDisk: boolean | undefined;
}

// enabled Y␤tool␤abi␤boot enabled␤profile drydock-web (enforce) 5cb6… 5cb6…␤/proc/1/attr/current:unconfined␤…
export function parseAppArmor(text: string): AppArmor {
  const state: AppArmor = { enabled: false, tool: false, abi: false, boot: "disabled", profiles: {}, labels: {} };
  const enabled = /^enabled ([YN])$/m.exec(text)?.[1];
  if (enabled === undefined) throw new Error("no line `enabled`");
  state.enabled = enabled === "Y";
  for (const line of text.split("\n")) {
    const [word = "", value = ""] = line.split(/ (.*)/s);
    if (word === "tool") state.tool = true;
    if (word === "abi") state.abi = true;
    if (word === "boot") state.boot = value;
    const [, name, mode = "", loaded, file] = /^profile (drydock-\S+) \((\w+)\) (\S+) (\S+)$/.exec(line) ?? [];
    // A child profile belongs to the one before `//`.
    if (name !== undefined && !name.includes("//")) state.profiles[name] = { mode, asOnDisk: loaded === "-" ? undefined : loaded === file };
    const [, pid, label] = /^\/proc\/(\d+)\/attr\/current:(.*)$/.exec(line) ?? [];
    if (pid !== undefined && label !== undefined) state.labels[Number(pid)] = label;
  }
  return state;
}

/** A label without its mode: `drydock-web` of `drydock-web (enforce)`. */
export const profileOf = (label: string): string => label.replace(/ \(\w+\)$/, "");
