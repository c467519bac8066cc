/**
 * How long things may take, in seconds. Generous: software emulation is ten times slower than metal.
 *
 * DRYDOCK_TIME_FACTOR multiplies them all, for hosts that are slower still. DRYDOCK_CONFIRM_SECONDS is how long a change waits for its
 * confirmation, DRYDOCK_SETTLE_SECONDS how long a dockerd that was started must live before the change is kept.
 */

/** What is wrong with these variables; the defaults stand for them then, and no host is touched (host-provider.ts). */
export const mistakes: string[] = [];

const factor = fromEnvironment("DRYDOCK_TIME_FACTOR", 1);

export const seconds = {
  /** One observation: about 60 commands, four of them docker's. */
  observe: 180 * factor,
  /** One transaction, daemon restart and health check included. */
  apply: 900 * factor,
  /** Until a container has stopped, ten seconds unless it asks for more, and runs again. */
  container: 30 * factor,
  /** Between two lines that tell how far a copy is. */
  progress: 10,
  /** How long a change waits for its confirmation until the host takes it back by itself. */
  confirm: Math.round(fromEnvironment("DRYDOCK_CONFIRM_SECONDS", 60 * factor)),
  /** How long a dockerd that was started must live until the change is kept: what crashes at start mostly does within seconds. */
  settle: fromEnvironment("DRYDOCK_SETTLE_SECONDS", 25, { zero: true }),
  /** How often the host looks whether that time has come. */
  guard: 5,
  /** Between two tries to connect. */
  betweenTries: 3,
  /** Until a published port answers again. */
  ports: 15 * factor,
  /** Until dockerd answers after a restart. */
  daemon: 120 * factor,
};

// --- Internal ---

function fromEnvironment(name: string, fallback: number, { zero = false } = {}): number {
  const text = process.env[name] ?? "";
  if (text === "") return fallback;
  if (/^\d+(\.\d+)?$/.test(text) && (zero || Number(text) > 0)) return Number(text);
  mistakes.push(`${name} is "${text}": allowed is a number ${zero ? "from 0 on" : "above 0"}`);
  return fallback;
}
