/**
 * Look, compare, change the difference, look again. The same way for a first run, an update, an adoption and a run that
 * was cut off half-way.
 */

import { setTimeout } from "node:timers/promises";
import type { HostArgs, HostInputs } from "../desired/host-inputs.ts";
import type { Observation, Outcome, Owner } from "../observed/observation.ts";
import { waitsForWindow } from "../plan/window.ts";
import { describeChange, describeCost, differences } from "../plan/describe.ts";
import { isEmpty, type Plan } from "../plan/plan.ts";
import { digestsOf } from "../plan/places.ts";
import { digest, observedInputs, oldDataOn } from "../plan/seen.ts";
import { applyPlan, removeOldData, writeOwner, type TransactionResult } from "../remote/apply.ts";
import { confirmChange, rejectChange } from "../remote/confirmation.ts";
import { seconds } from "../remote/limits.ts";
import { assess } from "./assess.ts";
import { busy, DeferredError, HalfDoneError, HostError, listed } from "./errors.ts";
import { stopsDocker } from "../plan/volumes.ts";
import { volumesThatStay } from "./release.ts";
import { look } from "./look.ts";
import { outputsOf, type HostOutputs } from "./outputs.ts";
import { signature } from "./signature.ts";

export interface Converged {
  /** Something was done on the host. */
  changed: boolean;
  /** It was left for later: `wish` is what was found, and nothing was applied. */
  deferred?: true;
  wish: HostInputs;
  outputs: HostOutputs;
}

/** What a host has to say while it is worked on. */
export type Say = (message: string) => Promise<void>;

/** What a host is at now. */
export type Step = (name: string) => void;

/**
 * Brings a host into the wished state, or says why not and in which state it is.
 *
 * @throws DeferredError when it was left for its window and later waves wait for it; HostError when nothing was changed or all was taken back; HalfDoneError when the host is in between;
 *   UnreachableError, RemoteScriptError
 */
export async function converge(owner: Owner, args: HostArgs, say: Say, step: Step = () => undefined): Promise<Converged> {
  step("looking");
  const { observation, wish, plan, refused } = await assess(owner, args, { reuse: true });
  if (refused.length > 0) throw new HostError(listed(`${owner.host}: refused, nothing was touched`, refused));
  if (isEmpty(plan)) {
    // What is there now may be taken back in a minute.
    if (observation.underWay.length > 0) throw busy(owner.host, observation.underWay);
    if (!observation.owner) await writeOwner(wish.connection, owner);
    await say(`${owner.host}: already in the wished state; nothing was touched${volumesThatStay(observation, wish.volumes)}`);
    return { changed: false, wish, outputs: outputsOf(wish, observation, { lastChange: { cost: ["nothing"], diff: "" }, applied: digestsOf(wish) }) };
  }
  const window = waitsForWindow(wish.window, plan, new Date());
  if (window !== undefined) {
    const cost = describeCost(plan, wish, observation);
    const untouched = `${owner.host}: nothing was touched, since this update waits for ${window}`;
    if (wish.rollout?.followed) throw new DeferredError(listed(`${untouched}; later waves wait for it`, cost));
    await say(listed(untouched, cost));
    // What the engine keeps is what is there: the next update in the window finds all of the difference.
    const outputs = outputsOf(wish, observation, { lastChange: { cost: ["nothing"], diff: "" }, applied: {} });
    return { changed: false, deferred: true, wish: observedInputs(wish, observation), outputs: { ...outputs, pending: [...outputs.pending, `an update waits for ${window}`] } };
  }
  const lastChange = { cost: describeCost(plan, wish, observation), diff: describeChange(plan, wish, observedInputs(wish, observation), observation, "named") };
  const begun = new Date().toISOString();
  const result = await apply(owner, wish, plan, observation, begun, say, step);
  if (result.outcome === "cut off") await takenBack(owner.host, wish, begun, new Error(listed("the change was cut off on the host", result.log)));
  assertDone(owner, result);
  // Who was told each line has seen it.
  const stays = volumesThatStay(observation, wish.volumes);
  if (!shown(plan)) await say(listed(`${owner.host}: done on the host${stays}`, result.log));
  else if (stays !== "") await say(`${owner.host}: done on the host${stays}`);
  step("confirming over a new connection");
  const confirmed = await confirm(owner, wish, begun);
  return { changed: true, wish, outputs: outputsOf(wish, plan.removeOldData ? await withoutOldData(owner, wish, confirmed, say, step) : confirmed, { lastChange, applied: digestsOf(wish) }) };
}

// --- Internal ---

/** What takes hours has to show that it goes on. */
const shown = (plan: Plan) => plan.volumes.some(stopsDocker);

async function apply(owner: Owner, wish: HostInputs, plan: Plan, observation: Observation, begun: string, say: Say, step: Step): Promise<TransactionResult> {
  const onLine = (line: string): void => {
    step(line);
    if (shown(plan)) void say(`${owner.host}: ${line}`);
  };
  step("applying");
  try {
    return await applyPlan(wish.connection, plan, observation, owner, { begun, digestOfConfiguration: digest(JSON.stringify({ ...wish, rollout: undefined })), signature: signature(owner), onLine });
  } catch (cause) {
    throw new HalfDoneError(
      `${owner.host}: the link failed while the change was sent or made; if the host had begun, it goes on by itself and, since nobody is there to confirm it, takes the change back; the next update reads the state it has by then`,
      { cause },
    );
  }
}

function assertDone({ host }: Owner, { outcome, log }: TransactionResult): void {
  const why = log.filter((line) => !progress.test(line));
  switch (outcome) {
    case "done":
      return;
    case "busy":
      throw busy(host, log);
    case "unfinished":
      throw new HostError(listed(`${host}: an earlier operation had been cut off there and was brought to its end just now (an update is taken back, a destroy finished); nothing else was touched, so run this one again`, log));
    case "refused":
      throw new HostError(listed(`${host}: refused, nothing was touched`, why.map((line) => line.replace(/^refused: /, ""))));
    case "went back":
      if (log.some((line) => line.startsWith("but for the data of Docker"))) throw new HalfDoneError(listed(`${host}: the change failed, and the state of before was restored and read back`, why));
      throw new HostError(listed(`${host}: the change failed, and the state of before was restored and read back`, why));
    case "cut off":
    case "broken":
      throw new HalfDoneError(listed(`${host}: the change failed, and the state of before could not be restored; the originals are in /var/lib/drydock`, log));
  }
}

const progress = /^(installing|removing|starting|stopping|restarting|reloading|loading|unloading|adding|creating|switching|dropping|making|copying|copied|comparing|mounting|mending|setting|going back|failed; going back|the state of before is back)/;

/**
 * Reads the host back over a new connection: an effect is only claimed when it was seen, by somebody who could get in. Only then the host
 * is told to keep the change. Where not all of it is in effect it is told to take it back.
 */
async function confirm({ host }: Owner, wish: HostInputs, begun: string): Promise<Observation> {
  const observation = await withinTheLimit(() => look(wish, { fresh: true })).catch((cause: unknown) => takenBack(host, wish, begun, cause));
  const outcome = outcomeOf(host, begun, observation);
  if (outcome?.result === "went back") throw new HostError(wentBack(host, outcome));
  if (outcome?.result === "broken") throw couldNotGoBack(host);
  // What a move has left is removed only now, when the new state is confirmed.
  const left = differences(wish, observedInputs(wish, observation)).filter((line) => !line.startsWith("inEffect.oldData:"));
  if (left.length > 0) {
    // By name: what is set may be secret, and stays on the host with the outcome.
    const names = new Set(left.map((line) => line.replace(/: .*/s, "")));
    await rejectChange(wish.connection, begun, `not in effect after it: ${[...names].join(", ")}`).catch(() => undefined);
    return takenBack(host, wish, begun, new HostError(listed("this was not in effect after it", left)));
  }
  return withinTheLimit(() => confirmChange(wish.connection, begun)).then(
    () => observation,
    (cause: unknown) => takenBack(host, wish, begun, cause),
  );
}

/** A sshd or a firewall that was restarted a moment ago deserves a second try, as long as the host waits for it. */
async function withinTheLimit<T>(attempt: () => Promise<T>): Promise<T> {
  const end = Date.now() + seconds.confirm * 1000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() + pause() > end) throw error;
      await setTimeout(pause());
    }
  }
}

/**
 * Nobody could confirm: what became of the host, over whatever connection there is. Each apply begins without an outcome of an older one.
 *
 * @returns what is seen there when it was confirmed after all, and only the answer was lost
 * @throws HostError, HalfDoneError
 */
async function takenBack(host: string, wish: HostInputs, begun: string, cause: unknown): Promise<Observation> {
  const limit = (most: number) => Date.now() + (seconds.confirm + seconds.guard + most) * 1000;
  const last = limit(seconds.apply);
  let end = limit(seconds.daemon);
  while (Date.now() < end) {
    await setTimeout(pause());
    const seen = await look(wish).catch(() => undefined);
    if (!seen) continue;
    const outcome = outcomeOf(host, begun, seen);
    switch (outcome?.result) {
      case "confirmed":
        return seen;
      case "went back":
        throw new HostError(`${wentBack(host, outcome)}; it was read back`, { cause });
      case "broken":
        throw couldNotGoBack(host, cause);
      case undefined:
        // A host that answers is still at it, and is worth waiting for as long as a transaction may take.
        end = Math.min(last, limit(seconds.daemon));
    }
  }
  throw new HalfDoneError(`${host}: the change could not be confirmed; the host takes it back by itself after ${seconds.confirm} s, and whether it did could not be seen from here`, { cause });
}

/**
 * What became of the change that was begun then.
 *
 * @throws HalfDoneError when another one has an end there: this one had one before it, which is not noted any more
 */
function outcomeOf(host: string, begun: string, { outcome }: Observation): Outcome | undefined {
  if (outcome?.since !== undefined && outcome.since !== begun) throw new HalfDoneError(`${host}: the change was not confirmed, and another one, begun ${outcome.since}, was made there after it; run this one again`);
  return outcome;
}

const pause = () => seconds.betweenTries * 1000;

const wentBack = (host: string, { why }: Outcome) => `${host}: the host took the change back by itself (${why}), and has the state of before`;

const couldNotGoBack = (host: string, cause?: unknown) => new HalfDoneError(`${host}: the change could not be confirmed, and the host could not take it back; the originals are in /var/lib/drydock`, { cause });

/** Only who consented gets here, and only with a host that was seen to be right. */
async function withoutOldData(owner: Owner, wish: HostInputs, observation: Observation, say: Say, step: Step): Promise<Observation> {
  if (observation.oldData.length === 0) return observation;
  step("removing old data");
  const { outcome, log } = await removeOldData(wish.connection, observation, owner);
  if (outcome !== "done") throw new HalfDoneError(listed(`${owner.host}: the change was made, but the old data of before (${oldDataOn(observation)}) could not be removed`, log));
  const after = await look(wish);
  if (after.oldData.length > 0) throw new HalfDoneError(`${owner.host}: the change was made, and of the old data ${oldDataOn(after)} are still there`);
  await say(`${owner.host}: the old data of before (${oldDataOn(observation)}) are removed`);
  return after;
}
