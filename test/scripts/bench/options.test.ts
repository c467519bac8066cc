import { expect, it } from "vitest";
import { parseBenchOptions } from "../../../scripts/bench/options.ts";

it("measures 1, 16 and 64 hosts five times unless told otherwise", () => {
  expect(parseBenchOptions([])).toEqual({ hosts: [1, 16, 64], rounds: 5, keyExchange: undefined, pyinfra: false, engineLog: true, simulate: undefined });
});

it("takes other numbers", () => {
  expect(parseBenchOptions(["--hosts", "2,3", "--rounds", "1", "--markdown"])).toEqual({ hosts: [2, 3], rounds: 1, keyExchange: undefined, pyinfra: false, engineLog: true, simulate: undefined });
  expect(parseBenchOptions(["--simulate", "1000"])).toMatchObject({ simulate: 1000 });
  expect(parseBenchOptions(["--key-exchange", "curve25519-sha256"])).toMatchObject({ keyExchange: "curve25519-sha256" });
  expect(parseBenchOptions(["--no-engine-log"])).toMatchObject({ engineLog: false });
  expect(parseBenchOptions(["--pyinfra"])).toMatchObject({ pyinfra: true });
});

it.each([["--hosts", "0"], ["--hosts", "1,many"], ["--rounds", "-1"], ["--simulate", "1e3"], ["--what"], ["17"]])("does not understand %s %s", (...args) => {
  expect(parseBenchOptions(args)).toBeUndefined();
});
