/**
 * What Pulumi runs: the program, with what an earlier run has compiled. Imports of a file run after all of them are compiled.
 *
 * JavaScript, like the executable of the provider: for the first TypeScript that is not in the cache Node loads a compiler.
 */

import "./compile-cache.cjs";

// The SDK asks for a stack at each resource and each call, and installs what looks up every line of it in source maps: a third of
// a second for 16 hosts. Our sources run as they are written.
Reflect.deleteProperty(Error, "prepareStackTrace");

/** What the program exports are the outputs of the stack. */
export default { ...(await import("./main.ts")) };
