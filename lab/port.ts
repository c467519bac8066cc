/** A free port on the loopback address. */

import { createServer } from "node:net";
import { LabError } from "./settings.ts";

// Below the range from which the kernel takes ports for outgoing connections: a machine that is reset gets its port back.
const FIRST = 22_000;
const COUNT = 8_000;

export async function freePort(taken: readonly number[] = []): Promise<number> {
  const start = Math.floor(Math.random() * COUNT);
  for (let i = 0; i < COUNT; i++) {
    const port = FIRST + ((start + i) % COUNT);
    if (!taken.includes(port) && (await isFree(port))) return port;
  }
  throw new LabError(`no port from ${FIRST} to ${FIRST + COUNT - 1} is free on 127.0.0.1`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
