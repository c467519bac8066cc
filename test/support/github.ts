/** As much of GitHub's API, on loopback, as our workflows use: comments and issues, in pages. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Post {
  id: number;
  number: number;
  body: string;
  title?: string;
  state: "open" | "closed";
  user: { login: string };
  /** Of a comment: the issue or pull request that it is on. */
  on?: number;
}

export class FakeGitHub {
  readonly posts: Post[] = [];
  /** Every request that changed something, e.g. `POST issues`. */
  readonly writes: string[] = [];
  readonly token = "the-token-of-the-job";
  /** Requests that fail, e.g. `POST issues`, and how many have. */
  failing: RegExp | undefined;
  refused = 0;
  #server: Server | undefined;

  async start(): Promise<this> {
    this.#server = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => (text += chunk.toString()));
      request.on("end", () => {
        const { status, body } = this.#answer(request.method ?? "", new URL(request.url ?? "", "http://localhost"), request.headers.authorization, text);
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      });
    });
    await new Promise<void>((resolve) => this.#server?.listen(0, "127.0.0.1", resolve));
    return this;
  }

  /** What the runner's environment says of GitHub. */
  get environment(): Record<string, string> {
    const { port } = this.#server?.address() as AddressInfo;
    return { GITHUB_API_URL: `http://127.0.0.1:${port}`, GITHUB_SERVER_URL: "https://github.example", GITHUB_REPOSITORY: "ops/fleet", GITHUB_RUN_ID: "77" };
  }

  add(post: Partial<Post> & { body: string }): Post {
    const id = this.posts.length + 1;
    const made: Post = { id, number: id, state: "open", user: { login: "github-actions[bot]" }, ...post };
    this.posts.push(made);
    return made;
  }

  stop(): void {
    this.#server?.close();
  }

  // --- Internal ---

  #answer(method: string, url: URL, authorization: string | undefined, text: string): { status: number; body: unknown } {
    const path = url.pathname.replace(/^\/repos\/ops\/fleet\//, "");
    if (authorization !== `Bearer ${this.token}`) return { status: 401, body: { message: "Bad credentials" } };
    const given = (text === "" ? {} : JSON.parse(text)) as Partial<Post>;
    if (Buffer.byteLength(given.body ?? "") > 65_536) return { status: 422, body: { message: "body is too long (maximum is 65536 characters)" } };
    if (this.failing?.test(`${method} ${path}`)) {
      this.refused++;
      return { status: 500, body: { message: "Server Error" } };
    }
    if (method !== "GET") this.writes.push(`${method} ${path}`);
    const [, issue, isComments, comment] = /^issues(?:\/(\d+)(\/comments)?|\/comments\/(\d+))?$/.exec(path) ?? [];
    const on = issue === undefined ? undefined : Number(issue);
    if (method === "GET" && isComments) return { status: 200, body: page(this.posts.filter((post) => post.on === on), url) };
    if (method === "GET" && path === "issues") return { status: 200, body: page(this.posts.filter((post) => post.on === undefined && post.state === url.searchParams.get("state")), url) };
    if (method === "POST" && isComments && on !== undefined) return { status: 201, body: this.add({ body: given.body ?? "", on }) };
    if (method === "POST" && path === "issues") return { status: 201, body: this.add({ body: given.body ?? "", title: given.title ?? "" }) };
    const post = this.posts.find(({ id }) => id === Number(comment ?? issue));
    if (method === "PATCH" && post) return { status: 200, body: Object.assign(post, given) };
    return { status: 404, body: { message: "Not Found" } };
  }
}

const page = (posts: Post[], url: URL): Post[] => {
  const size = Number(url.searchParams.get("per_page") ?? 30);
  const from = (Number(url.searchParams.get("page") ?? 1) - 1) * size;
  return posts.slice(from, from + size);
};
