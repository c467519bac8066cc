import { beforeEach, describe, expect, it, vi } from "vitest";
import { readFleet } from "../../src/config/fleet.ts";
import type { Connection } from "../../src/config/connection.ts";
import { renderHost } from "../../src/desired/render-host.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { UnreachableError } from "../../src/remote/ssh.ts";
import { collect } from "../../src/report/collect.ts";
import { defaultHost } from "../support/observation.ts";
import { noPlugin } from "../support/report.ts";

let observe: (connection: Connection) => Promise<Observation>;
vi.mock("../../src/remote/observe.ts", () => ({ observe: (connection: Connection) => observe(connection) }));

function fleet(count: number) {
  const names = Array.from({ length: count }, (_, i) => `web${i + 1}`);
  const { hosts } = readFleet({ hosts: Object.fromEntries(names.map((host) => [host, { connection: { host, user: "ops" }, waivers: { "2.12": noPlugin } }])) });
  return [...hosts].map(([name, settings]) => ({ name, settings, args: renderHost(settings) }));
}

describe("a fleet", () => {
  let [now, most] = [0, 0];
  beforeEach(() => {
    [now, most] = [0, 0];
    observe = async ({ host }) => {
      most = Math.max(most, ++now);
      // The first ones take longest, and must come first all the same.
      await new Promise((resolve) => setTimeout(resolve, 20 - Number(host.slice(3))));
      now--;
      if (host === "web3") throw new UnreachableError("ops@web3: connect to host web3 port 22: No route to host");
      return defaultHost({ kernel: host });
    };
  });

  it("is looked at so many hosts at a time, and told in its order", async () => {
    const seen = await collect(fleet(7), 3);
    expect(most).toBe(3);
    expect(seen.map(({ name }) => name)).toEqual(["web1", "web2", "web3", "web4", "web5", "web6", "web7"]);
    expect(seen[4]).toMatchObject({ address: "ops@web5:22", waivers: { "2.12": noPlugin }, observation: { kernel: "web5" }, wish: { reachable: "yes", host: { starts: ["/usr/sbin/dockerd", "/usr/bin/containerd"] } } });
  });

  it("says why one of it could not be read, and goes on", async () => {
    const [, , third, fourth] = await collect(fleet(4), 16);
    expect(third).toEqual({ name: "web3", address: "ops@web3:22", reason: "ops@web3: connect to host web3 port 22: No route to host" });
    expect(fourth).toMatchObject({ name: "web4", observation: { kernel: "web4" } });
  });
});
