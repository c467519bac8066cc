/** The package as somebody else has it: packed, installed into empty projects, and run by a real engine against light hosts. */

import { chmodSync, cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { $ } from "zx";
import { startHosts, type LightHosts } from "../../lab/hosts/light-hosts.ts";
import { whyNoLightHosts } from "../../lab/hosts/namespaces.ts";
import type { Run } from "./stack.ts";

const root = join(import.meta.dirname, "../..");
const why = await whyNoLightHosts();

describe.skipIf(why !== undefined)(`the package${why === undefined ? "" : ` (skipped: ${why})`}`, () => {
  let set: LightHosts;
  let home: string;
  const project = (name: string) => join(home, name);
  const installed = (path = "") => join(project("app"), "node_modules", path);

  beforeAll(async () => {
    set = await startHosts({ count: 3, name: "e2e-library", replace: true });
    home = mkdtempSync(join(tmpdir(), "drydock-e2e-library-"));
    for (const folder of ["app", "bin", "state"]) mkdirSync(join(home, folder));
    // Comes with Pulumi, and not with what set-up builds from source; it is found by its name (sdk/nodejs/dist in Pulumi's repository).
    const launcher = join(home, "bin", "pulumi-resource-pulumi-nodejs");
    writeFileSync(launcher, '#!/bin/sh\nexec node node_modules/@pulumi/pulumi/cmd/dynamic-provider "$@"\n');
    chmodSync(launcher, 0o755);
    await $({ cwd: root, quiet: true })`npm pack --pack-destination ${home}`;
    writeFileSync(join(project("app"), "package.json"), JSON.stringify({ name: "app", private: true, type: "module", main: "index.js" }));
    const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { devDependencies: Record<string, string> };
    const others = ["@pulumi/pulumi", "csv-parse"].map((name) => `${name}@${devDependencies[name] ?? ""}`);
    await $({ cwd: project("app"), quiet: true })`npm install --no-audit --no-fund --prefer-offline ${globSync("drydock-*.tgz", { cwd: home }).map((file) => join(home, file))} ${others}`;
    for (const name of ["machines", "csv"]) {
      cpSync(join(root, "examples", name), project(name), { recursive: true, filter: (path) => !path.endsWith("node_modules") });
      symlinkSync(installed(), join(project(name), "node_modules"));
    }
  });

  afterAll(async () => {
    await set.stop();
    rmSync(home, { recursive: true, force: true });
  });

  async function pulumi(name: string, ...words: string[]): Promise<Run> {
    const env = {
      ...process.env,
      ...set.environment,
      PATH: [join(home, "bin"), join(root, "node_modules/.bin"), process.env.PATH ?? ""].join(":"),
      PULUMI_BACKEND_URL: `file://${join(home, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "x",
      PULUMI_SKIP_UPDATE_CHECK: "1",
    };
    const { exitCode, stdall } = await $({ cwd: project(name), env, nothrow: true, quiet: true })`${set.command} pulumi --color never --non-interactive ${words}`;
    return { exitCode: exitCode ?? -1, output: stdall };
  }

  async function good(name: string, ...words: string[]): Promise<string> {
    const { exitCode, output } = await pulumi(name, ...words);
    expect(exitCode, output).toBe(0);
    return output;
  }

  const up = (name: string) => good(name, "up", "--yes", "--skip-preview", "-s", "dev");

  /** Stack and settings of an example. */
  async function configure(name: string, values: Record<string, string>): Promise<void> {
    await good(name, "stack", "init", "dev");
    const words = Object.entries({ profile: "baseline", identityFile: set.hosts[0]?.connection.identityFile ?? "", ...values }).flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]);
    await good(name, "config", "set-all", "--path", ...words);
  }

  const hardened = (host: string) => existsSync(join(set.root(host), "/etc/audit/rules.d/50-drydock.rules"));

  it("holds what runs, and the declarations of what is public", () => {
    expect(globSync("*", { cwd: installed("drydock") }).sort()).toEqual(["README.md", "dist", "package.json", "provider", "templates"]);
    expect(globSync("**/*.d.*ts", { cwd: installed("drydock/dist") }).sort()).toEqual([
      "cis/summary.d.ts",
      "index.d.ts",
      "program/check-fleet.d.ts",
      "program/declare-host.d.ts",
      "program/fleet-args.d.ts",
      "program/harden-fleet.d.ts",
      "provider/host.d.ts",
      "provider/outputs.d.ts",
      "sdk.d.ts",
    ]);
    expect(globSync("**/*.ts", { cwd: installed("drydock") }).filter((name) => !name.endsWith(".d.ts"))).toEqual([]);
  });

  it("shares Pulumi's SDK with the program, whether it is imported or required", async () => {
    expect(globSync("**/@pulumi/pulumi/package.json", { cwd: installed() })).toHaveLength(1);
    const script = `
      const drydock = require("drydock"), { CustomResource } = require("@pulumi/pulumi");
      import("drydock").then((same) => console.log(same.Host === drydock.Host, drydock.Host.prototype instanceof CustomResource));`;
    const { stdout } = await $({ cwd: project("app"), quiet: true })`node -e ${script}`;
    expect(stdout).toBe("true true\n");
  });

  it("has types that the examples and the README keep to, in a compiler that checks the declarations as well", async () => {
    writeFileSync(join(project("app"), "wrong.ts"), [
      'import { hardenFleet } from "drydock";',
      'const { web1 } = hardenFleet({ profile: "strict", hosts: { web1: { connection: { host: "web1" } } } });',
      "web1.cis.failing satisfies object;",
      "// @ts-expect-error no such host",
      'hardenFleet({ hosts: { web1: { connection: { host: "web1" } } } }).web2;',
      "// @ts-expect-error no such key",
      'hardenFleet({ hosts: { web1: { connection: { host: "web1" }, daemon: { iccc: true } } } });',
    ].join("\n"));
    const [, program = ""] = /```ts\n(.*?)```/s.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
    expect(program).toContain("hardenFleet");
    writeFileSync(join(project("app"), "readme.ts"), program);
    writeFileSync(join(project("app"), "machine.ts"), 'import * as pulumi from "@pulumi/pulumi";\nexport const machine = { publicIp: pulumi.output("192.0.2.10"), publicKey: pulumi.output("…") };\n');
    const compilerOptions = { strict: true, exactOptionalPropertyTypes: true, target: "es2022", module: "nodenext", noEmit: true, allowImportingTsExtensions: true, types: ["node"], typeRoots: [join(root, "node_modules/@types")] };
    writeFileSync(join(home, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["app/wrong.ts", "app/readme.ts", "machines/index.ts", "csv/index.ts"] }));
    const { exitCode, stdout } = await $({ cwd: home, nothrow: true, quiet: true })`${join(root, "node_modules/.bin/tsc")} -p .`;
    expect(exitCode, stdout).toBe(0);
  });

  it("hardens a host of a program in JavaScript with one line in its Pulumi.yaml, and gives the original back", async () => {
    writeFileSync(join(project("app"), "Pulumi.yaml"), "name: app\nruntime: nodejs\nplugins: { providers: [{ name: drydock, path: node_modules/drydock/provider }] }\n");
    const settings = { profile: "strict", connection: set.hosts[0]?.connection, daemon: { "userns-remap": null }, limits: { services: null }, allow: ["restore-original"] };
    writeFileSync(join(project("app"), "index.js"), [
      'import { Host } from "drydock";',
      'import * as pulumi from "@pulumi/pulumi";',
      `const settings = ${JSON.stringify(settings)};`,
      "if (process.env.AS_SECRET) settings.connection.host = pulumi.secret(settings.connection.host);",
      'export const { engine } = new Host("light1", settings);',
    ].join("\n"));
    await good("app", "stack", "init", "dev");
    expect(await up("app")).toMatch(/engine: +"\d+/);
    expect(set.read("light1", "/etc/docker/daemon.json")).toContain('"icc": false');
    expect(await up("app")).toMatch(/\n\s+2 unchanged\n/);
    process.env.AS_SECRET = "1";
    const refused = await pulumi("app", "preview", "-s", "dev").finally(() => delete process.env.AS_SECRET);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.output).toContain("light1: connection.host: a secret can't stand here, since a host's inputs come back from the host in clear");
    await good("app", "destroy", "--yes", "--skip-preview", "-s", "dev");
    expect(hardened("light1")).toBe(false);
  });

  it("hardens machines whose addresses are known only when they are made: examples/machines", async () => {
    const [, light] = set.hosts;
    await configure("machines", { "machines.light2.address": light?.connection.host ?? "", "machines.light2.hostKey": light?.connection.hostKey ?? "" });
    const preview = await good("machines", "preview", "-s", "dev");
    expect(preview).toContain("light2: parts of it are known only after other resources are made; it is looked at then");
    expect(preview).toMatch(/\+ 3 to create/);
    expect(hardened("light2")).toBe(false);
    expect(await up("machines")).toContain("light2: first update, this is what would change there");
    expect(hardened("light2")).toBe(true);
    expect(await up("machines")).toMatch(/\n\s+3 unchanged\n/);
    await good("machines", "config", "set", "--path", "machines.light2.address", "--", "-oProxyCommand=id");
    const malformed = await pulumi("machines", "up", "--yes", "--skip-preview", "-s", "dev");
    expect(malformed.exitCode).not.toBe(0);
    expect(malformed.output).toContain('error: light2: connection.host: "-oProxyCommand=id" is not allowed; allowed: a host name, an IP address or an alias of ssh_config');
  });

  it("says all that is wrong with a table, each with its line, and hardens the hosts of a right one: examples/csv", async () => {
    const [, , light] = set.hosts;
    const { host = "", hostKey = "" } = light?.connection ?? {};
    writeFileSync(join(project("csv"), "wrong.csv"), ["name,address,port,user,hostKey,groups", `light3,${host},22x,root,,webb`, "light3,192.0.2.9,,,,", "short,192.0.2.9", "other,192.0.2.8,,-x,,"].join("\n"));
    writeFileSync(join(project("csv"), "right.csv"), `name,address,port,user,hostKey,groups\nlight3,${host},,root,${hostKey},web\n`);
    await configure("csv", { file: "wrong.csv" });
    const wrong = await pulumi("csv", "preview", "-s", "dev");
    expect(wrong.exitCode).not.toBe(0);
    expect(wrong.output).toContain([
      "    error: wrong.csv: 5 mistakes",
      '      line 2: light3.connection.port: "22x" is not allowed; allowed: a whole number from 1 to 65535',
      '      line 2: light3.groups.0: no group "webb"; did you mean "web"?',
      "      line 3: light3 stands in line 2 already",
      "      line 4: Invalid Record Length: columns length is 6, got 2 on line 4",
      '      line 5: other.connection.user: "-x" is not allowed; allowed: a user name',
    ].join("\n"));
    await good("csv", "config", "set", "file", "right.csv");
    await up("csv");
    expect(set.read("light3", "/etc/systemd/system/docker-.scope.d/10-drydock.conf")).toContain("TasksMax=4096");
    expect(await up("csv")).toMatch(/\n\s+2 unchanged\n/);
  });
});
