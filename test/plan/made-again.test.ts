import { describe, expect, it } from "vitest";
import { seccompFile } from "../../src/config/seccomp.ts";
import type { JsonObject } from "../../src/desired/host-inputs.ts";
import type { Container } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { describeMadeAgain } from "../../src/plan/made-again.ts";
import { container, defaultHost } from "../support/observation.ts";
import { noDocker } from "../support/plan.ts";
import { daemonWish } from "../support/wish.ts";

const web = container("web", { logDriver: "json-file", cgroupnsMode: "host" });
const db = container("db", { logDriver: "json-file", running: false });
const agent = container("agent", { privileged: true });

const said = (daemon: JsonObject, change: Partial<typeof noDocker> = {}, containers: Container[] = [web, db, agent]) =>
  describeMadeAgain({ ...noDocker, how: "restart", because: Object.keys(daemon), ...change }, daemonWish(daemon), defaultHost({ containers: known(containers) }));
const remade = (...names: string[]) => [`containers have to be made again to get new defaults: ${names.join(", ")}`];

describe("who has to be made again", () => {
  it.each<[string, string[], string[]]>([
    ["has another log driver, whether it runs or not", said({ "log-driver": "syslog" }), remade("web", "db")],
    ["has it still after it was stopped and started", said({ "log-driver": "syslog" }, { stop: [web.id, agent.id] }), remade("web", "db")],
    ["has one that is no default any more", said({}, { because: ["log-driver"] }), remade("agent")],
    ["may have other options of it", said({ "log-opts": { tag: "x" } }), remade("web", "db", "agent")],
    ["could gain privileges, and was not given all of them", said({ "no-new-privileges": true }), remade("web", "db")],
    ["has another cgroup namespace, which a reload is enough for", said({ "default-cgroupns-mode": "private" }, { how: "reload" }), remade("web")],
    ["may have the default of before, which a reload is enough for", said({ "default-shm-size": "128M" }, { how: "reload" }), remade("web", "db", "agent")],
    ["runs on in another slice", said({ "cgroup-parent": "machine.slice" }), remade("web", "agent")],
    ["is nobody that starts again there", said({ "cgroup-parent": "machine.slice" }, { stop: [web.id, agent.id] }), []],
    ["is nobody when the daemon's own settings change", said({ "log-level": "info" }), []],
    ["is nobody that is hidden then", said({ "log-driver": "syslog", "userns-remap": "default" }, { switchesStore: true }), []],
  ])("%s", (_, texts, expected) => {
    expect(texts).toEqual(expected);
  });
});

describe("who has to be started again", () => {
  const filter = (names: string) => [`containers have to be started again to get the new seccomp filter: ${names}`];
  it.each<[string, string[], string[]]>([
    ["runs with the older filter", said({ "seccomp-profile": seccompFile }), filter("web, agent")],
    ["the same of another text", said({}, { because: ["seccomp profile"] }), filter("web, agent")],
    ["has the ulimits of its start", said({ "default-ulimits": {} }), ["containers have to be started again to get the new default-ulimits: web, agent"]],
    ["has both", said({ "seccomp-profile": seccompFile, "default-ulimits": {} }), filter("web, agent").map((text) => text.replace("filter", "filter and default-ulimits"))],
    ["is nobody that is stopped and started anyway", said({ "seccomp-profile": seccompFile }, { stop: [web.id, agent.id] }), []],
  ])("%s", (_, texts, expected) => {
    expect(texts).toEqual(expected);
  });
});

it("nothing is made up of containers that nobody could list", () => {
  expect(describeMadeAgain({ ...noDocker, because: ["log-driver"] }, daemonWish({ "log-driver": "syslog" }), defaultHost({ containers: unknown("no") }))).toEqual([]);
});
