import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redact, redactLine, secretsOf } from "../src/redact.ts";
import { linesOfStream, recordedReport } from "./support/drift.ts";

describe("what looks like a secret", () => {
  it.each([
    ["a password in an address", "+HTTP_PROXY=http://bob:hunter2@proxy.example:3128", "+HTTP_PROXY=http://bob:(hidden)@proxy.example:3128"],
    ["a token in JSON", '-  "splunk-token": "abc def",', '-  "splunk-token": (hidden),'],
    ["a token whose closing quote was cut off", '"splunk-token": "abc d', '"splunk-token": (hidden)'],
    ["a token on a command line", "dockerd --log-opt splunk-token=SEKRIT --debug", "dockerd --log-opt splunk-token=(hidden) --debug"],
    ["an assigned password", "PASSWORD=hunter2 rest", "PASSWORD=(hidden) rest"],
    ["a password with an @ in an address", "http://u:p@ss@proxy:3128 x", "http://u:(hidden)@proxy:3128 x"],
    ["a token for a user in an address", "https://0123456789abcdef0123456789abcdef01234567@git.example/x", "https://(hidden)@git.example/x"],
    ["a short name", "DB_PASS=hunter2 MYSQL_PWD=x", "DB_PASS=(hidden) MYSQL_PWD=(hidden)"],
    ["a login of Docker's", '"auth": "dTpw"', '"auth": (hidden)'],
    ["a password as a word of its own", "mysql --password hunter2 -u root", "mysql --password (hidden) -u root"],
    ["a webhook of Slack", "https://hooks.slack.com/services/T0/B0/xyz end", "https://hooks.slack.com/services/(hidden) end"],
    ["an API key in YAML", "api_key: hunter2", "api_key: (hidden)"],
    ["a header", "Authorization: Basic aHVudGVyMg==", "Authorization: (hidden)"],
    ["a GitHub token", "x ghp_0123456789abcdefghij y", "x (hidden) y"],
    ["a JSON web token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0xx.abc", "(hidden)"],
    ["the engine's ciphertext", "v1:AAAAbbbbCCCC=:dddd", "(hidden)"],
    ["the inside of a key", ` ${"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ".repeat(1)}ab`, " (hidden)"],
  ])("goes: %s", (_, line, shown) => {
    expect(redactLine(line)).toBe(shown);
  });

  it.each(['"no-new-privileges": true', "passthrough: 1", "compass=north", "author: ann", "PWDX=1", "deny /srv/www/private/** r,", "-w /etc/docker/key.json -k docker", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBl0LuLnjpC1oeOfnhMGaqX", "tag: docker/{{.Name}}", "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "http://proxy.example:3128/"])("is not %s", (line) => {
    expect(redactLine(line)).toBe(line);
  });

  it("is not in what Drydock itself writes", () => {
    for (const name of ["mixed", "refused-and-removed"] as const) expect(JSON.stringify(recordedReport(name))).not.toContain("(hidden)");
  });
});

it("says when a value is known only later", () => {
  expect(redactLine('connection.host: "192.0.2.1" => "04da6b54-80e4-46f7-96ec-b56ff0331ba9"')).toBe('connection.host: "192.0.2.1" => "(known only later)"');
});

describe("secrets of the environment", () => {
  it("are those whose name says so", () => {
    expect(secretsOf({ PULUMI_CONFIG_PASSPHRASE: "correct-horse", GITHUB_TOKEN: "abcdefgh", PATH: "/usr/bin", PULUMI_CONFIG_PASSPHRASE_FILE: "/run/secret-file", MY_SECRET: "abc", AWS_SECRET_ACCESS_KEY: "0123456789", AZURE_STORAGE_KEY: "9876543210" })).toEqual(["correct-horse", "abcdefgh", "0123456789", "9876543210"]);
  });

  it("go wherever they stand, over lines as well", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z$^.*+?()|\\]{8,20}$/), fc.stringMatching(/^[0-9 \n"=]{0,20}$/), (secret, around) => {
        expect(redact(`${around}${secret}${around}`, [secret])).toBe(`${around}(hidden)${around}`);
      }),
    );
    expect(redact("a\nKEY line 1\nKEY line 2\nb", ["KEY line 1\nKEY line 2"])).toBe("a\n(hidden)\nb");
  });
});

it("shows characters that a terminal or a page would act on", () => {
  expect(redact("a\u001b[31mb\u202ec\u0000d\te\n\ud800\uffff")).toBe("a\\u001b[31mb\\u202ec\\u0000d\te\n\ufffd\\uffff");
  expect(linesOfStream("mixed").join("")).not.toMatch(/\u001b/);
});
