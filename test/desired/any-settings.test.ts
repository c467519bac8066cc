/** Whatever a stack file says, it is either refused or rendered into files that hold what their grammar allows. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";

import { readFleet, StackFileError } from "../../src/config/fleet.ts";
import { hostSchema } from "../../src/config/layer.ts";
import { unwrap } from "../../src/config/setting.ts";
import { checkFile } from "../../src/desired/check-rendered.ts";
import { renderHost } from "../../src/desired/render-host.ts";

const nasty = [
  "a\nb", "1G\nExecStart=/bin/sh", "/etc/x\n-D", "a\u2028b", "a\u0000b", '"}', "{{daemon}}", "\\", "../x", "/a/../b", "-x", "a b", "$(id)", "%n", "", "ü",
];
const fine = [
  "a", "name", "1G", "50%", "infinity", "512", "wa", "rwxa", "/etc/x", "192.0.2.1", "2001:db8::1", "10.0.0.0/8", "172.17.0.1/16", "2001:db8::/64", "a=b",
  "unix:///run/docker.sock", "my.slice", "syslog", "local", "https://mirror.example", "1024:65536", "64M", "web", "overlay2", "overlay2.size=20G",
];

/** Values of the kind a schema asks for, good and bad ones mixed. */
function valuesOf(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodBoolean) return fc.boolean();
  if (inner instanceof z.ZodNumber) return fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer());
  if (inner instanceof z.ZodEnum) return fc.constantFrom(...inner.options);
  if (inner instanceof z.ZodString) return fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...fine) }, { weight: 1, arbitrary: fc.constantFrom(...nasty) });
  if (inner instanceof z.ZodArray) return fc.array(valuesOf(inner.element), { maxLength: 2 });
  if (inner instanceof z.ZodRecord) return fc.dictionary(fc.constantFrom("nofile", "core", "tag", "max-size", "x", "a\nb"), valuesOf(inner.valueType), { maxKeys: 2 });
  if (inner instanceof z.ZodUnion) return fc.oneof(...inner.options.map(valuesOf));
  if (inner instanceof z.ZodObject) return tableOf(inner, 3);
  return fc.oneof(fc.boolean(), fc.integer(), fc.constantFrom("a", "1h"));
}

function tableOf(schema: z.ZodObject, most: number): fc.Arbitrary<Record<string, unknown>> {
  const entries = Object.entries(schema.shape as Record<string, z.core.$ZodType>).map(([key, value]) => {
    const any = valuesOf(value);
    const right = any.map((some) => (z.safeParse(value, some).success ? some : null));
    return fc.tuple(fc.constant(key), fc.oneof({ weight: 30, arbitrary: right }, { weight: 1, arbitrary: any }));
  });
  return fc.uniqueArray(fc.oneof(...entries), { selector: ([key]) => key, maxLength: most }).map((some) => Object.fromEntries(some));
}

const { daemon, limits, audit, apparmor } = hostSchema.shape;
const layer = fc.record({ daemon: valuesOf(daemon), limits: valuesOf(limits), audit: valuesOf(audit), apparmor: valuesOf(apparmor) }, { requiredKeys: [] });
const raw = fc.record({ profile: fc.constantFrom("strict", "baseline"), defaults: layer, own: layer });

describe("any settings", () => {
  it("are refused with one line a mistake, or rendered into files that can't be read in two ways", { timeout: 60_000 }, () => {
    let rendered = 0;
    fc.assert(
      fc.property(raw, ({ profile, defaults, own }) => {
        const host = { ...own, connection: { host: "192.0.2.10" } };
        let fleet;
        try {
          fleet = readFleet({ profile, defaults, hosts: { web1: host } });
        } catch (error) {
          expect(error).toBeInstanceOf(StackFileError);
          for (const problem of (error as StackFileError).problems) expect(problem).toMatch(/^\S.*: .+$/u);
          return;
        }
        rendered += 1;
        const settings = fleet.hosts.get("web1");
        if (!settings) throw new Error("no host");
        const args = renderHost(settings);
        expect(JSON.parse(JSON.stringify(args.daemon))).toEqual(args.daemon);
        expect(JSON.stringify(args)).not.toMatch(/[:,[]null\b|\\u000|\\n-D/);
        for (const [path, text] of Object.entries(args.files)) {
          if (path.startsWith("/etc/apparmor.d/")) {
            expect(checkFile(path, text)).toBeUndefined();
            continue;
          }
          const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
          const grammar = path.endsWith(".rules")
            ? /^-a always,exit( -F [a-z]+=[\w/.-]+){4}$/
            : path.includes("modules-load.d")
              ? /^br_netfilter$/
              : path.includes("tmpfiles.d")
                ? /^d \/run\/containerd 0711 root root -$/
                : /^\[(Service|Scope|Slice|Unit)\]$|^(Description=Docker containers|Before=slices\.target|(CPU|IO|Memory|MemorySwap|Tasks|Limit|OOM)[A-Za-z]+=[\w:%-]+)$/;
          for (const line of lines) expect(line).toMatch(grammar);
        }
      }),
      { numRuns: 600 },
    );
    expect(rendered).toBeGreaterThan(60);
  });
});
