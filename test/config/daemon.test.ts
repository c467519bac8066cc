import { describe, expect, it } from "vitest";

import { daemonKeyCost, daemonKeySince, daemonKeyUntil, daemonSchema } from "../../src/config/daemon.ts";
import { profiles } from "../../src/config/profiles.ts";
import { aboutOf, costs } from "../../src/config/setting.ts";
import { securityKeys } from "../../src/desired/security-keys.ts";
import { compareVersions } from "../../src/observed/engine-version.ts";

/** What engine 29 changes on SIGHUP: daemon/reload.go, reload_unix.go, daemon/command/daemon.go. */
const reloadable = [
  "authorization-plugins", "debug", "default-cgroupns-mode", "default-ipc-mode", "default-runtime", "default-shm-size", "default-stop-timeout",
  "features", "insecure-registries", "labels", "live-restore", "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts",
  "network-diagnostic-port", "nri-opts", "registry-mirrors", "runtimes", "shutdown-timeout",
];

/**
 * Which of them an engine does not know yet, and refuses. All others are in the list of 23.0 as well, read in daemon/reload.go and reload_unix.go
 * of a copy of its source; in between only what a key says of itself was taken.
 */
const unknownTo: Record<string, string[]> = { "23.0": ["default-stop-timeout", "nri-opts"], "29.2": ["default-stop-timeout"], "29.8": [] };

describe("every key of daemon.json", () => {
  it.each(Object.entries(daemonSchema.shape))("%s says what it means and costs", (key, schema) => {
    const about = aboutOf(schema);
    expect(about.description).toMatch(/\w/);
    expect(costs).toContain(daemonKeyCost[key]);
    if (key !== "nri-opts") expect(about.allowed).toMatch(/\w/);
  });

  it("is reloaded if the engine reloads it, and only then", () => {
    expect(Object.keys(daemonKeyCost).filter((key) => daemonKeyCost[key] === "reload")).toEqual(reloadable);
  });
});

it.each(Object.entries(unknownTo))("engine %s reloads each key that it knows and a later one reloads", (engine, unknown) => {
  const known = reloadable.filter((key) => compareVersions(engine, daemonKeySince[key] ?? "0") >= 0);
  expect(known).toEqual(reloadable.filter((key) => !unknown.includes(key)));
});

it("knows from and until when engines know a key", () => {
  expect(daemonKeySince).toMatchObject({ "http-proxy": "23.0", "default-network-opts": "24.0", "log-format": "25.0", bip6: "28.0", "firewall-backend": "29.0" });
  expect(daemonKeySince).not.toHaveProperty("icc");
  expect(daemonKeyUntil).toEqual({ "api-cors-header": "28.0" });
});

it("makes only keys that it knows security keys", () => {
  for (const key of Object.keys(securityKeys)) expect(daemonSchema.shape).toHaveProperty(key);
});

it.each(Object.entries(profiles))("accepts the profile %s on engine 20.10", (_, { daemon }) => {
  expect(daemonSchema.safeParse(daemon).success).toBe(true);
  for (const key of Object.keys(daemon ?? {})) expect(daemonKeySince).not.toHaveProperty(key);
});
