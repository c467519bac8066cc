/** dockerd's flags that docker.service takes from variables: of those, and of nothing else there, the names. */

import { parseUnitText } from "./systemd.ts";

export interface EnvironmentFlag {
  /** Where it stands: an EnvironmentFile, or the unit and its drop-ins. */
  file: string;
  variable: string;
  /** e.g. `--log-level`, `-H`, and with its value only `--iptables=false`. */
  flag: string;
}

// /etc/default/docker DOCKER_OPTS --log-level
export function parseEnvironmentFlags(text: string): EnvironmentFlag[] {
  return text.split("\n").filter(Boolean).map((line) => {
    const [, file = "", variable = "", flag] = /^(.+) (\w+) (-\S+)$/.exec(line) ?? [];
    if (flag === undefined) throw new Error(`not of this form: ${line.slice(0, 80)}`);
    return { file, variable, flag };
  });
}

/** The same out of `Environment=` lines: each word is `NAME=value`, in quotes where it has blanks (systemd.exec(5)). */
export function unitEnvironment(unit: string): EnvironmentFlag[] {
  return parseUnitText(unit).flatMap(({ path: file, entries }) =>
    entries.flatMap(([key, value]) => {
      if (key !== "Environment") return [];
      const words = [...value.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, bare]) => double ?? single ?? bare ?? "");
      return words.flatMap((word) => {
        const [, variable = "", flags = ""] = /^([A-Za-z_]\w*)=(.*)$/.exec(word) ?? [];
        return flags.split(/\s+/).filter((flag) => /^--?[A-Za-z]/.test(flag)).map((flag) => ({ file, variable, flag: nameOf(flag) }));
      });
    }),
  );
}

// --- Internal ---

/** As observe.sh cuts them. */
function nameOf(flag: string): string {
  if (!flag.startsWith("--")) return flag.slice(0, 2);
  return /=(true|false)$/.test(flag) ? flag : flag.replace(/=.*/, "");
}
