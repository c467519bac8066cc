/**
 * One comment a stack on the pull request, updated in place: `node .github/scripts/comment.mjs FOLDER`.
 *
 * Nobody is told that nothing would happen; a comment that is there is brought up to date all the same.
 */

import { api, bodyOf, each, env, findOurs } from "./github.mjs";
import { readReports } from "./reports.mjs";

const comments = `issues/${Number(env("PULL_REQUEST"))}/comments`;

await each(readReports(process.argv[2] ?? "report"), async (report) => {
  const { stack, code, marker } = report;
  const body = bodyOf(report);
  const old = await findOurs(comments, marker);
  if (old?.body === body) console.log(`${stack}: the comment says so already`);
  else if (old) {
    await api(`issues/comments/${old.id}`, { method: "PATCH", body: { body } });
    console.log(`${stack}: the comment is updated`);
  } else if (code === 0) console.log(`${stack}: every host is as declared; no comment`);
  else {
    await api(comments, { method: "POST", body: { body } });
    console.log(`${stack}: commented`);
  }
});
