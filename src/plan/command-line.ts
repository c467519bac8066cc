/** Flags of docker.service against keys of daemon.json: dockerd refuses to start with both, whatever their values are. */

import type { HostInputs } from "../desired/host-inputs.ts";
import type { EnvironmentFlag } from "../observed/environment-flags.ts";
import type { Observation } from "../observed/observation.ts";
import { unitFlags } from "./docker-activation.ts";
import { daemonJson } from "./wish.ts";

/** One sentence a finding, each with what to do. */
export function commandLineFindings(wish: HostInputs, observation: Observation): string[] {
  const keys = Object.keys({ ...wish.daemon, ...wish.inEffect.daemon });
  const flagged = keys.flatMap((key) => {
    const place = placeOf(key, observation);
    return place === undefined ? [] : [{ key, place }];
  });
  const without = ["iptables", "ip6tables"].filter((key) => !(key in wish.daemon) && isOff(key, observation));
  return [
    ...otherFile(observation),
    ...flagged.filter(({ key }) => key in wish.daemon).map(({ key, place }) => `daemon.${key} also stands ${place}, and dockerd refuses to start with both; remove it there or here`),
    ...flagged.filter(({ key }) => !(key in wish.daemon)).map(({ key, place }) => `${key} stands ${place} and must not be set; remove it there`),
    ...(wish.daemon.icc === false ? without.filter((key) => key === "iptables" || wish.daemon.ipv6 === true).map((key) => `daemon.icc: false needs ${key}, and docker.service has --${key}=false, so dockerd would not start; remove it there`) : []),
  ];
}

// --- Internal ---

/** dockerd reads that one then, and what we write is in no effect: the way back could not keep containers, either. */
function otherFile(observation: Observation): string[] {
  const variable = usedVariables(observation)?.find(({ flag }) => /^--config-file(=|$)/.test(flag));
  const line = commandLines(observation).find((text) => {
    const words = unitFlags(text);
    const at = words.findLastIndex((word) => /^--config-file(=|$)/.test(word));
    return at >= 0 && (words[at]?.split("=")[1] ?? words[at + 1]) !== daemonJson;
  });
  const place = variable ? `${variable.file} has --config-file for docker.service (${variable.variable})` : line && `docker.service has --config-file on its command line (${line})`;
  return place ? [`${place}: dockerd reads that file, and Drydock writes ${daemonJson}; move what it has there, and take the flag out`] : [];
}

/** `on the command line of docker.service (…)`, or in which file a variable of it has the flag. */
function placeOf(key: string, observation: Observation): string | undefined {
  const inVariable = usedVariables(observation)?.find(({ flag }) => isFor(flag, key));
  if (inVariable) return `in ${inVariable.file}, which docker.service takes its command line from (${inVariable.variable}: ${inVariable.flag.replace(/=.*/, "")})`;
  // The unit's own -H is taken out of it.
  const line = key === "hosts" ? undefined : commandLines(observation).find((text) => flagsOf(text).some((flag) => isFor(flag, key)));
  return line === undefined ? undefined : `on the command line of docker.service (${line})`;
}

/** What the variables of the command line hold at the next start; undefined where that is not known. */
function usedVariables({ dockerExecStart, environmentFlags }: Observation): EnvironmentFlag[] | undefined {
  if (!environmentFlags.known) return undefined;
  const used = [...dockerExecStart.matchAll(/\$\{?([A-Za-z_]\w*)/g)].map(([, name]) => name);
  return environmentFlags.value.filter(({ variable }) => used.includes(variable));
}

/** The unit's; where it has variables of which nobody knows what they hold, the running daemon's too. */
function commandLines({ dockerExecStart, processes, environmentFlags }: Observation): string[] {
  return [dockerExecStart, ...(dockerExecStart.includes("$") && !environmentFlags.known && processes.docker ? [processes.docker.command.join(" ")] : [])];
}

const flagsOf = (line: string) => unitFlags(line).filter((word) => word.startsWith("-"));

/** dockerd(8): a key for several values has a flag for one. */
function isFor(flag: string, key: string): boolean {
  const name = flag.replace(/=.*/, "");
  return [key, key.replace(/s$/, ""), key.replace(/ies$/, "y")].includes(shortFlags[name] ?? name.replace(/^-+/, ""));
}

const isOff = (key: string, observation: Observation) =>
  [...commandLines(observation).flatMap(flagsOf), ...(usedVariables(observation) ?? []).map(({ flag }) => flag)].includes(`--${key}=false`);

const shortFlags: Record<string, string> = { "-b": "bridge", "-D": "debug", "-G": "group", "-H": "host", "-l": "log-level", "-p": "pidfile", "-s": "storage-driver" };
