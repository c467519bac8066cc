import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesPattern, matchesUser } from "../../src/plan/sshd-patterns.ts";

describe("a pattern", () => {
  it.each<[string, string, boolean]>([
    ["ops", "ops", true],
    ["ops", "Ops", false],
    ["ops", "op", false],
    ["ops", "opss", false],
    ["ops", "o*", true],
    ["ops", "*s", true],
    ["ops", "o?s", true],
    ["ops", "ops?", false],
    ["", "", true],
    ["", "*", true],
    ["", "?", false],
    ["a.b", "a?b", true],
    ["axb", "a.b", false],
    ["*", "**", true],
  ])("%j against %j: %s", (text, pattern, matches) => {
    expect(matchesPattern(text, pattern)).toBe(matches);
  });

  it("means what the same regular expression does", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "*", "?", "."), maxLength: 12 });
    fc.assert(
      fc.property(text, text, (name, pattern) => {
        const same = new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("?", ".").replaceAll(/\*+/g, ".*")}$`);
        expect(matchesPattern(name, pattern)).toBe(same.test(name));
      }),
      { numRuns: 2000 },
    );
  });

  it("of many stars takes no time", () => {
    expect(matchesPattern("a".repeat(2000), `${"a*".repeat(200)}b`)).toBe(false);
  });
});

describe("a user", () => {
  it.each<[string, boolean]>([
    ["ops", true],
    ["o*@192.0.2.7", true],
    ["ops@192.0.2.*", true],
    ["ops@192.0.2.0/24", true],
    ["ops@192.0.2.8/32", false],
    ["ops@0.0.0.0/0", true],
    ["ops@192.0.2.0/33", false],
    ["ops@198.51.100.0/24,192.0.2.7", true],
    ["ops@*,!192.0.2.7", false],
    ["ops@!192.0.2.0/24,*", false],
    ["ops@!198.51.100.1", false],
    ["ops@!198.51.100.1,*", true],
    ["ops@client.example", false],
    ["admin@192.0.2.7", false],
    // Only behind the @ a ! is something special.
    ["!admin", false],
    ["a@b@192.0.2.7", false],
    ["ops@::/0", false],
  ])("ops from 192.0.2.7 against %s: %s", (pattern, matches) => {
    expect(matchesUser("ops", "192.0.2.7", pattern)).toBe(matches);
  });

  it.each<[string, boolean]>([
    ["ops@2001:db8::/32", true],
    ["ops@2001:DB8::7", true],
    ["ops@2001:db8:0:0::7", true],
    ["ops@2001:db8:1::/48", false],
    ["ops@0.0.0.0/0", false],
  ])("ops from 2001:db8::7 against %s: %s", (pattern, matches) => {
    expect(matchesUser("ops", "2001:db8::7", pattern)).toBe(matches);
  });

  it("of a domain may have an @ in the name", () => {
    expect(matchesUser("ops@example", "192.0.2.7", "ops@example@192.0.2.7")).toBe(true);
  });
});
