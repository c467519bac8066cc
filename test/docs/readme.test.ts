import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readFleet } from "../../src/config/fleet.ts";
import { renderHost } from "../../src/desired/render-host.ts";

const root = join(import.meta.dirname, "..", "..");
const pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map((name) => [name, readFileSync(join(root, name), "utf8")] as const);
const readme = readFileSync(join(root, "README.md"), "utf8");

describe("the stack files of the README", () => {
  const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBl0LuLnjpC1oeOfnhMGaqX+S1shj5PCH9P5WaimjC0l";
  const blocks = [...readme.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = ""]) => text.replaceAll("ssh-ed25519 AAAA…", key));

  it.each(blocks)("can be used as it stands: %#", (text) => {
    const { config = {}, ...hosts } = parse(text) as { config?: Record<string, unknown> };
    // One that shows a single layer has hosts alone, and leaves out how they are reached.
    for (const own of Object.values<Record<string, unknown>>(hosts)) own["connection"] ??= { host: "192.0.2.10" };
    if (Object.keys(hosts).length > 0) config["drydock:hosts"] = hosts;
    const fleet = readFleet(Object.fromEntries(Object.entries(config).map(([name, value]) => [name.replace("drydock:", ""), value])));
    expect([...fleet.hosts.values()].map((settings) => Object.keys(renderHost(settings).files))).not.toEqual([]);
  });

  it("are there", () => {
    expect(blocks).toHaveLength(7);
  });
});

describe("links", () => {
  it.each(pages)("%s names only files that are there", (_name, text) => {
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target = ""]) => target);
    expect(targets.filter((target) => !existsSync(join(root, target)))).toEqual([]);
  });

  it.each(pages)("%s names only headings that are there", (_name, text) => {
    const anchors = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => title.toLowerCase().replaceAll(/[^\w -]/g, "").replaceAll(" ", "-"));
    const targets = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, target = ""]) => target);
    expect(targets.filter((target) => !anchors.includes(target))).toEqual([]);
  });
});

it("names the files on a host where the templates put them", () => {
  const written = [...readme.matchAll(/`(\/etc\/[^`]*drydock[^`]*)`/g)].map(([, path = ""]) => path);
  expect(written.length).toBeGreaterThan(4);
  expect(written.filter((path) => !existsSync(join(root, "templates", `${path}.hbs`)))).toEqual([]);
});

it("explains messages that the sources print", () => {
  const table = /## Trouble\n([\s\S]*?)\n## /.exec(readme)?.[1] ?? "";
  const messages = [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, message = ""]) => message);
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const text = sources.map((name) => readFileSync(join(root, "src", name), "utf8")).join("\n");
  // This one is the engine's own.
  const ours = messages.filter((message) => message !== "incorrect passphrase");
  expect(ours.length).toBeGreaterThan(8);
  expect(ours.filter((message) => !message.split("…").every((part) => text.includes(part.trim())))).toEqual([]);
});

it("promises only npm scripts that package.json has, or says that they are missing", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };
  const promised = [...readme.matchAll(/npm run ([\w:-]+)/g)].map(([, name = ""]) => name);
  const missing = /## What isn't there yet[\s\S]*/.exec(readme)?.[0] ?? "";
  expect(promised.filter((name) => !(name in scripts) && !missing.includes(`npm run ${name}`))).toEqual([]);
});
