import { describe, expect, it } from "vitest";
import { parseOptions, usage } from "../../../scripts/rollback/options.ts";

const none = { to: undefined, from: undefined, hosts: [], allow: [], yes: false };

describe("npm run rollback --", () => {
  it.each([
    ["prod", { ...none, stack: "prod" }],
    ["acme/drydock/prod --yes", { ...none, stack: "acme/drydock/prod", yes: true }],
    ["prod --to 12 --host web1 --host web2", { ...none, stack: "prod", to: 12, hosts: ["web1", "web2"] }],
    ["prod --from old.json --allow hide-containers --allow restart-containers -y", { ...none, stack: "prod", from: "old.json", allow: ["hide-containers", "restart-containers"], yes: true }],
    ["--help", undefined],
  ])("takes %s", (words, expected) => {
    expect(parseOptions(words.split(" "))).toEqual(expected);
  });

  it.each([
    ["", ["name a stack"]],
    ["-x", ["Unknown option '-x'"]],
    ["prod dev", ["one stack at a time, without dev"]],
    ["../prod", ['"../prod" is no name of a stack']],
    ["prod --to 0", ["--to 0: allowed is the number of an update, from 1 on"]],
    ["prod --to 1e3", ["--to 1e3: allowed is the number of an update, from 1 on"]],
    ["--to 2 --from x --allow hide-container", ["name a stack", "--to and --from: allowed is one of them", '--allow hide-container: allowed are hide-containers, restart-containers, restore-original, remove-old-data; did you mean "hide-containers"?']],
  ])("refuses %j, all at once, and says how it is used", (words, problems) => {
    const message = expect.stringContaining(problems.join("\n")) as string;
    expect(() => parseOptions(words.split(" ").filter(Boolean))).toThrow(expect.objectContaining({ name: "RollbackError", message }) as Error);
    expect(() => parseOptions(words.split(" ").filter(Boolean))).toThrow(usage);
  });
});
