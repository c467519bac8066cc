import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Records } from "../../src/observed/records.ts";

interface Probe {
  name: string;
  status: number;
  stdout: string;
  stderr: string;
}

/** What observe.sh prints for these probes. */
function encode(probes: Probe[]): Buffer {
  const index = probes.map(({ name, status, stdout, stderr }) => `${name} ${status} ${Buffer.byteLength(stdout)} ${Buffer.byteLength(stderr)}\n`).join("");
  return Buffer.from(`${index}\n${probes.map(({ stdout }) => stdout).join("")}${probes.map(({ stderr }) => stderr).join("")}`);
}

const text = fc.string({ unit: "binary", maxLength: 60 });
const probe = fc.record({ name: fc.stringMatching(/^[a-z:/][a-z:/ .-]*[a-z]$/), status: fc.nat(255), stdout: text, stderr: text });
const probes = fc.uniqueArray(probe, { minLength: 1, maxLength: 8, selector: ({ name }) => name });

describe("an observation's frame", () => {
  it("gives back what each probe printed", () => {
    fc.assert(
      fc.property(probes, (written) => {
        const records = Records.parse(encode(written));
        for (const { name, status, stdout, stderr } of written) expect(records.result(name)).toEqual({ status, stdout, stderr: stderr.trim() });
      }),
    );
  });

  it("is refused when it was cut anywhere", () => {
    fc.assert(
      fc.property(probes, fc.double({ min: 0, max: 0.999, noNaN: true }), (written, share) => {
        const whole = encode(written);
        const cut = whole.subarray(0, Math.floor(whole.length * share));
        expect(() => Records.parse(cut)).toThrow(/^the observation (was cut short|has a line that is not a record: )/);
      }),
    );
  });

  it("is refused with bytes too many", () => {
    const whole = encode([{ name: "a", status: 0, stdout: "x", stderr: "" }]);
    expect(() => Records.parse(Buffer.concat([whole, Buffer.from("y")]))).toThrow("the observation was cut short");
  });

  it.each([
    ["nothing", ""],
    ["what a login shell prints", "Welcome to web1!\n"],
    ["a line that is none", "docker-info zero 1 0\n\nx"],
  ])("is refused as %s", (_, printed) => {
    expect(() => Records.parse(Buffer.from(printed))).toThrow(/^the observation /);
  });
});

describe("a probe", () => {
  const records = Records.parse(
    encode([
      { name: "right", status: 0, stdout: "12\n", stderr: "a warning" },
      { name: "failed", status: 1, stdout: "half", stderr: "first\ncat: /x: Permission denied\n" },
      { name: "silent", status: 124, stdout: "", stderr: "" },
      { name: "file:/etc/a b", status: 0, stdout: "", stderr: "" },
    ]),
  );

  it.each([
    ["right", { known: true, value: "12\n" }],
    // What a probe printed before it failed is no answer.
    ["failed", { known: false, reason: "cat: /x: Permission denied" }],
    ["silent", { known: false, reason: "silent ended with exit status 124" }],
    ["other", { known: false, reason: "other was not asked for" }],
    ["file:/etc/a b", { known: true, value: "" }],
  ])("%s", (name, fact) => {
    expect(records.text(name)).toEqual(fact);
  });

  it("whose text no parser takes is unknown, with one line of why", () => {
    const fact = records.parsed("right", () => {
      throw new Error("not a table\n  at line 1");
    });
    expect(fact).toEqual({ known: false, reason: "right printed something unexpected: not a table" });
  });

  it("is found by the beginning of its name", () => {
    expect(records.under("file:").map(([name]) => name)).toEqual(["/etc/a b"]);
  });
});
