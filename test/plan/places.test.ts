import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HostInputs, JsonObject } from "../../src/desired/host-inputs.ts";
import { digestOf, digestsOf, placesOf } from "../../src/plan/places.ts";
import { hardenedArgs, recorded } from "../support/recorded.ts";
import { wishFor } from "../support/wish.ts";

describe("the places of a host's inputs", () => {
  it("are named as people know them", () => {
    const places = placesOf(wishFor(hardenedArgs(), recorded("hardened")));
    expect(places.get("daemon.icc")).toBe(false);
    expect(places.get("inEffect.daemon.icc")).toBe(false);
    expect(places.get("files./etc/audit/rules.d/50-drydock.rules")).toContain("-k docker");
    expect(places.get("modes./etc/docker")).toMatch(/^root:root /);
    expect(places.get("inEffect.configuration")).toBe("as on disk");
    expect(places.get("inEffect.services.docker.service")).toBe("active");
    expect(places.get("connection.host")).toBe("192.0.2.10");
    expect(places.get("allow")).toEqual(["hide-containers"]);
  });

  it("are neither what a host is nor whether it could be read", () => {
    expect([...placesOf({ reachable: "no: away", host: { starts: [], dockerExecStart: "", missing: [] } }).keys()]).toEqual([]);
  });

  it("hold every input: what differs anywhere else differs in a place", () => {
    const wish = wishFor(hardenedArgs(), recorded("hardened"));
    const count = (value: object) => Object.keys(value).length;
    const { services, daemon, apparmor, limits, ...single } = wish.inEffect;
    expect(placesOf(wish).size).toBe(count(wish.connection) + 1 + count(wish.daemon) + count(wish.files) + count(wish.modes) + count(services) + count(daemon) + count(apparmor ?? {}) + count(limits) + count(single));
  });
});

describe("a digest", () => {
  it("is the same in whatever order the engine gives keys back", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse()) as JsonObject;
        expect(digestOf(turned)).toBe(digestOf(value as JsonObject));
      }),
    );
  });

  it("is another one for another value, and for none", () => {
    expect(new Set([digestOf(undefined), digestOf(null), digestOf(false), digestOf("false"), digestOf(""), digestOf([]), digestOf({}), digestOf({ a: 1 }), digestOf({ a: 2 })]).size).toBe(9);
  });

  it("is kept by place", () => {
    const inputs: Partial<HostInputs> = { daemon: { icc: false } };
    expect(digestsOf(inputs)).toEqual({ "daemon.icc": digestOf(false) });
  });
});
