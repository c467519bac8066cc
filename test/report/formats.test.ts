import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { convert } from "xmlbuilder2";
import { codeBlock, plain, renderMarkdown } from "../../src/report/markdown.ts";
import type { Observation, Process } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { formats, renderers } from "../../src/report/formats.ts";
import { buildReport, type Report } from "../../src/report/model.ts";
import { container } from "../support/observation.ts";
import { recorded } from "../support/recorded.ts";
import { now, recordedReport, seen, unreachable } from "../support/report.ts";

const report = recordedReport();

describe("Markdown", () => {
  const text = renderMarkdown(report);

  it("begins with the fleet", () => {
    expect(text.split("\n").slice(0, 8)).toEqual([
      "# CIS Docker Benchmark 1.6.0, stack prod",
      "",
      "3 hosts, 1 unreachable. Controls: 23 fail, 1 waived, 3 manual, 66 pass, 27 not applicable. 2026-11-23T12:00:00.000Z",
      "",
      "| host | fail | unknown | pending | waived | manual | pass | not applicable |",
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
      "| web1 | 22 | 0 | 0 | 0 | 2 | 21 | 15 |",
      "| web2 | 1 | 0 | 0 | 1 | 1 | 45 | 12 |",
    ]);
  });

  it("has unreachable hosts in a section of their own", () => {
    expect(text).toContain("## Unreachable\n\nNothing is known of these hosts, and none of their controls is counted.\n\n- **db1** (ops@192.0.2.12:22): ops@192.0.2.12: connect to host 192.0.2.12 port 22: No route to host\n");
    expect(text).toContain("| db1 | ? | ? | ? | ? | ? | ? | ? |");
  });

  it("says what a waiver does", () => {
    expect(text).toContain("the waiver expired on 2026-10-31: no plugin yet |");
    expect(text).toContain("| **waived** | authorization-plugins: the files say none, the running daemon has none; waived until 2027-03-31: no plugin yet |");
    expect(text).toContain("the waiver until 2027-03-31 is not needed: no plugin yet |");
  });

  it("has rows of one width, whatever a host says", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (said) => {
        const cells = renderMarkdown(withText(said)).split("\n").filter((line) => line.startsWith("| 1.1.1 ")).map((line) => line.replaceAll(/\\./g, "").split("|").length);
        expect(cells).toEqual([9]);
      }),
    );
  });

  it.each([
    ["a | b", String.raw`a \| b`],
    ["<img src=x>", "&#60;img src=x&#62;"],
    ["[a](javascript:b)", String.raw`\[a\](javascript:b)`],
    ["see https://evil.example and @everyone, ops@host", "see https&#58;//evil.example and &#64;everyone, ops@host"],
    ["# a\n- b", String.raw`\# a - b`],
    ["1. one", String.raw`1\. one`],
    ["20.10.24", "20.10.24"],
  ])("shows %o as it is", (said, shown) => {
    expect(plain(said)).toBe(shown);
  });

  it("keeps a block open until its own end", () => {
    expect(codeBlock("```\nnot the end")).toBe("````text\n```\nnot the end\n````");
  });
});

describe("JSON", () => {
  it("is the report itself", () => {
    expect(JSON.parse(renderers.json(report))).toEqual(JSON.parse(JSON.stringify(report)));
    expect(report).toMatchObject({ format: "drydock-report", version: 1 });
  });
});

describe("JUnit", () => {
  interface Suite {
    "@name": string;
    "@tests": string;
    "@failures": string;
    "@errors": string;
    "@skipped": string;
    testcase: Record<string, unknown>[] | Record<string, unknown>;
  }
  const parsed = (of: Report) => (convert(renderers.junit(of), { format: "object" }) as unknown as { testsuites: Record<string, string> & { testsuite: Suite[] | Suite } }).testsuites;
  const suites = [parsed(report).testsuite].flat();

  it("has a suite a host, with what it counts in it", () => {
    expect(suites.map((suite) => [suite["@name"], suite["@tests"], suite["@failures"], suite["@errors"], suite["@skipped"]])).toEqual([
      ["web1", "60", "22", "0", "17"],
      ["web2", "60", "1", "0", "14"],
      ["db1", "1", "0", "1", "0"],
    ]);
    for (const suite of suites) {
      const cases = [suite.testcase].flat();
      const count = (kind: string) => String(cases.filter((each) => kind in each).length);
      expect([String(cases.length), count("failure"), count("error"), count("skipped")]).toEqual([suite["@tests"], suite["@failures"], suite["@errors"], suite["@skipped"]]);
    }
    expect(parsed(report)).toMatchObject({ "@tests": "121", "@failures": "23", "@errors": "1", "@skipped": "31" });
  });

  it("skips what is waived, and says until when", () => {
    const waived = [suites[1]?.testcase ?? []].flat().find((each) => String(each["@name"]).startsWith("2.12 "));
    expect(waived).toMatchObject({ skipped: { "@message": "waived: authorization-plugins: the files say none, the running daemon has none; waived until 2027-03-31: no plugin yet" } });
  });

  it("is well-formed, whatever a host says", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (said) => {
        const [suite] = [parsed(withText(said)).testsuite].flat();
        expect([suite?.testcase ?? []].flat()[0]?.["@name"]).toBe("1.1.1 a separate partition for containers has been created");
        expect(renderers.junit(withText(said))).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
      }),
    );
  });
});

describe("SARIF", () => {
  interface Log {
    $schema: string;
    version: string;
    runs: [{ tool: { driver: { rules: { id: string; help: { text: string } }[] } }; results: { ruleId: string; ruleIndex: number; level: string; message: { text: string }; suppressions?: object[]; partialFingerprints: object }[]; invocations: object[] }];
  }
  const log = JSON.parse(renderers.sarif(report)) as Log;
  const [run] = log.runs;

  it("has a rule for each control, with help", () => {
    expect(log).toMatchObject({ version: "2.1.0" });
    expect(run.tool.driver.rules).toHaveLength(61);
    expect(run.tool.driver.rules.find(({ id }) => id === "CIS-2.2")?.help.text).toBe("Ensure that network traffic is restricted between containers on the default bridge. In the stack file: daemon.icc.");
  });

  it("has a result for what fails, and for what is waived one that is suppressed", () => {
    expect(run.results.filter(({ ruleId }) => ruleId !== "unreachable")).toHaveLength(24);
    expect(run.results.filter(({ suppressions }) => suppressions)).toMatchObject([{ ruleId: "CIS-2.12", suppressions: [{ kind: "external", status: "accepted", justification: "until 2027-03-31: no plugin yet" }] }]);
    for (const { ruleId, ruleIndex } of run.results) expect(run.tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
    expect(new Set(run.results.map(({ partialFingerprints }) => JSON.stringify(partialFingerprints))).size).toBe(run.results.length);
  });

  it("says which host could not be read", () => {
    expect(run.invocations).toMatchObject([{ executionSuccessful: false, toolExecutionNotifications: [{ level: "error", message: { text: `db1 could not be read: ${unreachable.reason}` } }] }]);
  });

  it("has a result for a host that could not be read: a missing one would pass for mended", () => {
    const [alone] = (JSON.parse(renderers.sarif(buildReport([unreachable], { stack: "prod", now }))) as Log).runs;
    expect(alone.results).toMatchObject([{ ruleId: "unreachable", level: "error", message: { text: `db1: could not be read: ${unreachable.reason}` }, partialFingerprints: { "hostAndControl/v1": "db1/unreachable" } }]);
    // The rules are those of the benchmark, whoever was seen.
    expect(alone.tool).toEqual(run.tool);
    expect(alone.tool.driver.rules[alone.results[0]?.ruleIndex ?? -1]?.id).toBe("unreachable");
  });

  it("has a result for each control that is unknown", () => {
    const blind = buildReport([seen("web1", { ...recorded("hardened"), auditRules: unknown("auditctl is not there") })], { stack: "prod", now });
    const [{ results }] = (JSON.parse(renderers.sarif(blind)) as Log).runs;
    const warnings = results.filter(({ level }) => level === "warning");
    expect(blind.total.unknown).toBeGreaterThan(0);
    expect(warnings).toHaveLength(blind.total.unknown);
    expect(warnings[0]).toMatchObject({ ruleId: expect.stringMatching(/^CIS-1\.1\./) as unknown, message: { text: expect.stringContaining("auditctl is not there") as unknown } });
  });

});

describe("whatever the format", () => {
  const bad = "token=SEKRIT \u001b]52;c;Zm9v\u0007 \u202e";
  const observation = recorded("default");
  const hostile: Observation = {
    ...observation,
    os: `os ${bad}`,
    kernel: `kernel ${bad}`,
    dockerGroup: known([`member ${bad}`]),
    processes: { ...observation.processes, docker: { ...observation.processes.docker, command: ["dockerd", "--log-opt", "splunk-token=SEKRIT", `--label=${bad}`] } as Process },
    containers: known([container(`web ${bad}`, { user: `root ${bad}` })]),
  };
  const hosts = buildReport([seen("web1", hostile), { ...unreachable, reason: `no route ${bad}` }], { stack: "prod", now });

  it.each(formats)("%s shows no secret of a host, and sends a terminal nothing to act on", (format) => {
    const rendered = renderers[format](hosts);
    // As whoever reads it finds it, e.g. with jq.
    const text = format === "json" || format === "sarif" ? textsIn(JSON.parse(rendered)).join("\n") : rendered;
    expect(text).toMatch(/no route token(=|&#x3D;)\(hidden\)/);
    // The others leave out what passes, and with it what dockerd was started with.
    if (format === "html" || format === "json") expect(text).toMatch(/splunk-token(=|&#x3D;)\(hidden\)/);
    expect(text).not.toContain("SEKRIT");
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
  });

  it.each(formats)("%s hides nothing that Drydock itself says", (format) => {
    expect(renderers[format](report)).not.toContain("(hidden)");
  });
});

const textsIn = (value: unknown): string[] => (typeof value === "string" ? [value] : typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : []);

/** One host that says this wherever a host says something. */
function withText(said: string): Report {
  const [host] = report.hosts;
  if (!host?.reachable) throw new Error("web1 was not seen");
  const controls = host.controls.slice(0, 1).map((control) => ({ ...control, declared: said, onDisk: said, inEffect: said, evidence: said, proof: [{ command: said, printed: said }] }));
  return { ...report, hosts: [{ ...host, os: said, kernel: said, engine: said, pending: [said], controls, containers: { known: false, reason: said } }] };
}
