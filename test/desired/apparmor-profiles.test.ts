import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { capabilities, families, socketTypes } from "../../src/config/apparmor-words.ts";
import { readFleet, StackFileError } from "../../src/config/fleet.ts";
import { declaredProfiles, profileIn } from "../../src/desired/apparmor-profiles.ts";
import { checkProfile } from "../../src/desired/check-profile.ts";
import { renderHost } from "../../src/desired/render-host.ts";

function files(apparmor: Record<string, unknown>, profile = "baseline"): Record<string, string> {
  const settings = readFleet({ profile, hosts: { web1: { connection: { host: "192.0.2.10" }, apparmor } } }).hosts.get("web1");
  if (!settings) throw new Error("no host");
  return renderHost(settings).files;
}

const rulesOf = (text = ""): string[] => text.split("\n").map((line) => line.trim()).filter((line) => line.endsWith(","));

describe("a declared profile", () => {
  it("has a rule for each thing that it allows, in whatever order it was written", () => {
    const declared = { files: { "/srv/www/**": "r", "/app/*": "xr" }, deny: { "/bin/su": "x" }, capabilities: ["setuid", "chown", "chown"], networks: ["inet stream"] };
    expect(declaredProfiles({ container: false, profiles: { web: declared as never } })).toEqual([
      {
        name: "web",
        files: [{ path: "/app/*", permissions: "rix" }, { path: "/srv/www/**", permissions: "r" }],
        deny: [{ path: "/bin/su", permissions: "x" }],
        capabilities: ["chown", "setuid"],
        networks: ["inet stream"],
      },
    ]);
    const text = files({ profiles: { web: declared } })["/etc/apparmor.d/drydock-web"];
    expect(rulesOf(text)).toEqual(expect.arrayContaining(["/app/* rix,", "/srv/www/** r,", "deny /bin/su x,", "capability chown,", "capability setuid,", "network inet stream,"]));
    expect(text).toContain("profile drydock-web flags=(attach_disconnected,mediate_deleted) {");
  });

  it("that says nothing allows no capability, no write outside of devices and itself, and no network", () => {
    const rules = rulesOf(files({ profiles: { none: {} } })["/etc/apparmor.d/drydock-none"]).filter((rule) => !rule.startsWith("deny "));
    expect(rules.filter((rule) => rule.startsWith("capability") || /^network (?!unix)/.test(rule))).toEqual([]);
    expect(rules.filter((rule) => /^[/@].* [a-z]*w[a-z]*,$/.test(rule))).toEqual(["/dev/{null,zero,full,tty,console,ptmx} rw,", "/dev/pts/* rw,", "@{PROC}/@{pid}/{fd,attr}/** rw,"]);
  });

  it("can be taken away by a later layer, whole or in part", () => {
    const own = { profiles: { web: null, api: { files: { "/a": null } } } };
    const fleet = readFleet({ defaults: { apparmor: { profiles: { web: {}, api: { files: { "/a": "r", "/b": "r" } } } } }, hosts: { web1: { connection: { host: "192.0.2.10" }, apparmor: own } } });
    expect(fleet.hosts.get("web1")?.apparmor).toEqual({ container: false, profiles: { api: { files: { "/b": "r" } } } });
  });
});

describe("the hardened profile", () => {
  it("is there in strict, and not when the layer is taken away", () => {
    expect(Object.keys(files({}, "strict"))[0]).toBe("/etc/apparmor.d/drydock-container");
    expect(Object.keys(files({}))[0]).toBe("/etc/audit/rules.d/50-drydock.rules");
    expect(files(null as never, "strict")).not.toHaveProperty(["/etc/apparmor.d/drydock-container"]);
  });
});

it.each([
  ["/etc/apparmor.d/drydock-web", "drydock-web"],
  ["/etc/apparmor.d/disable/drydock-web", undefined],
  ["/etc/apparmor.d/other", undefined],
])("the profile in %s is %s", (path, name) => {
  expect(profileIn(path)).toBe(name);
});

const nasty = ["/a r,\n  capability,", "/a, /b", "/a r, /b", "/a}", "/a #", '/a"', "/@{PROC}", "/{a", "/[", "/a->b", "\\", "{{name}}", "/ü", "/a\u2028"];
const word = fc.constantFrom("a", "srv", "x-y", "*", "**", "*.so.?", "[ab]*", "[^c]", "{a,b*}", "z.conf", "a+b~", "1");
const path = fc.array(word, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
const letters = fc.shuffledSubarray(["r", "w", "x", "m", "k", "l"], { minLength: 1 }).map((some) => some.join(""));
const table = (wild: number) => fc.dictionary(fc.oneof({ weight: 40, arbitrary: path }, { weight: wild, arbitrary: fc.constantFrom(...nasty) }), letters, { maxKeys: 5 });
const declaration = (wild: number) =>
  fc.record(
    {
      files: table(wild),
      deny: table(wild),
      capabilities: fc.subarray([...capabilities], { maxLength: 5 }),
      networks: fc.array(fc.tuple(fc.constantFrom(...families), fc.option(fc.constantFrom(...socketTypes), { nil: undefined })).map((words) => words.filter(Boolean).join(" ")), { maxLength: 3 }),
    },
    { requiredKeys: [] },
  );

describe("any declaration", () => {
  it("is refused, or renders to a profile of exactly its own rules", () => {
    let rendered = 0;
    fc.assert(
      fc.property(declaration(1), (declared) => {
        let text;
        try {
          text = files({ profiles: { web: declared } })["/etc/apparmor.d/drydock-web"] ?? "";
        } catch (error) {
          expect(error).toBeInstanceOf(StackFileError);
          return;
        }
        rendered += 1;
        expect(checkProfile("drydock-web", text)).toBeUndefined();
        const count = (some: object | undefined) => Object.keys(some ?? {}).length;
        const base = rulesOf(files({ profiles: { web: {} } })["/etc/apparmor.d/drydock-web"]).length;
        expect(rulesOf(text)).toHaveLength(base + count(declared.files) + count(declared.deny) + count(declared.capabilities) + new Set(declared.networks).size);
      }),
      { numRuns: 200 },
    );
    expect(rendered).toBeGreaterThan(100);
  });

  const parser = spawnSync("apparmor_parser", ["--version"]).status === 0;
  it.skipIf(!parser)("is taken by apparmor_parser, where there is one", () => {
    fc.assert(
      fc.property(declaration(0), (declared) => {
        const text = files({ profiles: { web: declared } })["/etc/apparmor.d/drydock-web"] ?? "";
        const { status, stderr } = spawnSync("apparmor_parser", ["-Q", "-K"], { input: text, encoding: "utf8" });
        expect(status, `${stderr}\n${text}`).toBe(0);
      }),
      { numRuns: 30 },
    );
  });
});
