/** `npm run build`: the package's JavaScript and declarations, in dist. Only the package needs it; in the repository the sources run as they are. */

import { cpSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { $ } from "zx";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");

rmSync(dist, { recursive: true, force: true });
await $({ cwd: root, stdio: "inherit" })`tsc -p tsconfig.build.json`;
// What runs on hosts is read from beside the code that sends it.
for (const script of globSync("**/*.sh", { cwd: join(root, "src") })) cpSync(join(root, "src", script), join(dist, script));
const wanted = declarationsOf(join(dist, "index.d.ts"));
for (const file of globSync("**/*.d.{ts,cts}", { cwd: dist })) {
  if (!wanted.has(join(dist, file))) rmSync(join(dist, file));
}

// --- Internal ---

/** The files that the public types are made of: the inside of Drydock is nobody's to import. */
function declarationsOf(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  if (!existsSync(file)) throw new Error(`${file}: the declarations name it, and it is not there`);
  seen.add(file);
  // tsc rewrites the imports of the code only.
  const text = readFileSync(file, "utf8").replaceAll(/(from "\.[^"]+)\.ts"/g, '$1.js"');
  writeFileSync(file, text);
  for (const [, path = ""] of text.matchAll(/from "(\.[^"]+)\.js"/g)) declarationsOf(`${resolve(dirname(file), path)}.d.ts`, seen);
  return seen;
}
