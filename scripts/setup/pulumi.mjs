/**
 * The Pulumi CLI and its Node.js language host, in the folder where the npm package `pulumi` looks for them.
 *
 * That package downloads both by itself. Where the download can't be reached they are built from Go modules, which the
 * go.mod and go.sum in scripts/pulumi-cli and scripts/pulumi-language-nodejs pin. (The language host of this release is
 * no public module; an older one speaks the same protocol.)
 */

import { accessSync, constants, existsSync, linkSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { readVersion } from "./npm.mjs";
import { lastLines, PROJECT, run, SetupError } from "./steps.mjs";

/** Where the download can be reached at all, it takes less than a minute. */
const DOWNLOAD_LIMIT_SECONDS = 180;
/** The installer is a small file: one that has not come by then won't. */
const FIRST_ANSWER_LIMIT_SECONDS = 8;

/** @returns {Promise<string>} */
export async function ensurePulumi() {
  const version = readVersion("pulumi");
  const bin = join(process.env["PULUMI_HOME"] || join(homedir(), ".pulumi"), "versions", version, "bin");
  const before = missing(bin);
  if (before.length === 0) return `${version} is in ${bin}${await sparesTypeScript(bin)}`;
  const refusal = before.includes("pulumi") ? await download() : "the CLI was there without its language host";
  const left = missing(bin);
  if (left.length === 0) return `${version} downloaded to ${bin}${await sparesTypeScript(bin)}`;
  console.log(`     Pulumi: ${refusal}; building ${left.join(" and ")} from Go modules, a few minutes`);
  mkdirSync(bin, { recursive: true });
  // The CLI last: the npm package takes the folder for complete when it is there.
  if (left.includes("pulumi-language-nodejs")) {
    await build(bin, "pulumi-language-nodejs", "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs", "");
  }
  if (left.includes("pulumi")) {
    assertPinned(version, readFileSync(join(PROJECT, "scripts", "pulumi-cli", "go.mod"), "utf8"));
    await build(bin, "pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", ` -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`);
  }
  const { output } = await run(join(bin, "pulumi"), ["version"], { env: { PULUMI_SKIP_UPDATE_CHECK: "1" } });
  if (output.trim() !== `v${version}`) throw new SetupError(`the built CLI says "${output.trim()}", not v${version}`, `rm -r ${bin} && npm run setup`);
  return `${version} built into ${bin}${await sparesTypeScript(bin)}`;
}

/**
 * The go.mod repeats the version, since Go reads nothing else; it may not drift from package.json.
 * @param {string} version
 * @param {string} goMod
 */
export function assertPinned(version, goMod) {
  const pinned = /^require github\.com\/pulumi\/pulumi\/pkg\/v3 v(\S+)/m.exec(goMod)?.[1];
  if (pinned !== version) {
    throw new SetupError(
      `scripts/pulumi-cli/go.mod pins ${pinned ?? "no version"}, package.json asks for ${version}`,
      `cd scripts/pulumi-cli && go get github.com/pulumi/pulumi/pkg/v3@v${version} && go mod tidy`,
    );
  }
}

/**
 * A language host of that age learns only from its command line that Pulumi.yaml says `typescript: false`, and this engine does
 * not tell it there: every run would load a TypeScript compiler, 0.4 s (docs/performance.md). So a script of its name does.
 * @param {string} bin
 * @returns {Promise<string>} what was done, for people
 */
export async function sparesTypeScript(bin) {
  const name = join(bin, "pulumi-language-nodejs");
  const { output } = await run(name, ["-help"]);
  if (existsSync(`${name}.program`) || !output.includes("support typescript source natively (default true)")) return "";
  // Somebody may start it right now: at any moment there is one of them.
  linkSync(name, `${name}.program`);
  writeFileSync(`${name}.part`, `#!/bin/sh\nexec "$0.program" -typescript=false "$@"\n`, { mode: 0o755 });
  renameSync(`${name}.part`, name);
  return "; its language host loads no TypeScript compiler any more";
}

/** @param {string} bin */
function missing(bin) {
  return ["pulumi-language-nodejs", "pulumi"].filter((name) => {
    try {
      accessSync(join(bin, name), constants.X_OK);
      return false;
    } catch {
      return true;
    }
  });
}

/**
 * Lets the npm package download; returns why it did not.
 * @returns {Promise<string>}
 */
async function download() {
  const node = join(PROJECT, "node_modules", ".bin", "node");
  const cli = join(PROJECT, "node_modules", "pulumi");
  // First only what the download begins with: without a network that can hang for minutes, and the rest may take some.
  const probe = 'require(process.argv[1]).installCLI("", "", { execScript() {} }).catch(() => process.exit(1))';
  const reached = await run(node, ["-e", probe, join(cli, "lib", "download.js")], { limit: FIRST_ANSWER_LIMIT_SECONDS });
  if (reached.code !== 0) return "the official download cannot be reached";
  const { code, output } = await run(node, [join(cli, "run.js"), "version"], { limit: DOWNLOAD_LIMIT_SECONDS });
  return code === 0 ? "the download lacks the language host" : `the official download failed (${lastLines(output, 1)})`;
}

/**
 * @param {string} bin
 * @param {string} name of the program, and of the folder under scripts/ with its go.mod
 * @param {string} source Go package
 * @param {string} linkerFlags
 */
async function build(bin, name, source, linkerFlags) {
  const cwd = join(PROJECT, "scripts", name === "pulumi" ? "pulumi-cli" : name);
  const part = join(bin, `.${name}.${process.pid}`);
  // readonly: a sum that go.sum does not have is an error, not an addition.
  const args = ["build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", `-s -w${linkerFlags}`, "-o", part, source];
  const { code, output } = await run("go", args, { cwd, env: { CGO_ENABLED: "0", GOWORK: "off" } });
  if (code === 127) throw new SetupError(`Go is not installed: it is needed to build ${name} here`, "install Go (go.dev/dl), or a network that lets `npx pulumi version` download it");
  if (code !== 0) throw new SetupError(`${name} was not built: ${lastLines(output)}`, `cd ${cwd} && go ${args.slice(0, 3).join(" ")} ${source}`);
  renameSync(part, join(bin, name));
}
