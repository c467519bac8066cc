/** The resource `drydock:index:Host` as the engine sees it: check, diff, create, read, update, delete. */

import { isDeepStrictEqual } from "node:util";
import type * as provider from "@pulumi/pulumi/provider/index.js";
import type { HostArgs, HostInputs } from "../desired/host-inputs.ts";
import type { Outcome, Owner } from "../observed/observation.ts";
import { observedInputs } from "../plan/seen.ts";
import { completeInputs } from "../plan/wish.ts";
import { visibleText } from "../redact.ts";
import { log, type CustomResource } from "../sdk.ts";
import { announceToken, hostType, parseUrn, type Announcement } from "../urn.ts";
import { converge, type Converged, type Say } from "./converge.ts";
import { Announced } from "./announced.ts";
import { anotherApply, DeferredError, explain, explainFor, HalfDoneError, listed } from "./errors.ts";
import { lookAhead } from "./look-ahead.ts";
import { look } from "./look.ts";
import { mistakes } from "../remote/limits.ts";
import { UnreachableError } from "../remote/ssh.ts";
import { outputsOf, type HostOutputs } from "./outputs.ts";
import { Progress } from "./progress.ts";
import { release } from "./release.ts";
import { Tally, type Fate } from "./tally.ts";
import { NotItsTurnError, Turns } from "./turns.ts";

/** A half-done create leaves only the inputs. */
type State = HostInputs & Partial<HostOutputs> & {
  /**
   * The inputs beside it are what an update applied, and not what a look found there since: a failed update leaves those in the
   * state, and a rollback must not take them (docs/decisions/0061).
   */
  asApplied?: boolean;
};

export class HostProvider implements provider.Provider {
  // The engine asks for both; the schema is only for generated SDKs.
  version = "0.1.0";
  schema = JSON.stringify({ name: "drydock", version: "0.1.0", resources: { [hostType]: {} } });

  // One process serves one operation, or a half of it: the look beforehand has its own.
  readonly #turns = new Turns();
  readonly #tally = new Tally();
  readonly #announced = new Announced();
  #working = 0;

  /**
   * Completes what is declared with what must be in effect on that very host.
   *
   * A host that would change is looked at here, since a preview asks nothing else about it: the cost goes to the log, and what
   * would be refused; of a new host the change, too.
   */
  async check(urn: string, olds: Partial<HostInputs> | undefined, news: HostArgs): Promise<provider.CheckResult> {
    // As a mistake in the stack file: nothing is looked at, on no host.
    if (mistakes.length > 0) throw new Error(mistakes.join("\n"));
    const args = plain(news);
    const owner = ownerOf(urn);
    const isNew = olds?.host === undefined;
    this.#tally.checked(owner.host, isNew);
    this.#announced.asked(owner.host);
    const inputs = plain(completeInputs(args, olds?.host ?? nothingKnown));
    if (hasUnknowns(args)) {
      await this.log("info", urn, `${owner.host}: parts of it are known only after other resources are made; it is looked at then`);
      // What is in effect on a new one nobody can say yet.
      return { inputs: isNew ? args : inputs };
    }
    if (!isNew && isDeepStrictEqual(wishedPart(olds as HostInputs), wishedPart(inputs))) return { inputs };
    try {
      const outlook = lookAhead(owner, args, isNew);
      this.#announced.takeAlong(owner.host, args);
      const { wish, report, refused, doubts } = await outlook;
      await this.log("info", urn, report);
      if (doubts.length > 0) await this.log("warn", urn, listed(`${owner.host}: could not be checked`, doubts));
      if (refused.length > 0) await this.log("error", urn, listed(`${owner.host}: this would be refused`, refused));
      return { inputs: plain(wish) };
    } catch (error) {
      // Not thrown: the other hosts are to be checked as well. The update that follows refuses.
      await this.log("error", urn, explainFor(owner.host, error));
      // What is in effect on a new one nobody can say yet.
      return { inputs: isNew ? args : inputs };
    }
  }

  /** Any difference is an update, never a replacement: one host, one machine. */
  diff(id: string, _urn: string, olds: State, news: HostInputs): Promise<provider.DiffResult> {
    const changes = !isDeepStrictEqual(wishedPart(olds), wishedPart(news));
    this.#tally.compared(id, changes);
    this.#tally.waits(id, (olds.pending ?? []).length > 0);
    return Promise.resolve({ changes, deleteBeforeReplace: true });
  }

  async create(urn: string, news: HostInputs): Promise<provider.CreateResult> {
    const { host } = ownerOf(urn);
    try {
      return { id: host, outs: stateOf(await this.converge(urn, news)) };
    } catch (error) {
      const message = explainFor(host, error);
      if (!(error instanceof HalfDoneError)) throw new Error(message, { cause: error });
      // Something is on the host: with these the engine keeps the state, so that the next update is one and destroy knows.
      throw Object.assign(new Error(message), { id: host, properties: news, reasons: [message] });
    }
  }

  async update(id: string, urn: string, olds: State, news: HostInputs): Promise<provider.UpdateResult> {
    try {
      return { outs: stateOf(await this.converge(urn, news), olds) };
    } catch (error) {
      throw new Error(explainFor(id, error), { cause: error });
    }
  }

  /**
   * What the host is now. A host's own trouble is never thrown: that would end the whole operation, for all hosts, before the
   * program runs.
   */
  async read(id: string, urn: string, props: State): Promise<provider.ReadResult> {
    try {
      const observation = await look(props);
      const inputs = plain(observedInputs(props, observation));
      const { outcome } = observation;
      if (outcome && outcome.result !== "confirmed") await this.log("warn", urn, `${id}: ${lastUpdate(outcome)}`);
      if (observation.underWay.length > 0) await this.log("warn", urn, `${id}: ${anotherApply(observation.underWay)}: what is there now may be taken back`);
      const { lastChange = { cost: [], diff: "" }, applied = {}, deferred } = props;
      const outputs = outputsOf({ ...props, inEffect: inputs.inEffect }, observation, { lastChange, applied });
      for (const text of outputs.pending) await this.log("warn", urn, `${id}: pending: ${text}`);
      const asApplied = props.asApplied && isDeepStrictEqual(keptPart(inputs), keptPart(props));
      return { id, inputs, props: plain({ ...inputs, ...outputs, asApplied, deferred }) };
    } catch (error) {
      const reason = explain(error);
      await this.log("warn", urn, `${id}: could not be read: ${reason}`);
      const inputs = { ...plain(inputsOf(props)), reachable: `no: ${reason}` };
      return { id, inputs, props: { ...props, ...inputs } };
    }
  }

  async delete(id: string, urn: string, props: State): Promise<void> {
    const said = await release(ownerOf(urn), props).catch((error: unknown) => {
      this.#tally.left(id, fateOf(error));
      // Printed by the engine's SDK with its stack otherwise.
      throw Object.assign(new Error(explainFor(id, error)), { stack: "" });
    });
    this.#tally.left(id, "removed");
    await this.log(said.level, urn, said.message);
  }

  /** The program's word of the hosts that come: {@link Announced}. */
  invoke(token: string, inputs: Announcement): Promise<provider.InvokeResult> {
    if (token !== announceToken) throw new Error(`${token} is not a function of this provider; there is ${announceToken}`);
    this.#announced.add(inputs);
    return Promise.resolve({ outputs: {} });
  }

  /** The engine's last call to each of its provider processes, after everything else. */
  async cancel(): Promise<void> {
    // After Ctrl-C it comes early, and once more at the end.
    const tally = this.#working === 0 ? this.#tally.render() : undefined;
    if (tally !== undefined) await log.info(tally);
  }

  // --- Internal ---

  private async converge(urn: string, args: HostInputs): Promise<Converged> {
    const owner = ownerOf(urn);
    const { host } = owner;
    const progress = new Progress((status) => void this.log("info", urn, status, "ephemeral"));
    const say: Say = (message) => this.log("info", urn, message);
    const wish = plain(args);
    this.#working++;
    try {
      const wait = () => void this.log("info", urn, "waiting for its turn", "ephemeral");
      const converged = await this.#turns.take(host, wish.rollout, () => converge(owner, wish, say, (name) => progress.step(name)), wait);
      this.#tally.became(host, converged.deferred ? "left for later" : converged.changed ? "changed" : "unchanged");
      this.#tally.waits(host, converged.outputs.pending.length > 0);
      for (const text of converged.outputs.pending) await this.log("warn", urn, `${host}: pending: ${text}`);
      return converged;
    } catch (error) {
      this.#tally.became(host, fateOf(error));
      throw error;
    } finally {
      progress.end();
      this.#working--;
    }
  }

  private async log(level: "info" | "warn" | "error", urn: string, message: string, lasting: "lasting" | "ephemeral" = "lasting"): Promise<void> {
    // Of the resource only the name is asked.
    // Parts of it are of a host that somebody may have got into.
    await log[level](visibleText(message), { urn: { promise: () => Promise.resolve(urn) } } as unknown as CustomResource, undefined, lasting === "ephemeral");
  }
}

function fateOf(error: unknown): Fate {
  if (error instanceof DeferredError) return "left for later";
  if (error instanceof NotItsTurnError) return "refused";
  return error instanceof UnreachableError ? "unreachable" : "failed";
}

export function ownerOf(urn: string): Owner {
  const { project, stack, name } = parseUrn(urn);
  return { stack: `${project}/${stack}`, host: name };
}

const inputKeys = ["connection", "allow", "window", "reachable", "host", "daemon", "files", "modes", "volumes", "rollout", "inEffect"] as const;

export const inputsOf = (state: HostInputs): HostInputs => Object.fromEntries(inputKeys.map((key) => [key, state[key]])) as unknown as HostInputs;

/** What a host is does not make an update by itself: only what follows from it for the files does. Nor does its turn. */
const wishedPart = (state: HostInputs) => plain({ ...inputsOf(state), host: null, rollout: null });

/** A host that could not be reached for a while is still as it was applied. */
const keptPart = (state: HostInputs) => ({ ...wishedPart(state), reachable: null });

/** What was left for later leaves what is known of the last update that went through. */
function stateOf({ wish, outputs, deferred }: Converged, olds?: State): State {
  if (!deferred) return plain({ ...wish, ...outputs, asApplied: true });
  const { applied = outputs.applied, lastChange = outputs.lastChange } = olds ?? {};
  return plain({ ...wish, ...outputs, applied, lastChange, asApplied: false, deferred: true });
}

const lastUpdate = ({ result, why, at }: Outcome) =>
  `the last update ${result === "went back" ? "was taken back by the host itself" : "failed and could not be taken back"} at ${new Date(at * 1000).toISOString()}: ${why}`;

/** Without `undefined`, as it comes back from the engine. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const nothingKnown = { starts: [], dockerExecStart: "", missing: [] };

/** The engine's stand-in for a value that is known only after another resource is made (sdk/nodejs/runtime/rpc.ts). */
const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const hasUnknowns = (args: HostArgs) => JSON.stringify(args).includes(unknownValue);

