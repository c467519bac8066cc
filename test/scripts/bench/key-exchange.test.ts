import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { $ } from "zx";
import { startAll } from "../../../scripts/bench/bare-ssh.ts";
import { prepareKeyExchange, renderConfig } from "../../../scripts/bench/key-exchange.ts";
import { runSh, temporaryFolder } from "../../support/shell.ts";

it("is put before what the system's configuration says", async () => {
  const file = join(temporaryFolder(), "ssh_config");
  writeFileSync(file, renderConfig("curve25519-sha256", "Host *\n  KexAlgorithms sntrup761x25519-sha512@openssh.com\n"));
  expect((await $({ quiet: true })`ssh -F ${file} -G host`).stdout).toMatch(/^kexalgorithms curve25519-sha256$/m);
});

it("is the first that OpenSSH offers unless one is asked for, and never one that it does not know", async () => {
  expect(await prepareKeyExchange(undefined)).toMatchObject({ name: expect.stringMatching(/^[\w@.-]+, OpenSSH's default$/) as string, prefix: [] });
  await expect(prepareKeyExchange("rot13")).rejects.toThrow("ssh knows no key exchange rot13: ssh -Q kex lists them");
});

it("bare connections are made all at once, and one that fails is told", () => {
  const file = join(temporaryFolder(), "it's a script");
  writeFileSync(file, "exit 3\n");
  expect(() => runSh(startAll([["true"], ["sh", "-s"]], file))).toThrow("sh ended with 3");
  expect(runSh(startAll([["sh", "-c", "cat >&2"], ["true"]], file)).toString()).toBe("");
});
