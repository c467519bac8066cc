/**
 * The engine's event stream (`pulumi preview --json` with PULUMI_ENABLE_STREAMING_JSON_PREVIEW=1), one JSON object a line, gathered
 * by host. The fields are those of sdk/go/common/apitype/events.go in pulumi/pulumi; ours are all optional, since a later engine may
 * leave any of them out.
 */

import type { HostInputs } from "../desired/host-inputs.ts";
import type { HostOutputs } from "../provider/outputs.ts";
import { hostType, parseUrn } from "../urn.ts";

/** What the engine has, or would have, of a host. */
export interface HostState {
  inputs: Partial<HostInputs>;
  outputs: Partial<HostOutputs>;
}

export interface HostEvents {
  name: string;
  /** As stored before the host was read. Absent for a new host. */
  before?: HostState;
  /** As it was read just now. Absent when the engine did not ask. */
  after?: HostState;
  /** What the engine would do: `create`, `update`, `delete`, `same`. Absent when it did not get that far. */
  op?: string;
  /** What the program declares, completed for this host. */
  wish?: Partial<HostInputs>;
  said: Said[];
}

export interface Said {
  severity: string;
  message: string;
}

export interface Gathered {
  /** By name, in the order in which they were first named. */
  hosts: Map<string, HostEvents>;
  /** Resources that are no hosts and would change, e.g. the command of a `gate`. */
  others: OtherChange[];
  /** What is said of no host in particular. */
  said: Said[];
  /** Lines that are no events. */
  stray: string[];
  /** `succeeded` or `failed`; absent when the stream broke off. */
  result?: string;
}

export interface OtherChange {
  op: string;
  type: string;
  name: string;
}

/** Takes the stream line by line, so that nobody has to hold it as a whole: a host is about 200 KB of it. */
export class EventReader {
  readonly gathered: Gathered = { hosts: new Map(), others: [], said: [], stray: [] };

  take(line: string): void {
    if (line.trim() === "") return;
    const event = parse(line);
    if (event === undefined) {
      this.gathered.stray.push(line);
      return;
    }
    if (event.diagnosticEvent) this.#diagnostic(event.diagnosticEvent);
    if (event.resOutputsEvent?.metadata?.op === "refresh") this.#refreshed(event.resOutputsEvent.metadata);
    if (event.resourcePreEvent?.metadata && event.resourcePreEvent.metadata.op !== "refresh") this.#planned(event.resourcePreEvent.metadata);
    if (event.policyEvent?.enforcementLevel === "mandatory") this.#say(event.policyEvent.resourceUrn, { severity: "error", message: event.policyEvent.message ?? "a policy is violated" });
    if (event.errorEvent?.error !== undefined) this.#say(undefined, { severity: "error", message: event.errorEvent.error });
    if (typeof event.summaryEvent?.result === "string") this.gathered.result = event.summaryEvent.result;
  }

  // --- Internal ---

  #diagnostic({ urn, message = "", severity = "info", ephemeral }: Diagnostic): void {
    // Debug lines are the SDK's own, ephemeral ones a progress display's.
    if (severity === "debug" || ephemeral || message.trim() === "") return;
    this.#say(urn, { severity, message: message.trimEnd() });
  }

  #say(urn: string | undefined, said: Said): void {
    const host = urn === undefined ? undefined : this.#host(urn);
    (host ?? this.gathered).said.push(said);
  }

  #refreshed({ urn, old, new: read }: Metadata): void {
    const host = this.#host(urn);
    if (!host) return;
    if (old) host.before = stateOf(old);
    if (read) host.after = stateOf(read);
  }

  #planned({ op = "same", urn = "", type = "", old, new: wished }: Metadata): void {
    const host = this.#host(urn);
    if (!host) {
      if (!quiet.has(op) && type !== "pulumi:pulumi:Stack") this.gathered.others.push({ op, type, name: parseUrn(urn).name });
      return;
    }
    host.op = op;
    if (wished) host.wish = stateOf(wished).inputs;
    // A host that was not read, because somebody told the engine so, is known all the same.
    if (old) host.before ??= stateOf(old);
  }

  #host(urn = ""): HostEvents | undefined {
    const { type, name } = parseUrn(urn);
    if (type !== hostType) return undefined;
    const host = this.gathered.hosts.get(name) ?? { name, said: [] };
    this.gathered.hosts.set(name, host);
    return host;
  }
}

export function readEvents(lines: Iterable<string>): Gathered {
  const reader = new EventReader();
  for (const line of lines) reader.take(line);
  return reader.gathered;
}

// --- Internal ---

/** Operations that change nothing. */
const quiet = new Set(["same", "read", "refresh", "read-discard", "discard-replaced"]);

const stateOf = (state: { inputs?: unknown; outputs?: unknown }): HostState => ({ inputs: objectOf(state.inputs), outputs: objectOf(state.outputs) });

const objectOf = (value: unknown): object => (typeof value === "object" && value !== null ? value : {});

function parse(line: string): EngineEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "sequence" in value ? (value as EngineEvent) : undefined;
  } catch {
    return undefined;
  }
}

// --- Types ---

interface EngineEvent {
  diagnosticEvent?: Diagnostic;
  resourcePreEvent?: { metadata?: Metadata };
  resOutputsEvent?: { metadata?: Metadata };
  policyEvent?: { resourceUrn?: string; message?: string; enforcementLevel?: string };
  errorEvent?: { error?: string };
  summaryEvent?: { result?: string };
}

interface Diagnostic {
  urn?: string;
  message?: string;
  severity?: string;
  ephemeral?: boolean;
}

interface Metadata {
  op?: string;
  urn?: string;
  type?: string;
  old?: { inputs?: unknown; outputs?: unknown } | null;
  new?: { inputs?: unknown; outputs?: unknown } | null;
}
