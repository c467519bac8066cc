/** Whether containers on the default bridge can reach each other, judged by what the kernel does with such a packet. */

import type { JsonObject } from "../desired/host-inputs.ts";
import type { Observation } from "../observed/observation.ts";
import type { Known } from "../observed/records.ts";

/**
 * The verdict of the filter table on the first packet of a connection from docker0 to docker0.
 *
 * dockerd rebuilds the bridge only when no container runs, so the file, even `docker network inspect`, may say `icc=false`
 * while the kernel forwards; and somebody may have put an ACCEPT in front. So the rules are walked as the kernel would.
 *
 * @returns true when they can reach each other, or why that is not known.
 */
export function bridgeForwards(observation: Pick<Observation, "iptables" | "bridgeNetfilter">): Known<boolean> {
  if (!observation.iptables.known) return observation.iptables;
  // Frames between two ports of a bridge pass iptables only with br_netfilter.
  if (!observation.bridgeNetfilter) return { known: true, value: true };
  return { known: true, value: verdict(observation.iptables.value) === "ACCEPT" };
}

/** Whether dockerd works by nftables (firewall-backend, engine 29 on): then iptables knows nothing, and rules there do nothing. */
export const usesNftables = ({ info }: Pick<Observation, "info">) => info.known && info.value.FirewallBackend?.Driver.startsWith("nftables") === true;

/** The kernel has the rule of ours that stands in for a bridge with icc=false. */
export const dropsByOurRule = ({ iptables }: Pick<Observation, "iptables">) => iptables.known && iptables.value.some((rule) => /^-A FORWARD .*--comment drydock -j DROP$/.test(rule));

/** dockerd itself has closed docker0, and not a rule of ours or of somebody else's: when it makes the bridge anew, that is open. */
export function isClosedByDockerd(observation: Observation): boolean {
  const { iptables, bridgeOptions } = observation;
  if (usesNftables(observation)) return bridgeOptions.known && bridgeOptions.value["com.docker.network.bridge.enable_icc"] === "false";
  const has = (target: string) => iptables.known && iptables.value.some((rule) => new RegExp(`^-A \\S+ -i docker0 -o docker0 -j ${target}$`).test(rule));
  return iptables.known && iptables.value.includes("-N DOCKER") && has("DROP") && !has("ACCEPT");
}

/**
 * What `icc: true` waits for, if it does: dockerd makes docker0 anew only when it starts while no container runs, and with
 * `iptables: false` it takes no rule away. What is there until then is stricter than what is wished.
 */
export function opensLater({ icc, iptables }: JsonObject, observation: Observation): string | undefined {
  if (icc !== true || !isClosedByDockerd(observation)) return undefined;
  if (iptables === false) return "the next boot";
  const isBusy = observation.containers.known && observation.containers.value.some(({ running }) => running);
  return isBusy ? "dockerd, which makes it anew when it starts while no container runs" : undefined;
}

/** The kernel's answer to `-i docker0 -o docker0`, by the output of `iptables -S`. */
export function verdict(listed: string[]): "ACCEPT" | "DROP" {
  // A comment may read like any part of a rule.
  const rules = listed.map((rule) => rule.replace(/ -m comment --comment ("(?:[^"\\]|\\.)*"|\S+)/, ""));
  const policy = rules.find((rule) => rule.startsWith("-P FORWARD"))?.split(" ")[2];
  const fallback = policy === "DROP" ? "DROP" : "ACCEPT";
  const walk = (chain: string, depth: number): "ACCEPT" | "DROP" | undefined => {
    for (const rule of rules) {
      if (!rule.startsWith(`-A ${chain} `) || !matchesBridgeTraffic(rule)) continue;
      const target = / -j (\S+)/.exec(rule)?.[1];
      if (target === "ACCEPT") return "ACCEPT";
      if (target === "DROP" || target === "REJECT") return "DROP";
      if (target === "RETURN") return undefined;
      const inner = target && depth < 10 ? walk(target, depth + 1) : undefined;
      if (inner) return inner;
    }
    return undefined;
  };
  return walk("FORWARD", 0) ?? fallback;
}

// --- Internal ---

// -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
function matchesBridgeTraffic(rule: string): boolean {
  const interfaces = [...rule.matchAll(/(! )?-[io] (\S+)/g)];
  // `docker+` is every name that begins so (iptables(8)).
  const isDocker0 = (name = "") => (name.endsWith("+") ? "docker0".startsWith(name.slice(0, -1)) : name === "docker0");
  if (!interfaces.every(([, not, name]) => isDocker0(name) !== Boolean(not))) return false;
  // Whatever else a rule asks for (a state, a port, an address), the first packet of some connection does not have. A set
  // of addresses, in engine 28, stands for the bridges.
  const rest = rule
    .replace(/^-A \S+/, "")
    .replaceAll(/(! )?-[io] \S+/g, "")
    .replace(/ -m (?:conntrack --ctstate|state --state) (?:\S+,)?NEW\b\S*/, "")
    .replace(/ -m set --match-set docker-ext-bridges-v4 dst/, "")
    .replace(/ -j .*/, "");
  return rest.trim() === "";
}
