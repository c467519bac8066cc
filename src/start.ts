/** What Pulumi runs: the program, with what an earlier run has compiled. Imports of a file run after all of them are compiled. */

import "./compile-cache.cjs";

await import("./main.ts");
