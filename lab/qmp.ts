/** QEMU's control socket (QMP): one JSON message a line each way. */

import { createConnection, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "./settings.ts";

export interface Qmp {
  execute(command: string, args?: Record<string, unknown>): Promise<unknown>;
  close(): void;
}

/** Connects to the QEMU with this process id, whose working folder holds `qmp.sock`. */
export async function connectQmp(pid: number, seconds = 30): Promise<Qmp> {
  const socket = await openSocket(`/proc/${pid}/cwd/qmp.sock`, pid, seconds);
  const waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];
  const fail = (cause?: Error) => {
    for (const { reject } of waiting.splice(0)) reject(new LabError(`QEMU (process ${pid}) closed its control socket`, { cause }));
  };
  socket.on("error", fail).on("close", () => fail());
  createInterface({ input: socket }).on("line", (line) => {
    const message = JSON.parse(line) as { return?: unknown } | { error: { desc: string } };
    // The greeting and events come unasked; answers come in order.
    if ("error" in message) waiting.shift()?.reject(new LabError(`QEMU refused: ${message.error.desc}`));
    else if ("return" in message) waiting.shift()?.resolve(message.return);
  });
  const execute = (command: string, args?: Record<string, unknown>) =>
    new Promise<unknown>((resolve, reject) => {
      waiting.push({ resolve, reject });
      socket.write(`${JSON.stringify({ execute: command, ...(args && { arguments: args }) })}\n`);
    });
  await execute("qmp_capabilities");
  return { execute, close: () => socket.destroy() };
}

/** Asks again until the wished status shows: `query` is a query command, its answer has `status`. */
export async function waitForStatus(qmp: Qmp, query: string, wished: string, seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = (await qmp.execute(query)) as { status?: string; "error-desc"?: string };
    if (answer.status === wished) return;
    if (answer.status === "failed" || Date.now() > end) {
      throw new LabError(`QEMU: ${query} says "${answer.status ?? "nothing"}" ${answer["error-desc"] ?? ""}, not "${wished}" within ${seconds} s`);
    }
    await sleep(50);
  }
}

async function openSocket(path: string, pid: number, seconds: number): Promise<Socket> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await new Promise<Socket>((resolve, reject) => {
        const socket = createConnection(path);
        socket.once("connect", () => resolve(socket)).once("error", reject);
      });
    } catch (cause) {
      // QEMU makes the socket a moment after it started.
      let alive = true;
      try { process.kill(pid, 0); } catch { alive = false; }
      if (!alive || Date.now() > end) throw new LabError(`QEMU (process ${pid}) has no control socket`, { cause });
      await sleep(50);
    }
  }
}
