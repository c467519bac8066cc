import fc from "fast-check";
import { micromark } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";
import { parseFragment, type DefaultTreeAdapterMap } from "parse5";
import { describe, expect, it } from "vitest";
import { code, commentLimit, fence, marker, renderMarkdown } from "../../src/drift/markdown.ts";
import { reportOn, type DriftReport } from "../../src/drift/report.ts";
import { hostReport, recordedReport, report } from "../support/drift.ts";

type Node = DefaultTreeAdapterMap["node"];

interface Page {
  /** Text that a reader of Markdown may take for more than text. */
  prose: string;
  /** The text of each code block and code span. */
  code: string[];
  elements: Set<string>;
  /** Of the table. */
  rows: string[][];
}

/** As GitHub's own renderer does it, raw HTML included: what our page may not contain must not be left to its sanitizer. */
function rendered(markdown: string): Page {
  const html = micromark(markdown, { extensions: [gfm()], htmlExtensions: [gfmHtml()], allowDangerousHtml: true, allowDangerousProtocol: true });
  const page: Page = { prose: "", code: [], elements: new Set(), rows: [] };
  walk(parseFragment(html), page);
  return page;
}

function walk(node: Node, page: Page): void {
  if ("tagName" in node) page.elements.add(node.tagName);
  if ("tagName" in node && node.tagName === "tr") page.rows.push(node.childNodes.filter((child) => "tagName" in child).map(textOf));
  if ("tagName" in node && node.tagName === "code") page.code.push(textOf(node));
  else if ("value" in node) page.prose += node.value;
  else if ("childNodes" in node) for (const child of node.childNodes) walk(child, page);
}

const textOf = (node: Node): string => ("value" in node ? node.value : "childNodes" in node ? node.childNodes.map(textOf).join("") : "");

const ours = new Set(["h3", "h4", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "code", "pre", "ul", "li", "details", "summary", "blockquote"]);

function assertHarmless(markdown: string): Page {
  const page = rendered(markdown);
  expect([...page.elements].filter((name) => !ours.has(name))).toEqual([]);
  expect(page.prose).not.toMatch(/@\w|https?:|#\d|\]\(/);
  return page;
}

const hostile = [
  "```\n# not a heading\n@org/team https://evil.example\n```",
  "````\n</details><script>alert(1)</script>",
  "``a`` ` @mention fixes #12",
  "</code></summary></details> ![x](https://evil.example/x.png)",
  "| a | b |\n| --- | --- |\n\n<!-- --> [link](https://evil.example)",
  "~~~\n- [ ] task\n\n1. one\n    indented",
  "\\`\\` \\| &lt;b&gt; <b>bold</b>",
  "$(id)\r\n\t@tab",
];

describe("content of a host", () => {
  const host = (text: string) =>
    hostReport({
      name: "web1",
      is: ["unread", "refused", "failed", "drift", "change", "pending"],
      unread: text,
      refused: [text],
      errors: [text],
      drift: [{ title: text, places: [text], text }],
      change: [{ title: text, places: [], text }],
      pending: [text],
      notes: [text],
    });

  it.each(hostile)("stays text: %j", (text) => {
    const page = assertHarmless(renderMarkdown(report([host(text)], { problems: [text], warnings: [text], others: [{ op: "create", type: text, name: text }] })));
    // As blocks, it is there to the letter.
    const blocks = page.code.filter((one) => one.includes("\n"));
    expect(blocks.filter((one) => one === `${text.replaceAll("\r\n", "\n")}\n`).length).toBeGreaterThanOrEqual(4);
  });

  it("stays text in the name of a host and of a stack", () => {
    for (const name of ["a`b|c", "``", "<b>@org</b>", "a\nb"]) {
      const page = assertHarmless(renderMarkdown(report([{ ...host("x"), name }], { stack: name })));
      expect(page.rows.at(-1)?.[0]).toBe(name.replace("\n", " "));
      expect(page.rows.at(-1)?.[2]).toBe("not known");
    }
  });

  it("stays text, whatever it is", () => {
    const text = fc.array(fc.oneof(fc.constantFrom("`", "```", "\n", "\n\n", "|", "@org", "<", ">", "</details>", "~~~", "    ", "- ", "https://x.example", "#1", "\\", "&amp;", "<!--", "-->"), fc.string({ unit: "grapheme", maxLength: 6 })), { maxLength: 30 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, (content) => {
        // Through the report, as in life: it makes control characters visible.
        const made = reportOn({ hosts: [{ name: "web1", isNew: false, goes: false, unread: content, drift: [{ place: `files.${content}`, from: "a\n", to: content }], change: [], refused: [content], errors: [content], pending: [content], notes: [content], outlook: content }], others: [], problems: [content], warnings: [content] }, { stack: "prod" });
        assertHarmless(renderMarkdown(made));
      }),
      { numRuns: 150 },
    );
  });

  it.each(["", "`", "``` ` ``", " a ", "a\n\n b"])("is the same in code: %j", (text) => {
    const line = text.replaceAll(/\s*\n\s*/g, " ").trim();
    expect(rendered(code(text)).code).toEqual(line === "" ? [] : [line]);
    expect(rendered(fence(text)).code).toEqual([`${text}\n`]);
  });
});

describe("the page", () => {
  it("has a table, and a diff of each host below what it is about", () => {
    const page = assertHarmless(renderMarkdown(recordedReport("mixed")));
    expect(page.prose).toMatch(/1 host could not be read, 1 host drifted, 2 hosts would change[^]*Could not be read[^]*Drift[^]*Change/);
    expect(page.code).toEqual(expect.arrayContaining(["prod", "light1", "light2", expect.stringContaining("+LimitCORE=infinity"), expect.stringContaining('+"debug": true')]));
    expect(page.prose).not.toContain("Left out");
  });

  it("never says that a host which could not be read has not drifted", () => {
    const row = renderMarkdown(recordedReport("mixed")).split("\n").find((line) => line.startsWith("| `light2`"));
    expect(row).toBe("| `light2` | could not be read | not known |  | not known |");
  });

  it("says that all is well", () => {
    expect(renderMarkdown(report([hostReport()]))).toBe("<!-- drydock:drift:prod -->\n### Drydock: stack `prod`\n\n**The one host is as declared.**\n");
  });

  it("begins with a marker that no name of a stack can end", () => {
    expect(marker("org/app/prod")).toBe("<!-- drydock:drift:org/app/prod -->");
    expect(marker("a--><b>--")).toBe("<!-- drydock:drift:a___b__ -->");
  });
});

describe("a page that would be too large", () => {
  const diff = (lines: number) => Array.from({ length: lines }, (_, i) => `+line ${i} of a long file ✓`).join("\n");
  const fleet = (count: number, lines: number): DriftReport => report(Array.from({ length: count }, (_, i) => hostReport({ name: `web${i + 1}`, is: ["drift"], drift: [{ title: "/a", places: ["files./a"], text: diff(lines) }, { title: "/b", places: ["files./b"], text: diff(5) }] })));

  it.each([[1, 5000], [40, 300], [400, 20], [3000, 2]])("ends below GitHub's limit: %i hosts with %i lines", (count, lines) => {
    const text = renderMarkdown(fleet(count, lines));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(commentLimit);
    assertHarmless(text);
    if (count > 1) expect(text).toMatch(/\n> \*\*Left out for its size:\*\* .*`npm run drift -- prod` shows all of it\.\n$/);
    else expect(text).toContain("… cut here");
  });

  it("is cut between diffs, and says what is missing", () => {
    const text = renderMarkdown(fleet(2, 30), { limit: 2600 });
    expect(text).toContain("> **Left out for its size:** 2 diffs of `web2`.");
    expect(rendered(text).code.filter((one) => one.includes("line 29"))).toHaveLength(1);
  });

  it("shows what can't be read before anything else", () => {
    const hosts = [...fleet(400, 200).hosts, hostReport({ name: "gone1", is: ["unread"], unread: "timed out" })];
    expect(renderMarkdown(report(hosts))).toContain("`gone1`\n\n- `timed out`");
  });

  it("keeps to any limit, and is harmless when cut anywhere", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1500, max: 20_000 }), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 80 }), (limit, count, lines) => {
        const text = renderMarkdown(fleet(count, lines), { limit });
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limit);
        assertHarmless(text);
      }),
      { numRuns: 40 },
    );
  });
});
