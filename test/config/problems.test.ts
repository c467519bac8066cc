import { describe, expect, it } from "vitest";

import { didYouMean, showPath, showValue } from "../../src/config/problems.ts";

describe("showPath", () => {
  it.each([
    [["hosts", "web1", "daemon", "dns", 0], "hosts.web1.daemon.dns[0]"],
    [["hosts", "web1", "daemon", "log-opts", "a b"], 'hosts.web1.daemon.log-opts["a b"]'],
    [["groups", "a\nb"], 'groups["a\\nb"]'],
    [["defaults", "daemon", "default-network-opts", "x.y"], 'defaults.daemon.default-network-opts["x.y"]'],
  ])("%j is %s", (path, shown) => {
    expect(showPath(path)).toBe(shown);
  });
});

describe("showValue", () => {
  it.each<[unknown, string]>([
    [true, "true"],
    ["a\nb", '"a\\nb"'],
    [undefined, "nothing"],
    ["x".repeat(200), `"${"x".repeat(76)}...`],
    ["https://ops:pw@mirror.example", "(hidden)"],
    ["https://ops:p/w@mirror.example", "(hidden)"],
    [{ key: "-----BEGIN RSA PRIVATE KEY-----" }, "(hidden)"],
  ])("%j is %s", (value, shown) => {
    expect(showValue(value)).toBe(shown);
  });

  it.each(["password", "splunk-token", "clientSecret", "privateKey", "api-key"])("hides what is called %s", (name) => {
    expect(showValue("hunter2", ["hosts", name])).toBe("(hidden)");
  });
});

describe("didYouMean", () => {
  it.each([
    ["liveRestore", '; did you mean "live-restore"?'],
    ["log_driver", '; did you mean "log-driver"?'],
    ["log-leve", '; did you mean "log-level"?'],
    ["xyz", ""],
  ])("%s", (word, hint) => {
    expect(didYouMean(word, ["live-restore", "log-driver", "log-level", "icc"])).toBe(hint);
  });
});
