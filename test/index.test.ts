/** What somebody's program may lean on. A change here is one that the changelog names. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { z } from "zod";
import { layerSchema, stackSchema } from "../src/config/layer.ts";
import * as drydock from "../src/index.ts";

const root = join(import.meta.dirname, "..");

it("exports these values", () => {
  expect(Object.keys(drydock).sort()).toEqual(["Host", "checkFleet", "hardenFleet"]);
});

it("exports these types", () => {
  const text = readFileSync(join(root, "src/index.ts"), "utf8");
  const names = [...text.matchAll(/^export (type )?\{([^}]*)\}/gm)].flatMap(([, all, list = ""]) => list.split(",").map((name) => name.trim()).filter((name) => all !== undefined || name.startsWith("type ")));
  expect(names.map((name) => name.replace(/^type /, "")).sort()).toEqual(["ConnectionArgs", "FleetArgs", "FleetHostArgs", "FleetProblem", "HostArgs", "HostOutputs", "LayerArgs"]);
});

it("has types for all that a stack file may say", () => {
  // Checked by the compiler: what the schema takes must be what the types take, and every key must have one.
  const layer = (some: Omit<z.input<typeof layerSchema>, "audit" | "seccomp" | "waivers">): drydock.LayerArgs => some;
  const keys = (key: keyof z.input<typeof stackSchema>): keyof drydock.FleetArgs => key;
  expect([layer({}), keys("hosts")]).toEqual([{}, "hosts"]);
});

it("asks of a host by itself all that it asks of one in a fleet, but for how hosts hang together", () => {
  // Whoever adds a key: if the resource alone can't do it, it belongs to `ofFleets` in src/program/declare-host.ts.
  expect(Object.keys(layerSchema.shape)).toEqual(["connection", "daemon", "audit", "limits", "apparmor", "seccomp", "volume", "window", "allow", "waivers", "prepare", "gate"]);
});

/** For tools that run in the repository, where everything is. */
const ofTheRepository = /^(config\/stack-file\.ts|(rollback|drift|report)\/)/;

it("needs no package that it does not bring, or ask for", () => {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, Record<string, string>>;
  const brought = Object.keys({ ...dependencies, ...peerDependencies });
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts") && !ofTheRepository.test(name));
  const imported = files.flatMap((name) => [...readFileSync(join(root, "src", name), "utf8").matchAll(/^(?:import|export) .*?from "([^."][^"]*)";$/gm)].map(([, path = ""]) => path));
  const packages = imported.filter((path) => !path.startsWith("node:")).map((path) => path.split("/").slice(0, path.startsWith("@") ? 2 : 1).join("/"));
  expect(new Set(packages)).toEqual(new Set(brought));
});
