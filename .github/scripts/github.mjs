/** As much of GitHub's API as the workflows need, with nothing but Node: the job that may write runs no code but this. */

/** GitHub's own limit is 65,536 characters. */
const LIMIT = 65_536;

/**
 * @param {string} path below the repository, e.g. `issues/1/comments`
 * @param {{ method?: string, body?: object }} [options]
 * @returns {Promise<any>}
 */
export async function api(path, { method = "GET", body } = {}) {
  const url = `${env("GITHUB_API_URL")}/repos/${env("GITHUB_REPOSITORY")}/${path}`;
  const response = await fetch(url, {
    method,
    headers: { "authorization": `Bearer ${env("GITHUB_TOKEN")}`, "accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28", "content-type": "application/json", "user-agent": "drydock" },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: GitHub answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
  return response.json();
}

/**
 * The first one of a list, over all its pages, that is ours and begins with the marker. Anybody can write the marker: what is not by us is
 * never touched, and further below it may be text from a host.
 *
 * @param {string} path
 * @param {string} marker
 * @returns {Promise<{ id: number, number: number, body: string } | undefined>}
 */
export async function findOurs(path, marker) {
  const author = process.env.DRYDOCK_AUTHOR || "github-actions[bot]";
  for (let page = 1; ; page++) {
    const list = await api(`${path}${path.includes("?") ? "&" : "?"}per_page=100&page=${page}`);
    const ours = list.find((/** @type {any} */ one) => one.user?.login === author && !one.pull_request && one.body?.startsWith(marker));
    if (ours || list.length < 100) return ours;
  }
}

/**
 * What is to be posted about a stack, below a marker by which it is found again.
 *
 * @param {import("./reports.mjs").StackReport} report
 */
export function bodyOf({ stack, marker, markdown }) {
  const run = `${env("GITHUB_SERVER_URL")}/${env("GITHUB_REPOSITORY")}/actions/runs/${env("GITHUB_RUN_ID")}`;
  const link = `[The run](${run}) has the whole report in all formats.`;
  const broken = `${marker}\n### Drydock: stack \`${stack}\`\n\n**Nobody knows how its hosts are: the report could not be made, or is too large.**`;
  const text = markdown?.startsWith(marker) ? markdown.trimEnd() : broken;
  const body = `${text}\n\n${link}\n`;
  return Buffer.byteLength(body) <= LIMIT ? body : `${broken}\n\n${link}\n`;
}

/**
 * Each stack, whatever becomes of the others: what can't be posted of one must not silence the rest.
 *
 * @param {import("./reports.mjs").StackReport[]} reports
 * @param {(report: import("./reports.mjs").StackReport) => Promise<void>} post
 */
export async function each(reports, post) {
  for (const report of reports) {
    try {
      await post(report);
    } catch (error) {
      console.error(`${report.stack}: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
}

/** @param {string} name */
export function env(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}
