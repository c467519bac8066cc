import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../src/desired/host-inputs.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { ownKeyFindings } from "../../src/plan/own-keys.ts";
import { withDaemonJson } from "../support/observation.ts";
import { daemonWish } from "../support/wish.ts";

function found(wished: JsonObject, own: Record<string, unknown>, change: Partial<Observation> = {}): string[] {
  const observation = withDaemonJson(own, change);
  return ownKeyFindings(daemonWish(wished, observation), observation);
}

const store = "userns-remap and features.containerd-snapshotter: true exclude each other, the daemon would not start";

describe("a key of the user's", () => {
  it.each<[string, JsonObject, Record<string, unknown>, string[]]>([
    ["that keeps dockerd from starting with what is wished", { "userns-remap": "default" }, { features: { "containerd-snapshotter": true } }, [`/etc/docker/daemon.json has features of its own, and with what is wished: ${store}; remove it there, or set daemon.features here`]],
    ["that is replaced", { "userns-remap": "default", features: {} }, { features: { "containerd-snapshotter": true } }, []],
    ["that the log driver does not know", { "log-driver": "syslog" }, { "log-opts": { "max-size": "10m" } }, ["/etc/docker/daemon.json has log-opts of its own, and with what is wished: the log driver syslog has no such option; remove it there, or set daemon.log-opts here"]],
    ["without what the log driver needs", { "log-driver": "gelf" }, { "log-opts": { tag: "web" } }, ["/etc/docker/daemon.json has log-opts of its own, and with what is wished: gelf needs gelf-address, or dockerd would not start; set it under log-opts; remove it there, or set daemon.log-opts here"]],
    ["of a driver that takes it", { "log-driver": "local" }, { "log-opts": { "max-size": "10m" } }, []],
    ["that is wrong without us", { icc: false }, { "log-opts": { nonsense: "1" } }, []],
    ["that excludes an address", { bip: "10.9.0.1/24" }, { bridge: "br0" }, ["/etc/docker/daemon.json has bridge of its own, and with what is wished: bip and bridge exclude each other; remove it there, or set daemon.bridge here"]],
    ["that goes, since it must not be set", { icc: false }, { iptables: false }, []],
    ["that has a value nobody can judge", { bip: "10.9.0.1/24" }, { bridge: 7, "default-address-pools": "x" }, []],
    ["that nobody knows", { icc: false }, { "rack-number": 7 }, []],
    ["without a fault", { icc: false }, { labels: ["rack=7"], dns: ["192.0.2.53"] }, []],
  ])("%s", (_, wished, own, texts) => {
    expect(found(wished, own)).toEqual(texts);
  });

  it("that an earlier update had set goes with this one", () => {
    expect(found({ "userns-remap": "default" }, { features: { "containerd-snapshotter": true } }, { applied: { keys: "features,icc" } })).toEqual([]);
  });
});

it("whatever stands in daemon.json, it is judged without an error", () => {
  const keys = fc.constantFrom("features", "log-opts", "log-driver", "bip", "bridge", "default-address-pools", "default-ulimits", "exec-opts", "userns-remap", "tlsverify", "storage-driver");
  fc.assert(fc.property(fc.dictionary(keys, fc.jsonValue()), (own) => {
    for (const text of found({ icc: false, "userns-remap": "default", "log-driver": "syslog", hosts: ["fd://"] as Json }, own)) expect(text).toMatch(/^\/etc\/docker\/daemon\.json has /);
  }));
});
