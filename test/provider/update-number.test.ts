import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { updateNumber } from "../../src/provider/update-number.ts";
import { temporaryFolder } from "../support/shell.ts";

let folder: string;
const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
};
beforeEach(() => {
  folder = temporaryFolder();
  mkdirSync(join(folder, "state/.pulumi"), { recursive: true });
});

const entries = (count: number): void => {
  for (let i = 1; i <= count; i++) for (const kind of ["history", "checkpoint"]) write(`state/.pulumi/history/drydock/prod/prod-${i}.${kind}.json${i % 2 ? ".gz" : ""}`, "");
};
const number = (env: NodeJS.ProcessEnv = { PULUMI_BACKEND_URL: `file://${folder}/state` }): number | undefined => updateNumber("drydock", "prod", { PULUMI_HOME: folder, ...env }, folder);

it.each([0, 1, 7])("after %i updates comes the next one", (count) => {
  entries(count);
  expect(number()).toBe(count + 1);
});

it("is of this stack alone", () => {
  entries(3);
  expect(updateNumber("drydock", "test", { PULUMI_BACKEND_URL: `file://${folder}/state` }, folder)).toBe(1);
});

it.each<[string, () => void, NodeJS.ProcessEnv]>([
  ["the project", () => write("Pulumi.yaml", "name: drydock\nbackend:\n  url: file://state\n"), {}],
  ["the last login", () => write("credentials.json", '{"current":"file://state"}'), {}],
  ["the environment, whatever the project says", () => write("Pulumi.yaml", "name: drydock\nbackend:\n  url: https://api.pulumi.com\n"), { PULUMI_BACKEND_URL: "file://state" }],
])("the backend is that of %s", (_, prepare, env) => {
  entries(2);
  prepare();
  expect(number(env)).toBe(3);
});

it.each<[string, NodeJS.ProcessEnv]>([
  ["Pulumi Cloud", { PULUMI_BACKEND_URL: "https://api.pulumi.com" }],
  ["an object store", { PULUMI_BACKEND_URL: "s3://bucket" }],
  ["a backend that is not there", { PULUMI_BACKEND_URL: "file:///nowhere/at/all" }],
  ["no login", {}],
])("nobody knows it on %s", (_, env) => expect(number(env)).toBeUndefined());
