/**
 * Keeps what Node has compiled, for the next process: the engine starts three for one command, and each would compile SDK and
 * sources anew (docs/performance.md). In the project's own folder, since whoever could write there could run code as us;
 * where that folder is read-only, Node does without.
 */

const module_ = require("node:module");
const { join } = require("node:path");

// Not in Node 20, which refuses our sources in its own words later on.
if (module_.enableCompileCache) {
  module_.enableCompileCache(join(__dirname, "..", ".cache", "compiled"));
  // The engine ends its processes without asking: what was compiled is written once all is loaded.
  setTimeout(() => module_.flushCompileCache(), 2000).unref();
}
