/**
 * One issue a stack: `node .github/scripts/issue.mjs FOLDER`. Opened when there is drift or an error, kept up to date, closed when every
 * host is as declared.
 */

import { api, bodyOf, each, findOurs } from "./github.mjs";
import { readReports } from "./reports.mjs";

await each(readReports(process.argv[2] ?? "report"), async (report) => {
  const { stack, code, marker } = report;
  const body = bodyOf(report);
  const old = await findOurs("issues?state=open", marker);
  if (old && code === 0) {
    await api(`issues/${old.number}/comments`, { method: "POST", body: { body: "Every host is as declared again." } });
    await api(`issues/${old.number}`, { method: "PATCH", body: { state: "closed", state_reason: "completed" } });
    console.log(`${stack}: issue ${old.number} is closed`);
  } else if (old) {
    await api(`issues/${old.number}`, { method: "PATCH", body: { body } });
    console.log(`${stack}: issue ${old.number} is updated`);
  } else if (code === 1 || code === 3) {
    const made = await api("issues", { method: "POST", body: { title: `Drydock: stack ${stack} is not as declared`, body } });
    console.log(`${stack}: issue ${made.number} is opened`);
  } else console.log(`${stack}: no drift; no issue`);
});
