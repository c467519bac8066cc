/** What the host lacks that the wish needs: dockerd, or containers, would not start. */

import { isDeepStrictEqual } from "node:util";
import type { HostInputs } from "../desired/host-inputs.ts";
import type { Observation } from "../observed/observation.ts";
import { needName, needsOf, type Need, type NeedKind } from "./needs.ts";
import type { Plan } from "./plan.ts";
import { daemonConfigurationOn, runningContainers } from "./seen.ts";

/** One sentence a finding, each with what to do. */
export function needFindings(wish: HostInputs, observation: Observation, plan: Plan): string[] {
  return needsOf(wish).flatMap((need) => {
    const answer = observation.needs[needName(need)];
    if (!answer?.known || answer.value.met) return [];
    return judges[need.kind]({ need, why: answer.value.why, wish, observation, plan });
  });
}

/** What could not be told. It refuses nothing, and must be said. */
export function needDoubts(wish: HostInputs, observation: Observation): string[] {
  return needsOf(wish).flatMap((need) => {
    if (satisfied(need, observation)) return [];
    const answer = observation.needs[needName(need)];
    return answer?.known ? [] : [`${questions[need.kind](need.object)} (${answer?.reason ?? "it was not asked for"})`];
  });
}

// --- Internal ---

interface Lacking {
  need: Need;
  why: string;
  wish: HostInputs;
  observation: Observation;
  plan: Plan;
}

const judges: Record<NeedKind, (lacking: Lacking) => string[]> = {
  program: ({ need: { object }, why }) => [
    `dockerd needs ${object} for daemon.icc: false and daemon.iptables: true, and ${why}, so it would not start; install it (apt-get install iptables, dnf install iptables-nft)`,
  ],
  module: ({ need, why, observation }) =>
    satisfied(need, observation) ? [] : [
      `daemon.icc: false and daemon.userland-proxy: false need the kernel module ${need.object}, which can't be loaded (${why}), so dockerd would not start; install the modules of this kernel (or boot the one that is installed), or set both to true`,
    ],
  socket: ({ need: { object }, why, wish, plan }) =>
    plan.docker.how === "nothing" ? [] : [
      `daemon.log-driver ${driverOf(wish)} writes to ${object}, and ${why}, so dockerd or its containers would not start; start what makes it (systemd-journald, rsyslog, …), or take another log-driver`,
    ],
  tcp: ({ need, why, wish, observation, plan }) => {
    const address = need.object.replace(/^(\S*:\S*) /, "[$1] ").replace(" ", ":");
    const because = `the collector of daemon.log-driver ${driverOf(wish)}, ${address}, does not answer this host (${why})`;
    const remedy = "start it, open the way to it, or log to a local socket that forwards (syslog-address: unixgram:///dev/log)";
    const changed = ["log-driver", "log-opts"].some((key) => !isDeepStrictEqual(wish.daemon[key], daemonConfigurationOn(observation)[key]));
    if (changed) return [`${because}, so no new container would start, and none again after a boot; ${remedy}`];
    const stuck = plan.docker.switchesStore ? [] : runningContainers(observation).filter(({ id, logDriver }) => plan.docker.stop.includes(id) && logDriver === wish.daemon["log-driver"]);
    return stuck.length === 0 ? [] : [`${because}, so ${stuck.map(({ name }) => name).join(", ")} would stop and not start again; ${remedy}`];
  },
  plugin: ({ need, why, wish, observation, plan }) => {
    const places = `${why} (looked for in /run/docker/plugins, /etc/docker/plugins, /usr/lib/docker/plugins and docker plugin ls)`;
    return [
      ...(isLogDriver(need, wish) && ["start", "restart"].includes(plan.docker.how) ? [`daemon.log-driver ${need.object} is none that Docker has by itself, and as a plugin ${places}, so dockerd would not start; install and start it first, or take another log-driver`] : []),
      ...(isAuthorization(need, wish) && !satisfied(need, observation) ? [`daemon.authorization-plugins names ${need.object}, and ${places}, so dockerd would end; install and start it first, or take it out`] : []),
    ];
  },
};

const isLogDriver = ({ object }: Need, { daemon }: HostInputs) => daemon["log-driver"] === object;
const isAuthorization = ({ object }: Need, { daemon }: HostInputs) => Array.isArray(daemon["authorization-plugins"]) && daemon["authorization-plugins"].includes(object);

const driverOf = ({ daemon }: HostInputs) => (typeof daemon["log-driver"] === "string" ? daemon["log-driver"] : "");

/** Known by other means: the kernel already works with the module, the running dockerd has answered through the plugin. */
function satisfied({ kind, object }: Need, { bridgeNetfilter, info }: Observation): boolean {
  if (kind === "module") return object === "br_netfilter" && bridgeNetfilter;
  return kind === "plugin" && info.known && info.value.Plugins.Authorization?.includes(object) === true;
}

const questions: Record<NeedKind, (object: string) => string> = {
  program: (name) => `whether ${name} is installed`,
  module: (name) => `whether the kernel module ${name} can be loaded`,
  socket: (path) => `whether ${path} is there`,
  tcp: (object) => `whether ${object.replace(" ", ":")} answers`,
  plugin: (name) => `whether the plugin ${name} is there`,
};
