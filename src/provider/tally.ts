/** What became of each host that this process was asked about: the few lines at the end of an update. */

export type Fate = "removed" | "changed" | "unchanged" | "left for later" | "failed" | "unreachable" | "refused";

export class Tally {
  /** What the engine asked of each host, before anything was done; in order. */
  readonly #wouldChange = new Map<string, boolean>();
  readonly #fates = new Map<string, Fate>();
  readonly #pending = new Map<string, boolean>();
  readonly #leaving = new Set<string>();

  checked(host: string, wouldChange: boolean): void {
    this.#wouldChange.set(host, wouldChange);
  }

  /** Of the hosts that were checked: the engine compares in a refresh, too. */
  compared(host: string, wouldChange: boolean): void {
    if (this.#wouldChange.has(host)) this.#wouldChange.set(host, wouldChange);
  }

  became(host: string, fate: Fate): void {
    this.#fates.set(host, fate);
  }

  /** It is in the stack no more. */
  left(host: string, fate: Fate): void {
    this.#leaving.add(host);
    this.became(host, fate);
  }

  waits(host: string, pending: boolean): void {
    this.#pending.set(host, pending);
  }

  /** @returns nothing when no host was checked: a refresh or a destroy */
  render(): string | undefined {
    if (this.#wouldChange.size === 0) return undefined;
    const hosts = [...new Set([...this.#wouldChange.keys(), ...this.#leaving])].sort(byNumber);
    const groups = new Map<string, string[]>();
    for (const host of hosts) {
      const group = this.#fates.get(host) ?? this.#notDone(host);
      groups.set(group, [...(groups.get(group) ?? []), host]);
    }
    const pending = hosts.filter((host) => this.#pending.get(host));
    if (pending.length > 0) groups.set("pending", pending);
    const parts = order.flatMap((name) => {
      const names = groups.get(name);
      return names ? [{ name, names }] : [];
    });
    const headline = parts.map(({ name, names }) => `${names.length} ${name}`).join(", ");
    return [`hosts: ${headline}`, ...parts.map(({ name, names }) => `  ${name}: ${listed(names, name)}`)].join("\n");
  }

  // --- Internal ---

  /** Nothing was done with any host in a preview; in an update the engine leaves out the waves after one that failed. */
  #notDone(host: string): string {
    if (!this.#wouldChange.get(host)) return "unchanged";
    return this.#fates.size === 0 ? "to change" : "not started";
  }
}

const order = ["removed", "changed", "to change", "unchanged", "left for later", "failed", "unreachable", "refused", "not started", "pending"];

/** Names that nobody has to act on are cut; who failed never is. */
const enough = 20;

function listed(names: string[], group: string): string {
  const cut = ["changed", "to change", "unchanged"].includes(group) && names.length > enough ? enough : names.length;
  return `${names.slice(0, cut).join(", ")}${cut < names.length ? `, and ${names.length - cut} more` : ""}`;
}

/** web2 before web10. */
const byNumber = (a: string, b: string) => a.localeCompare(b, "en", { numeric: true });
