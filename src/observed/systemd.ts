/** systemd's own text forms: `systemctl show`, `systemctl cat` and unit files. */

export type UnitProperties = Record<string, string>;

// Id=docker.service␤ActiveState=active␤␤Id=docker.socket␤…
export function parseSystemdShow(text: string): Record<string, UnitProperties> {
  const units: Record<string, UnitProperties> = {};
  for (const block of text.trim().split(/\n\n+/)) {
    const properties: UnitProperties = {};
    for (const line of block.split("\n")) {
      const [, key, value = ""] = /^(\w+)=(.*)$/.exec(line) ?? [];
      // A property such as EnvironmentFiles is printed once an entry.
      if (key) properties[key] = key in properties ? `${properties[key] ?? ""}\n${value}` : value;
    }
    if (properties.Id) units[properties.Id] = properties;
  }
  return units;
}

export interface UnitFile {
  /** Empty for a text that is one file. */
  path: string;
  /** `[section, key, value]` would be richer; no key of ours stands in two sections. */
  entries: [key: string, value: string][];
}

/** Unit files as `systemctl cat` prints them, each under a line `# /path`, or the text of one file. */
export function parseUnitText(text: string): UnitFile[] {
  const files: UnitFile[] = [{ path: "", entries: [] }];
  // A backslash at the end of a line joins it with the next one (systemd.syntax(7)).
  for (const line of text.replaceAll(/\\\n/g, " ").split("\n")) {
    const [, path] = /^# (\/\S+)$/.exec(line) ?? [];
    if (path) files.push({ path, entries: [] });
    const [, key, value = ""] = /^([A-Za-z]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key) files.at(-1)?.entries.push([key, value]);
  }
  return files;
}
