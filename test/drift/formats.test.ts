import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import Ajv from "ajv";
import fc from "fast-check";
import { parse, type DefaultTreeAdapterMap } from "parse5";
import { SaxesParser } from "saxes";
import { describe, expect, it } from "vitest";
import { controlOf } from "../../src/drift/controls.ts";
import { formatOf, formats } from "../../src/drift/formats.ts";
import { renderHtml } from "../../src/drift/html.ts";
import { renderJunit } from "../../src/drift/junit.ts";
import { reportOn, type DriftReport } from "../../src/drift/report.ts";
import { renderSarif } from "../../src/drift/sarif.ts";
import { hostLines } from "../../src/drift/stack-file.ts";
import { renderText } from "../../src/drift/text.ts";
import { context, hostReport, recordedReport, report } from "../support/drift.ts";

/** Anything that a host may have in its files, as it gets into a report. */
const anyReport = fc.string({ unit: "binary", maxLength: 40 }).map((text) =>
  reportOn({ hosts: [{ name: text, isNew: false, goes: false, drift: [{ place: `files.${text}`, from: undefined, to: text }], change: [{ place: `daemon.${text}`, from: text, to: [text] }], refused: [text], errors: [text], pending: [text], notes: [text] }], others: [{ op: text, type: text, name: text }], problems: [text], warnings: [text] }, { stack: "prod" }),
);

describe("the ending of a file", () => {
  it.each([["a.txt", "text"], ["a.md", "md"], ["a.json", "json"], ["a.xml", "junit"], ["a.sarif", "sarif"], ["a.sarif.json", "sarif"], ["a.html", "html"], ["a.pdf", undefined], ["md", undefined]])("%s means %s", (file, format) => {
    expect(formatOf(file)).toBe(format);
  });
});

describe("text", () => {
  it("has a table, then what is behind it", () => {
    const text = renderText(recordedReport("after-a-failed-update"));
    expect(text).toMatchInlineSnapshot(`
      "Stack prod: 1 host drifted; 2 of 3 hosts are as declared

      ┌────────┬─────────────┬─────────┬────────┬─────────┐
      │ Host   │ Is          │ Drift   │ Change │ Pending │
      ├────────┼─────────────┼─────────┼────────┼─────────┤
      │ light1 │ drift       │ 1 place │        │         │
      ├────────┼─────────────┼─────────┼────────┼─────────┤
      │ light2 │ as declared │         │        │         │
      ├────────┼─────────────┼─────────┼────────┼─────────┤
      │ light3 │ as declared │         │        │         │
      └────────┴─────────────┴─────────┴────────┴─────────┘

      Drift. What somebody did on the hosts: - is what the last update left, + is what is there now. An update takes it back.

        light1
          --- /etc/systemd/system/docker.service.d/50-drydock.conf
          +++ /etc/systemd/system/docker.service.d/50-drydock.conf
          @@ -3,2 +3,3 @@
           LimitNOFILE=4096
           OOMScoreAdjust=100
          +LimitCORE=infinity

      Notes. What else there is to say of hosts that the stack file leaves as they were.

        light1
          what the update costs there: nothing restarts
      "
    `);
  });

  it("is colored only where somebody asks for it", () => {
    expect(renderText(recordedReport("mixed"))).not.toContain("\u001b");
    expect(renderText(recordedReport("mixed"), { color: true })).toContain("\u001b[32m+LimitCORE=infinity");
  });
});

describe("notes", () => {
  const note = "the last update was taken back by the host itself";

  it.each(Object.entries(formats))("stand once in %s, whether or not the host would change", (_, { render }) => {
    for (const is of [[], ["drift"], ["change"], ["unread", "change"]] as const) {
      const text = render(report([hostReport({ is: [...is], notes: [note], ...(is[0] === "unread" && { unread: "away" }) })]), context);
      expect(text.split(note)).toHaveLength(2);
    }
  });
});

describe("JSON", () => {
  it("is the report itself", () => {
    const made = recordedReport("mixed");
    expect(JSON.parse(formats.json.render(made, context))).toEqual(made);
    expect(Object.keys(made)).toEqual(["version", "stack", "exitCode", "summary", "problems", "warnings", "hosts", "others"]);
  });
});

interface Element {
  name: string;
  attributes: Record<string, string>;
  children: Element[];
  text: string;
}

/** Strict: what is not well-formed throws. */
function parseXml(xml: string): Element {
  const parser = new SaxesParser();
  const root: Element = { name: "", attributes: {}, children: [], text: "" };
  const open = [root];
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => {
    const element: Element = { name, attributes, children: [], text: "" };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on("text", (text) => {
    const element = open.at(-1);
    if (element) element.text += text;
  });
  parser.on("closetag", () => void open.pop());
  parser.write(xml).close();
  return root.children[0] ?? root;
}

describe("JUnit", () => {
  it("has a suite for each host, in which drift fails and change is skipped", () => {
    const suites = parseXml(renderJunit(recordedReport("mixed"))).children;
    expect(suites.map(({ attributes: { name, failures, errors } }) => [name, failures, errors])).toEqual([["light1", "1", "0"], ["light2", "0", "1"], ["light3", "0", "0"], ["light4", "0", "0"]]);
    const results = (suites[0]?.children ?? []).map(({ attributes, children }) => [attributes["name"], children[0]?.name]);
    expect(results).toEqual([
      ["can be read", undefined],
      ["drift: /etc/systemd/system/docker.service.d/50-drydock.conf", "failure"],
      ["change: /etc/docker/daemon.json", "skipped"],
      ["change: inEffect.daemon.debug", "skipped"],
      ["is not refused", undefined],
      ["is looked at without errors", undefined],
      ["nothing is pending", undefined],
    ]);
    expect(suites[0]?.children[1]?.children[0]?.text).toContain("\n+LimitCORE=infinity");
  });

  it("lets nothing pass of a host that could not be read", () => {
    const unread = parseXml(renderJunit(recordedReport("mixed"))).children[1];
    expect(unread?.children.map(({ children }) => children[0]?.name)).toEqual(["error", "skipped", "skipped", "skipped", "skipped", "skipped"]);
  });

  it("fails for what is pending only when the command does", () => {
    const pending = (exitCode: 0 | 4) => parseXml(renderJunit(report([hostReport({ is: ["pending"], pending: ["a reboot"] })], { exitCode }))).children[0]?.children.at(-1)?.children[0]?.name;
    expect([pending(0), pending(4)]).toEqual(["skipped", "failure"]);
  });

  it("says what went wrong besides the hosts", () => {
    const [first] = parseXml(renderJunit(recordedReport("mistake-in-the-stack-file"))).children;
    expect(first?.attributes).toMatchObject({ name: "preview", errors: "1" });
  });

  it("counts what is in it, and is well-formed whatever a host has in its files", () => {
    fc.assert(
      fc.property(anyReport, (made) => {
        const root = parseXml(renderJunit(made));
        const casesOf = ({ children }: Element) => children.filter(({ name }) => name === "testcase");
        const cases = root.children.flatMap(casesOf);
        expect(root.attributes).toMatchObject({ tests: String(cases.length), failures: String(cases.filter(({ children }) => children[0]?.name === "failure").length) });
        for (const suite of root.children) expect(suite.attributes["tests"]).toBe(String(casesOf(suite).length));
      }),
    );
  });
});

describe("SARIF", () => {
  const require = createRequire(import.meta.url);
  const ajv = new Ajv({ schemaId: "auto", meta: false, unknownFormats: "ignore" });
  ajv.addMetaSchema(require("ajv/lib/refs/json-schema-draft-04.json") as object);
  const validate = ajv.compile(JSON.parse(readFileSync(require.resolve("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"), "utf8")) as object);

  interface Log {
    runs: [{ results: { ruleId: string; ruleIndex: number; level: string; message: { text: string }; locations: [{ physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } }; logicalLocations: [{ fullyQualifiedName: string }] }]; partialFingerprints: Record<string, string> }[]; tool: { driver: { rules: { id: string; shortDescription: { text: string } }[] } }; invocations: [{ executionSuccessful: boolean; toolExecutionNotifications: unknown[] }] }];
  }

  function sarif(made: DriftReport): Log["runs"][0] {
    const log = JSON.parse(renderSarif(made, context)) as Log;
    validate(log);
    expect(validate.errors ?? []).toEqual([]);
    return log.runs[0];
  }

  it("has a result for each place, by control where it has one", () => {
    const { results } = sarif(report([hostReport({ is: ["drift", "change"], drift: [{ title: "/etc/docker/daemon.json", places: ["daemon.icc", "daemon.dns"], text: "-a\n+b" }, { title: "modes./etc/docker", places: ["modes./etc/docker"], text: "x" }], change: [{ title: "first update", places: [], text: "x" }] })]));
    expect(results.map(({ ruleId, level, locations: [{ logicalLocations }] }) => [ruleId, level, logicalLocations[0].fullyQualifiedName])).toEqual([
      ["drift/cis-2.2", "error", "web1:daemon.icc"],
      ["drift/daemon", "error", "web1:daemon.dns"],
      ["drift/cis-3.6", "error", "web1:modes./etc/docker"],
      ["change/first-update", "note", "web1:first update"],
    ]);
  });

  it("points to the host in the stack file", () => {
    const { results } = sarif(report([hostReport({ is: ["unread"], unread: "away" }), hostReport({ name: "web2", is: ["pending"], pending: ["a reboot"] })]));
    expect(results.map(({ locations: [{ physicalLocation }] }) => [physicalLocation.artifactLocation.uri, physicalLocation.region.startLine])).toEqual([["stacks/Pulumi.prod.yaml", 7], ["stacks/Pulumi.prod.yaml", 1]]);
  });

  it("names each rule once, and each result by it", () => {
    const { results, tool } = sarif(recordedReport("refused-and-removed"));
    const rules = tool.driver.rules.map(({ id }) => id);
    expect(new Set(rules).size).toBe(rules.length);
    expect(results.map(({ ruleIndex }) => rules[ruleIndex])).toEqual(results.map(({ ruleId }) => ruleId));
    expect(rules).toEqual(expect.arrayContaining(["unread", "refused", "change"]));
  });

  it("has the same fingerprint for the same place at another time", () => {
    const prints = (text: string) => sarif(report([hostReport({ is: ["drift"], drift: [{ title: "/a", places: ["files./a"], text }] })])).results.map(({ partialFingerprints }) => partialFingerprints);
    expect(prints("+a")).toEqual(prints("+b"));
  });

  it("says that a preview has failed", () => {
    expect(sarif(recordedReport("mistake-in-the-stack-file")).invocations[0]).toMatchObject({ executionSuccessful: false, toolExecutionNotifications: [{ level: "error" }] });
  });

  it("is valid whatever a host has in its files", () => {
    fc.assert(fc.property(anyReport, (made) => sarif(made).results.length > 0));
  });
});

describe("HTML", () => {
  type Node = DefaultTreeAdapterMap["node"];

  function elements(node: Node): DefaultTreeAdapterMap["element"][] {
    return [...("tagName" in node ? [node] : []), ...("childNodes" in node ? node.childNodes.flatMap(elements) : [])];
  }

  const page = (made: DriftReport) => elements(parse(renderHtml(made)));

  it("has a row for each host, and links that lead somewhere", () => {
    const all = page(recordedReport("mixed"));
    const ids = all.flatMap(({ attrs }) => attrs.filter(({ name }) => name === "id").map(({ value }) => `#${value}`));
    const links = all.filter(({ tagName }) => tagName === "a").map(({ attrs }) => attrs[0]?.value ?? "");
    expect(links).toHaveLength(3);
    expect(links.filter((link) => !ids.includes(link))).toEqual([]);
    expect(all.filter(({ tagName }) => tagName === "tr")).toHaveLength(5);
  });

  it("needs nothing else and runs nothing, whatever a host has in its files", () => {
    fc.assert(
      fc.property(fc.oneof(anyReport, fc.constant(report([hostReport({ name: '"><script>alert(1)</script>', is: ["unread"], unread: "<img src=x onerror=alert(1)>" })]))), (made) => {
        const all = page(made);
        expect(all.filter(({ tagName }) => ["script", "img", "link", "iframe", "object", "form", "base"].includes(tagName))).toEqual([]);
        expect(all.flatMap(({ attrs }) => attrs).filter(({ name, value }) => name.startsWith("on") || name === "src" || (name === "href" && !value.startsWith("#")))).toEqual([]);
      }),
    );
  });
});

it("finds the line of each host in a stack file", () => {
  expect(hostLines('config:\n  drydock:profile: strict\n  drydock:hosts:\n    web1:\n      connection: { host: a }\n    # the second\n    "web2": { connection: { host: b } }\n')).toEqual(new Map([["web1", 4], ["web2", 7]]));
  expect(hostLines("config: {}\n")).toEqual(new Map());
  expect(hostLines("a: [")).toEqual(new Map());
});

it.each([["daemon.icc", "2.2"], ["inEffect.daemon.live-restore", "2.15"], ["modes./etc/docker/daemon.json", "3.18"], ["files./etc/audit/rules.d/50-drydock.rules", undefined], ["daemon.dns", undefined]])("%s belongs to control %s", (place, id) => {
  expect(controlOf(place)?.id).toBe(id);
});
