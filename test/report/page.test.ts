/** The HTML page in a real browser. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { renderHtml } from "../../src/report/html.ts";
import { buildReport, verdicts, type Report } from "../../src/report/model.ts";
import { known } from "../../src/observed/records.ts";
import { startBrowser, whyNoBrowser } from "../support/browser.ts";
import { container, defaultHost } from "../support/observation.ts";
import { now, recordedReport, seen, unreachable } from "../support/report.ts";
import { temporaryFolder } from "../support/shell.ts";

const hostile = `</script></style></pre><img src=x onerror="alert(1)"><script>alert(2)</script>{{title}}"'><svg onload=alert(3)>`;

describe.skipIf(whyNoBrowser !== undefined)(`the page${whyNoBrowser === undefined ? "" : ` (skipped: ${whyNoBrowser})`}`, { timeout: 60_000 }, () => {
  let browser: Browser;
  /** What the browser complained about or asked for besides the page itself. */
  let trouble: string[] = [];

  beforeAll(async () => {
    browser = await startBrowser();
  }, 60_000);
  afterAll(() => browser.close());
  afterEach(() => {
    expect(trouble).toEqual([]);
    trouble = [];
  });

  const report = recordedReport();

  async function open(of: Report = report, options: BrowserContextOptions = {}): Promise<Page> {
    const file = join(temporaryFolder(), "report.html");
    writeFileSync(file, renderHtml(of));
    const url = pathToFileURL(file).href;
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
    page.on("console", (message) => trouble.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => trouble.push(`error: ${error.message}`));
    page.on("dialog", (dialog) => trouble.push(`dialog: ${dialog.message()}`));
    page.on("request", (request) => request.url() !== url && trouble.push(`request: ${request.url()}`));
    await page.goto(url);
    return page;
  }

  const shownRows = (page: Page) => page.locator("tr.control:visible").count();
  const shown = (page: Page) => page.locator("#shown").textContent();

  it("counts what the report counts, over all and by host", async () => {
    const page = await open();
    expect(await page.locator(".tile dd").allTextContents()).toEqual(verdicts.map((verdict) => String(report.total[verdict])));
    const rows = page.locator("table.fleet tbody tr");
    for (const [i, host] of report.hosts.entries()) {
      const cells = await rows.nth(i).locator("td.number").allTextContents();
      expect(cells).toEqual(host.reachable ? verdicts.map((verdict) => String(host.counts[verdict])) : []);
      if (host.reachable) for (const verdict of verdicts) expect(await page.locator(`#host-${i + 1} tr[data-verdict="${verdict === "not applicable" ? "na" : verdict}"]`).count()).toBe(host.counts[verdict]);
    }
    expect(await rows.nth(2).textContent()).toContain("unreachable");
    expect(await page.locator("#host-3").textContent()).toContain(unreachable.reason);
  });

  it("shows at first what applies, and then what is asked for", async () => {
    const page = await open();
    expect([await shownRows(page), await shown(page)]).toEqual([93, "93 of 120 controls"]);
    await page.getByLabel("Text").fill("live restore");
    expect([await shownRows(page), await shown(page)]).toEqual([2, "2 of 120 controls"]);
    await page.getByLabel("Host").selectOption({ label: "web2" });
    expect([await shownRows(page), await shown(page)]).toEqual([1, "1 of 120 controls"]);
    await page.getByLabel("Text").fill("");
    for (const verdict of ["unknown", "pending", "waived", "manual", "pass"]) await page.getByRole("checkbox", { name: verdict }).uncheck();
    expect(await page.locator("tr.control:visible .id").allTextContents()).toEqual(["1.1.1"]);
    await page.getByLabel("Text").fill("nothing says this");
    expect([await shownRows(page), await page.locator("#host-2 .nothing").isVisible()]).toEqual([0, true]);
    await page.getByLabel("Host").selectOption("");
    await page.getByLabel("Text").fill("");
    await page.getByRole("checkbox", { name: "not applicable" }).check();
    expect(await shownRows(page)).toBe(report.total.fail + report.total["not applicable"]);
  });

  it("has the evidence behind each control, one by one and all at once", async () => {
    const page = await open();
    const row = page.locator("#host-2 tr.control", { has: page.getByText("2.2", { exact: true }) });
    expect(await row.locator(".proof").first().isVisible()).toBe(false);
    await row.locator("summary").click();
    expect(await row.locator(".command").first().textContent()).toBe(`grep '"icc"' /etc/docker/daemon.json`);
    expect(await row.locator("pre").first().isVisible()).toBe(true);
    await page.getByRole("button", { name: "Show all evidence" }).click();
    expect(await page.locator("details:not([open])").count()).toBe(0);
    await page.getByRole("button", { name: "Hide all evidence" }).click();
    expect(await page.locator("details[open]").count()).toBe(0);
  });

  it("can be used by keyboard alone", async () => {
    const page = await open();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the controls");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.id")).toBe("text");
    await page.keyboard.type("2.12");
    expect(await shownRows(page)).toBe(2);
    for (let i = 0; i < 3; i++) await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.value")).toBe("fail");
    await page.keyboard.press("Space");
    expect(await shownRows(page)).toBe(1);
    await page.locator("#host-2 tr.control:visible summary").focus();
    await page.keyboard.press("Enter");
    expect(await page.locator("#host-2 tr.control:visible .proof").first().isVisible()).toBe(true);
  });

  it("has landmarks, headings in order, names for all it asks, and headers for every cell", async () => {
    const page = await open();
    for (const role of ["banner", "main", "search", "contentinfo"] as const) expect(await page.getByRole(role).count()).toBe(1);
    const levels = await ask<number[]>(page, `[...document.querySelectorAll("h1, h2, h3, h4, h5")].map(({ nodeName }) => Number(nodeName.slice(1)))`);
    expect(levels[0]).toBe(1);
    for (const [i, level] of levels.entries()) expect(level - (levels[i - 1] ?? 0)).toBeLessThanOrEqual(1);
    expect(await page.locator("th:not([scope])").count()).toBe(0);
    const ids = await ask<string[]>(page, `[...document.querySelectorAll("[id]")].map(({ id }) => id)`);
    expect(new Set(ids).size).toBe(ids.length);
    expect(await ask(page, `[...document.querySelectorAll("input, select, button")].filter((each) => (each.nodeName === "BUTTON" ? each.textContent === "" : each.labels.length === 0)).length`)).toBe(0);
    // What a colour says, a word says as well.
    for (const text of await page.locator("tr.control .badge").allTextContents()) expect(text).toMatch(/[a-z]{4}/);
  });

  it.each(["light", "dark"] as const)("can be read where people like it %s", async (colorScheme) => {
    const page = await open(report, { colorScheme });
    await page.getByRole("checkbox", { name: "not applicable" }).check();
    await page.getByRole("button", { name: "Show all evidence" }).click();
    const background = await ask<string>(page, "getComputedStyle(document.body).backgroundColor");
    const brightness = Math.max(...(background.match(/\d+/g) ?? []).map(Number));
    expect(colorScheme === "dark" ? brightness < 60 : brightness > 200).toBe(true);
    // WCAG 2.2, 1.4.3: 4.5 to 1.
    expect(await page.evaluate(faintTexts)).toEqual([]);
  });

  it("prints what is shown, with all evidence and without what only works on a screen", async () => {
    const page = await open(report, { colorScheme: "dark" });
    await page.emulateMedia({ media: "print" });
    expect(await page.locator("#filter").isVisible()).toBe(false);
    expect((await page.locator("#host-1 tr.control .proof").first().boundingBox())?.height).toBeGreaterThan(10);
    expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)");
    expect(await page.evaluate(faintTexts)).toEqual([]);
    expect((await page.pdf()).length).toBeGreaterThan(50_000);
  });

  it("fits a telephone", async () => {
    const page = await open(report, { viewport: { width: 390, height: 844 } });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  });

  it("says everything without its script", async () => {
    const page = await open(report, { javaScriptEnabled: false });
    expect(await shownRows(page)).toBe(120);
    expect(await page.locator("#filter").isVisible()).toBe(false);
  });

  it("runs nothing that a host says", async () => {
    const bad = container("web", { capAdd: [hostile], user: hostile, mounts: [{ Type: "bind", Source: "/etc", Destination: hostile, RW: true }], restartPolicy: hostile, ports: { [hostile]: [{ HostIp: "0.0.0.0", HostPort: "80" }] } });
    const host = seen(hostile, { ...defaultHost({ containers: known([{ ...bad, name: hostile }]) }), os: hostile, kernel: hostile, dockerGroup: known([hostile]) }, { "2.12": { reason: hostile, until: "2027-03-31" } });
    const page = await open(buildReport([host, { name: hostile, address: hostile, reason: hostile }], { stack: hostile, now }));
    expect(await page.locator("script, img, [onerror], [onload]").count()).toBe(1);
    expect(await page.locator("#host-1-name").textContent()).toBe(hostile);
    expect(await page.locator("#host-2 pre").textContent()).toBe(hostile);
    expect(await page.locator("#host-1 .advice h5").textContent()).toBe(hostile);
    await page.getByLabel("Text").fill("onerror");
    expect(await shownRows(page)).toBeGreaterThan(0);
  });
});

/** The page's own words: our sources know no names of a browser. */
const ask = <T>(page: Page, expression: string): Promise<T> => page.evaluate(expression);

/** Texts whose contrast with what is behind them is too weak, in the page. */
const faintTexts = `(() => {
  const parse = (color) => { const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number); return { r, g, b, a }; };
  const light = ({ r, g, b }) => { const [x, y, z] = [r, g, b].map((v) => { const c = v / 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }); return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
  const behind = (element) => { for (let at = element; at; at = at.parentElement) { const color = parse(getComputedStyle(at).backgroundColor); if (color.a === 1) return color; } return { r: 255, g: 255, b: 255 }; };
  const faint = [];
  for (const element of document.body.querySelectorAll("*")) {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.textContent.trim()).join("");
    if (!text || !element.checkVisibility() || element.closest("option, script, .skip")) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(element.className + ": " + text.slice(0, 40) + " " + ((a + 0.05) / (b + 0.05)).toFixed(2));
  }
  return [...new Set(faint)].slice(0, 10);
})()`;
