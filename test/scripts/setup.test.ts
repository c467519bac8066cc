import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { missingPackages } from "../../scripts/setup/debian.mjs";
import { readVersion, staleReason } from "../../scripts/setup/npm.mjs";
import { assertPinned, sparesTypeScript } from "../../scripts/setup/pulumi.mjs";
import { run, runSteps, SetupError } from "../../scripts/setup/steps.mjs";
import { temporaryFolder } from "../support/shell.ts";

it("takes only installed packages for installed", () => {
  const output = `dpkg-query: no packages found matching cpio
shellcheck installed
qemu-utils config-files
`;
  expect(missingPackages(["cpio", "shellcheck", "qemu-utils"], output)).toEqual(["cpio", "qemu-utils"]);
});

it.each([
  [undefined, "node_modules is missing or was cut off half-way"],
  [{ "node_modules/zod": { version: "4.0.0" } }, "node_modules/zod is 4.0.0, not 4.6.7"],
  [{}, "node_modules/zod is missing, not 4.6.7"],
  [{ "node_modules/zod": { version: "4.6.7" } }, undefined],
])("says why node_modules is stale: %o", (packages, reason) => {
  const lock = { packages: { "": { version: "0.1.0" }, "node_modules/zod": { version: "4.6.7" }, "node_modules/for-mac": { version: "1.0.0", optional: true } } };
  expect(staleReason(lock, packages && { packages })).toBe(reason);
});

it("builds the CLI that package.json asks for", () => {
  const goMod = readFileSync("scripts/pulumi-cli/go.mod", "utf8");
  expect(() => assertPinned(readVersion("pulumi"), goMod)).not.toThrow();
  expect(() => assertPinned("4.0.0", goMod)).toThrow(`scripts/pulumi-cli/go.mod pins ${readVersion("pulumi")}, package.json asks for 4.0.0`);
});

describe("a language host", () => {
  const install = (help: string): string => {
    const bin = temporaryFolder();
    writeFileSync(join(bin, "pulumi-language-nodejs"), `#!/bin/sh\n[ "$1" = -help ] && echo '${help}' || echo "$@"\n`);
    chmodSync(join(bin, "pulumi-language-nodejs"), 0o755);
    return bin;
  };

  it("that learns of TypeScript from its command line alone is told there, once", async () => {
    const bin = install("-typescript: Use ts-node at runtime to support typescript source natively (default true)");
    expect(await sparesTypeScript(bin)).not.toBe("");
    expect(await sparesTypeScript(bin)).toBe("");
    expect((await run(join(bin, "pulumi-language-nodejs"), ["127.0.0.1:4000"])).output).toBe("-typescript=false 127.0.0.1:4000\n");
  });

  it("that the engine tells itself is left alone", async () => {
    const bin = install("-typescript: [obsolete]");
    expect(await sparesTypeScript(bin)).toBe("");
    expect((await run(join(bin, "pulumi-language-nodejs"), ["127.0.0.1:4000"])).output).toBe("127.0.0.1:4000\n");
  });
});

it("asks for one version of Pulumi in all places", () => {
  expect(readVersion("@pulumi/pulumi")).toBe(readVersion("pulumi"));
});

it("stops at the step that fails, and shows the command that fixes it", async () => {
  const lines: string[] = [];
  const code = await runSteps([
    { name: "One", run: () => Promise.resolve("was there") },
    { name: "Two", run: () => Promise.reject(new SetupError("Go is not installed", "install Go")) },
    { name: "Three", run: () => Promise.resolve("never seen") },
  ], (line) => lines.push(line.replace(/\d+\.\d s/, "0.0 s")));
  expect(code).toBe(1);
  expect(lines).toEqual(["ok   One: was there (0.0 s)", "FAIL Two: Go is not installed (0.0 s)", "     To fix it: install Go"]);
});

it("ends a command that takes too long, with all that it started", async () => {
  const start = Date.now();
  const { code, output } = await run("sh", ["-c", "echo begun; sleep 30; true"], { limit: 1 });
  expect({ code, output }).toEqual({ code: 1, output: "begun\n\nended after 1 s" });
  expect(Date.now() - start).toBeLessThan(10_000);
});

it("answers 127 for a program that is not there", async () => {
  await expect(run("no-such-program", [])).resolves.toMatchObject({ code: 127 });
});
