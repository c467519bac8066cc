/**
 * Makes docs/report.png, of the hosts recorded in test/fixtures: `node scripts/report/screenshot.ts`, after a change of the page.
 * Needs a browser (npm run setup) and the recordings, so it is for this repository only.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { renderHtml } from "../../src/report/html.ts";
import { buildReport } from "../../src/report/model.ts";
import { startBrowser } from "../../test/support/browser.ts";
import { recorded } from "../../test/support/recorded.ts";
import { noPlugin, now, seen } from "../../test/support/report.ts";

const report = buildReport([seen("web1", recorded("default")), { ...seen("web2", recorded("hardened"), { "2.12": noPlugin }), address: "ops@192.0.2.11:22" }], { stack: "prod", now });
const folder = mkdtempSync(join(tmpdir(), "drydock-report-"));
const browser = await startBrowser();
try {
  const file = join(folder, "report.html");
  writeFileSync(file, renderHtml(report));
  const page = await browser.newPage({ viewport: { width: 1200, height: 1290 } });
  await page.goto(pathToFileURL(file).href);
  await page.getByLabel("Text").fill("default bridge");
  await page.locator("tr.control:visible summary").first().click();
  await page.screenshot({ path: join(import.meta.dirname, "../../docs/report.png") });
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
