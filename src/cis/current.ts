/** The edition that hosts are judged by; another one is another file beside docker-1.6.ts, and this line. */

export { docker16 as currentBenchmark } from "./docker-1.6.ts";
