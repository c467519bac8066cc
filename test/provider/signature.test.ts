import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it, vi } from "vitest";
import { temporaryFolder } from "../support/shell.ts";

/** Asked once by each process, as the provider's. */
async function signed(): Promise<string[]> {
  vi.resetModules();
  const { signature } = await import("../../src/provider/signature.ts");
  return signature({ stack: "drydock/prod", host: "web1" });
}

beforeEach(() => {
  const state = temporaryFolder();
  mkdirSync(join(state, ".pulumi"));
  vi.stubEnv("PULUMI_BACKEND_URL", `file://${state}`);
  return () => void vi.unstubAllEnvs();
});

it("tells who applies, which update it is, and of which commit", async () => {
  // Some checkouts are none of git's.
  const head = ((): string[] => {
    try {
      return [`commit ${execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).slice(0, 10)}`];
    } catch {
      return [];
    }
  })();
  expect(await signed()).toEqual([expect.stringMatching(/^by [\w.-]+@[\w.-]+$/), "update 1", ...head]);
});

it("tells what there is to tell", async () => {
  vi.stubEnv("PULUMI_BACKEND_URL", "https://api.pulumi.com");
  vi.stubEnv("GIT_DIR", "/nowhere");
  expect(await signed()).toEqual([expect.stringMatching(/^by /)]);
});
