import { describe, expect, it } from "vitest";
import { bridgeForwards, usesNftables, verdict } from "../../src/effect/bridge.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { info } from "../support/observation.ts";

/** `iptables -S` of Debian 12, engine 20.10, with a published port and user network. */
const engine20 = (between: "ACCEPT" | "DROP", inUser: string[] = [], inFront: string[] = []): string[] => [
  "-P INPUT ACCEPT",
  "-P FORWARD DROP",
  "-P OUTPUT ACCEPT",
  "-N DOCKER",
  "-N DOCKER-ISOLATION-STAGE-1",
  "-N DOCKER-ISOLATION-STAGE-2",
  "-N DOCKER-USER",
  ...inFront,
  "-A FORWARD -j DOCKER-USER",
  "-A FORWARD -j DOCKER-ISOLATION-STAGE-1",
  "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
  "-A FORWARD -o docker0 -j DOCKER",
  "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT",
  `-A FORWARD -i docker0 -o docker0 -j ${between}`,
  "-A FORWARD -o br-1a2b -j DOCKER",
  "-A FORWARD -i br-1a2b -o br-1a2b -j ACCEPT",
  "-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 8000 -j ACCEPT",
  "-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2",
  "-A DOCKER-ISOLATION-STAGE-1 -j RETURN",
  "-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP",
  "-A DOCKER-ISOLATION-STAGE-2 -j RETURN",
  ...inUser,
  "-A DOCKER-USER -j RETURN",
];

/** Engine 28 moved its rules out of FORWARD, and some of them ask a set of addresses for the bridges (after its source, not recorded). */
const engine28 = (between: "ACCEPT" | "DROP"): string[] => [
  "-P FORWARD ACCEPT",
  "-N DOCKER",
  "-N DOCKER-BRIDGE",
  "-N DOCKER-CT",
  "-N DOCKER-FORWARD",
  "-N DOCKER-ISOLATION-STAGE-1",
  "-N DOCKER-ISOLATION-STAGE-2",
  "-N DOCKER-USER",
  "-A FORWARD -j DOCKER-USER",
  "-A FORWARD -j DOCKER-FORWARD",
  "-A DOCKER ! -i docker0 -o docker0 -j DROP",
  "-A DOCKER-BRIDGE -o docker0 -j DOCKER",
  "-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
  "-A DOCKER-FORWARD -m set --match-set docker-ext-bridges-v4 dst -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
  "-A DOCKER-FORWARD -m set --match-set docker-ext-bridges-v4 dst -j DOCKER",
  "-A DOCKER-FORWARD -j DOCKER-CT",
  "-A DOCKER-FORWARD -j DOCKER-ISOLATION-STAGE-1",
  "-A DOCKER-FORWARD -j DOCKER-BRIDGE",
  ...(between === "DROP" ? ["-A DOCKER-FORWARD -i docker0 -o docker0 -j DROP"] : []),
  "-A DOCKER-FORWARD -i docker0 -j ACCEPT",
  "-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2",
  "-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP",
];

const ourDrop = "-A FORWARD -i docker0 -o docker0 -m comment --comment drydock -j DROP";
const fromHost = "-A DOCKER-USER -i docker0 -j ACCEPT";

describe("the kernel's verdict on docker0 to docker0", () => {
  it.each<[string, string[], "ACCEPT" | "DROP"]>([
    ["icc on", engine20("ACCEPT"), "ACCEPT"],
    ["icc off", engine20("DROP"), "DROP"],
    ["icc on, and our rule on top", engine20("ACCEPT", [], [ourDrop]), "DROP"],
    ["icc on, and our rule on top of what somebody accepts in DOCKER-USER", engine20("ACCEPT", [fromHost], [ourDrop]), "DROP"],
    ["icc on, and our rule below what somebody accepts", engine20("ACCEPT", [], ["-A FORWARD -i docker0 -j ACCEPT", ourDrop]), "ACCEPT"],
    ["icc off, and an ACCEPT in front", engine20("DROP", [], ["-A FORWARD -i docker0 -o docker0 -j ACCEPT"]), "ACCEPT"],
    ["an ACCEPT in front for all there is", engine20("DROP", [], ["-A FORWARD -j ACCEPT"]), "ACCEPT"],
    ["an ACCEPT in front for new connections", engine20("DROP", [], ["-A FORWARD -m conntrack --ctstate NEW,RELATED,ESTABLISHED -j ACCEPT"]), "ACCEPT"],
    ["an ACCEPT in front for all bridges of that name", engine20("DROP", [], ["-A FORWARD -i docker+ -j ACCEPT"]), "ACCEPT"],
    ["an ACCEPT in front for what comes in elsewhere", engine20("DROP", [], ["-A FORWARD -i eth0 -j ACCEPT", "-A FORWARD ! -i docker0 -j ACCEPT", "-A FORWARD ! -i docker+ -j ACCEPT"]), "DROP"],
    ["an ACCEPT in front with a comment", engine20("DROP", [], ['-A FORWARD -i docker0 -o docker0 -m comment --comment "let them talk" -j ACCEPT']), "ACCEPT"],
    ["a comment that reads like a rule", engine20("ACCEPT", [], ['-A FORWARD -i docker0 -m comment --comment "no -j ACCEPT here" -j DROP']), "DROP"],
    ["answers only", engine20("DROP", [], ["-A FORWARD -m state --state RELATED,ESTABLISHED -j ACCEPT"]), "DROP"],
    ["one port only", engine20("DROP", [], ["-A FORWARD -p tcp -m tcp --dport 80 -j ACCEPT"]), "DROP"],
    ["a log in front", engine20("DROP", [], ["-A FORWARD -j LOG"]), "DROP"],
    ["a REJECT in front", engine20("ACCEPT", [], ["-A FORWARD -i docker0 -o docker0 -j REJECT --reject-with icmp-port-unreachable"]), "DROP"],
    ["a RETURN in front leaves it to the policy", engine20("ACCEPT", [], ["-A FORWARD -i docker0 -o docker0 -j RETURN"]), "DROP"],
    ["everything flushed, with policy ACCEPT", ["-P INPUT ACCEPT", "-P FORWARD ACCEPT", "-P OUTPUT ACCEPT"], "ACCEPT"],
    ["everything flushed, with policy DROP", ["-P FORWARD DROP"], "DROP"],
    ["engine 28, icc on", engine28("ACCEPT"), "ACCEPT"],
    ["engine 28, icc off", engine28("DROP"), "DROP"],
    ["a loop, which the kernel would not load", ["-P FORWARD DROP", "-A FORWARD -j A", "-A A -j B", "-A B -j A"], "DROP"],
  ])("%s", (_, rules, expected) => {
    expect(verdict(rules)).toBe(expected);
  });
});

describe("whether dockerd works by nftables", () => {
  it.each([
    ["as engine 29 says", info({ FirewallBackend: { Driver: "nftables" } }), true],
    ["beside firewalld", info({ FirewallBackend: { Driver: "nftables+firewalld" } }), true],
    ["not by iptables", info({ FirewallBackend: { Driver: "iptables+firewalld" } }), false],
    ["not where an older engine says nothing", info(), false],
    ["not where nobody answers", unknown("docker.service is inactive"), false],
  ])("%s", (_, fact, answer) => {
    expect(usesNftables({ info: fact })).toBe(answer);
  });
});

describe("whether containers reach each other", () => {
  it.each([
    ["as the rules say", { iptables: known(engine20("DROP")), bridgeNetfilter: true }, known(false)],
    // Without br_netfilter frames from port to port of a bridge pass no rule at all.
    ["whatever the rules say, without br_netfilter", { iptables: known(engine20("DROP")), bridgeNetfilter: false }, known(true)],
    ["not known without the rules", { iptables: unknown("iptables: not found"), bridgeNetfilter: true }, unknown("iptables: not found")],
  ])("is %s", (_, observation, answer) => {
    expect(bridgeForwards(observation)).toEqual(answer);
  });
});
