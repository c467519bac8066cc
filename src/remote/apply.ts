/** Sends one transaction to a host and starts it there, in one round trip. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Connection } from "../config/connection.ts";
import { profileIn } from "../desired/apparmor-profiles.ts";
import type { JsonObject } from "../desired/host-inputs.ts";
import type { Observation, Owner } from "../observed/observation.ts";
import { containerdData, volumeFiles } from "../desired/volumes.ts";
import { confines } from "../effect/apparmor.ts";
import { emptyPlan, type Plan } from "../plan/plan.ts";
import { daemonConfigurationOn, unreadable } from "../plan/seen.ts";
import { stopsDocker } from "../plan/volumes.ts";
import { seconds } from "./limits.ts";
import { quote, writeFile } from "./shell.ts";
import { runAsRoot } from "./ssh.ts";

export interface TransactionResult {
  /**
   * `cut off`: it ended without a word, and the host takes it back by itself; `unfinished`: an earlier one that was cut off
   * was taken back first, and this one was not begun.
   */
  outcome: "done" | "refused" | "went back" | "broken" | "busy" | "cut off" | "unfinished";
  /** What the host did, step by step. */
  log: string[];
}

export interface ApplyOptions {
  /** When it was begun, in ISO 8601 with milliseconds, which tells it from any other. @default now */
  begun?: string;
  /** Who applies, for people who find the host changed: `commit 1a2b3c`, `by ops@desk`. */
  signature?: string[];
  /** Tells one wish from another. */
  digestOfConfiguration?: string;
  /** Told each line while the transaction runs. */
  onLine?: (line: string) => void;
}

/** Where each of a transaction's files is on the host; all of them always exist. */
type Stage = Record<string, string>;

/** @throws UnreachableError or RemoteScriptError when the link fails; the transaction itself goes on without it. */
export async function applyPlan(connection: Connection, plan: Plan, observation: Observation, owner: Owner, options: ApplyOptions = {}): Promise<TransactionResult> {
  // At 10 MB/s each way, and compared.
  const moving = plan.volumes.reduce((sum, { bytes }) => sum + bytes, 0) / 3_000_000;
  return run(connection, "apply", stageOf("apply", plan, observation, owner, options), owner, { moving, ...options });
}

/** Puts the pristine originals back. */
export async function restoreOriginal(connection: Connection, plan: Plan, observation: Observation, owner: Owner, options: Pick<ApplyOptions, "signature"> = {}): Promise<TransactionResult> {
  return run(connection, "restore", stageOf("restore", plan, observation, owner, options), owner);
}

/** Removes what moves to filesystems of their own have left. */
export async function removeOldData(connection: Connection, observation: Observation, owner: Owner): Promise<TransactionResult> {
  const moving = observation.oldData.reduce((sum, { bytes }) => sum + bytes, 0) / 10_000_000;
  return run(connection, "remove_old_data", stageOf("remove_old_data", emptyPlan, observation, owner), owner, { moving });
}

/** Takes a host that is right already: nothing but the owner is written. */
export async function writeOwner(connection: Connection, owner: Owner): Promise<void> {
  await runAsRoot(connection, `set -eu
umask 077
mkdir -p ${state}
# An empty one is what a power cut has left, and names nobody.
[ -s ${state}/owner ] || rm -f ${state}/owner
${ownerText(owner)} >${state}/owner.new
sync ${state}/owner.new
# Fails where somebody else was faster.
ln ${state}/owner.new ${state}/owner || { rm -f ${state}/owner.new; exit 1; }
rm -f ${state}/owner.new`, { step: "taking ownership", timeout: seconds.observe });
}

/** Leaves a host as it is, free for another stack or name. */
export async function forgetOwner(connection: Connection): Promise<void> {
  await runAsRoot(connection, `rm -f ${state}/owner`, { step: "giving up ownership", timeout: seconds.observe });
}

/**
 * The script that sends and starts a transaction; exported for the tests that read it.
 *
 * @param limit seconds after which systemd ends it: what hangs is taken back then
 */
export function transactionScript(command: Command, stage: Stage, owner: Owner, limit = seconds.apply): string {
  const files = Object.entries({ ...stage, "transaction.sh": transactionProgram });
  return [
    "set -eu",
    "umask 077",
    // Who waits may be gone: what comes after the unit is done all the same.
    "trap '' PIPE",
    "tell() { echo \"$*\" || :; }",
    `mkdir -p ${state}`,
    // The unit outlives a controller that dies: its name is the lock's second half.
    `exec 9>${state}/lock`,
    `busy() { tell busy; cat ${inHand}/by 2>/dev/null || true; exit 0; }`,
    `flock -n 9 && ! systemctl -q is-active ${unit} || busy`,
    // Under the lock: two stacks may both have seen a host that nobody kept.
    `if [ -s ${state}/owner ] && ! ${ownerText(owner)} | cmp -s - ${state}/owner; then tell owned; cat ${state}/owner || true; exit 0; fi`,
    // Unconfirmed: its controller is about to come back, or the host takes it back in a minute.
    `if [ -e ${inHand}/step ]; then`,
    `  ! systemctl -q is-active drydock-guard.timer || busy`,
    `  status=0; sh ${inHand}/transaction.sh clear_away ${inHand} </dev/null || status=$?`,
    `  [ "$status" -eq 0 ] || { tell "status $status"; exit 0; }`,
    `fi`,
    forgetUntouched,
    `[ ! -e ${inHand} ] || rm -rf ${inHand}`,
    `[ ! -e ${inHand}.ended ] || rm -rf ${inHand}.ended`,
    `mkdir -p ${inHand}/files`,
    ...files.map(([name, text]) => writeFile(`${inHand}/${name}`, text)),
    `: >${inHand}/log`,
    `systemd-run --quiet --wait --collect --unit=${unit} --property=RuntimeMaxSec=${limit} --property=OOMScoreAdjust=-900 --property=StandardOutput=file:${inHand}/log --property=StandardError=file:${inHand}/log ` +
      `sh ${inHand}/transaction.sh ${command} ${inHand} </dev/null 9>&- &`,
    "job=$!",
    // For who waits: a move of data may take hours.
    `tail -n +1 -f -s 0.05 --pid="$job" ${inHand}/log 9>&- &`,
    "shown=$!",
    "status=0",
    'wait "$job" || status=$?',
    'wait "$shown" || true',
    // It touched something, and is gone without a word. One that went back may still wait for its last files to go.
    `[ ! -e ${inHand}/step ] || case $status in 0 | 21 | 22) ;; *) status=25 ;; esac`,
    ...(command === "apply" ? [`[ -e ${inHand}/step ] || case $status in 0 | 20 | 21 | 22) ;; *) tell "refused: it ended with status $status before it touched anything"; status=20 ;; esac`] : []),
    'tell "status $status"',
    forgetUntouched,
    // One that broke before stays what the next boot tries to take back, as long as no other came so far as to touch something.
    `[ -e ${inHand}/step ] || { rm -rf ${inHand}; [ ! -e ${inHand}.broken ] || mv ${inHand}.broken ${inHand}; }`,
    // Nobody's host, as it was or again: nothing of ours stays behind.
    `[ -e ${state}/owner ] || [ -e ${inHand} ] || { rm -f ${state}/lock ${state}/outcome ${state}/log; rmdir ${state}/generations ${state} 2>/dev/null || true; }`,
  ].join("\n");
}

/** What the script printed, in words. @throws when it printed something else. */
export function parseTransactionOutput(text: string): TransactionResult {
  const lines = text.split("\n").map((line) => line.trimEnd()).filter(Boolean);
  const [first = "", ...others] = lines;
  if (first === "busy") return { outcome: "busy", log: others };
  if (first === "owned") return { outcome: "refused", log: [`kept by somebody else meanwhile: ${others.join(", ")}`] };
  const last = lines.at(-1) ?? "";
  const outcome = outcomes[statusLine.exec(last)?.[1] ?? ""];
  return outcome ? { outcome, log: lines.slice(0, -1) } : { outcome: "broken", log: [...lines, `unexpected end of the transaction: ${last}`] };
}

// --- Internal ---

const state = "/var/lib/drydock";
/** Where a transaction lies until it is confirmed or taken back. */
const inHand = `${state}/transaction`;
const unit = "drydock-apply.service";

/** What a transaction that was killed before its first change has saved is no original. */
const forgetUntouched = `[ -e ${inHand}/step ] || [ ! -e ${inHand}/fresh -a ! -e ${inHand}/pristine-before ] || sh ${inHand}/transaction.sh forget_saved ${inHand} </dev/null || true`;

/** The program that runs on the host: its parts, one subject each, joined in this order. */
export const transactionProgram = ["begin", "files", "docker", "health", "kernel", "profiles", "volumes", "guard", "commands"]
  .map((part) => readFileSync(new URL(`transaction/${part}.sh`, import.meta.url), "utf8"))
  .join("\n");


/** Generations that stay on a host. */
const keepGenerations = 10;

const statusLine = /^status (\d+)$/;
const outcomes: Record<string, TransactionResult["outcome"]> = { 0: "done", 20: "refused", 21: "went back", 22: "broken", 24: "unfinished", 25: "cut off" };

const steps = { apply: "applying", restore: "restoring", remove_old_data: "removing old data" };
type Command = keyof typeof steps;

/** About three weeks, in seconds: a timer takes no more. What is of unknown size may take as long. */
const longest = 2_000_000;

async function run(connection: Connection, command: Command, stage: Stage, owner: Owner, { moving = 0, onLine }: { moving?: number } & Pick<ApplyOptions, "onLine"> = {}): Promise<TransactionResult> {
  const stopping = (stage.stop?.split("\n").filter(Boolean).length ?? 0) * seconds.container;
  const timeout = Math.ceil(Math.min(longest, seconds.apply + stopping + (Number.isNaN(moving) ? longest : moving)));
  const script = transactionScript(command, stage, owner, timeout);
  return parseTransactionOutput(await runAsRoot(connection, script, { step: steps[command], timeout: timeout + seconds.observe, ...(onLine ? { onLine: (line: string) => (statusLine.test(line) ? undefined : onLine(line)) } : {}) }));
}

const ownerText = ({ stack, host }: Owner) => `printf 'stack %s\\nhost %s\\n' ${quote(stack)} ${quote(host)}`;

function stageOf(command: Command, plan: Plan, observation: Observation, owner: Owner, { begun = new Date().toISOString(), digestOfConfiguration, signature = [] }: ApplyOptions = {}): Stage {
  const list = (items: string[]) => items.map((item) => `${item}\n`).join("");
  const paths = [...plan.writes.map(({ path }) => path), ...plan.removes, ...plan.modes.map(({ path }) => path)];
  const known = paths.flatMap((path) => {
    const file = observation.files[path];
    // Bytes that are no UTF-8 were replaced when they were read: their sum can't be known here.
    return file?.known && file.value.text?.includes("\uFFFD") === false ? [`${sha256(file.value.text)}  ${path}`] : [];
  });
  const staged = (path: string) => plan.writes.flatMap((file, i) => (file.path === path ? [`${inHand}/files/${i + 1}`] : [])).at(0);
  const limitLines = (limits: Plan["processLimits"]) => list(limits.map(({ unit, property, value }) => `${unit} ${property} ${value}`));
  const survivors = observation.containers.known
    ? observation.containers.value.filter(({ id, running }) => running && !plan.docker.stop.includes(id)).map(({ id, name }) => `${id} ${name}`)
    : [];
  const nameOf = (id: string) => (observation.containers.known ? observation.containers.value.find((container) => container.id === id)?.name : undefined) ?? id;
  // One that is about to start, or reloads, runs on.
  const activeOr = (name: string) => (["active", "activating", "reloading"].includes(observation.units[name]?.ActiveState ?? "") ? "active" : "inactive");
  return {
    settings: settings({
      APPARMOR_ENABLE: plan.profiles.enable,
      CONFIRM_SECONDS: whole(seconds.confirm),
      GUARD_SECONDS: String(seconds.guard),
      AUDIT_COMPILE: plan.audit.compile,
      AUDIT_ENABLE: plan.audit.enable,
      CREATE_USER: plan.subordinateIds?.createUser ? plan.subordinateIds.user : "",
      DAEMON_KEYS: plan.daemonKeys.join(","),
      DAEMON_RELOAD: plan.daemonReload,
      DAEMON_SECONDS: whole(seconds.daemon),
      DOCKER: plan.docker.how,
      DOCKER_WAS: activeOr("docker.service"),
      DROP_BETWEEN_CONTAINERS: plan.docker.dropBetweenContainers,
      KEEP_GENERATIONS: String(keepGenerations),
      LIFT_DROP: plan.docker.liftDrop,
      LIVE_RESTORE_FIRST: plan.docker.liveRestoreFirst,
      SOCKET: observation.units["docker.socket"]?.LoadState === "loaded",
      PORT_SECONDS: whole(seconds.ports),
      PROGRESS_SECONDS: String(seconds.progress),
      SETTLE_SECONDS: whole(seconds.settle),
      STOP_CONTAINERD: activeOr("containerd.service") === "active" && plan.volumes.some((step) => stopsDocker(step) && step.mountPoint === containerdData),
      SOCKET_WAS: activeOr("docker.socket"),
      SWITCHES_STORE: plan.docker.switchesStore,
      TOUCHES_VOLUME_FILES: [...paths, ...plan.declared].some((path) => (volumeFiles as readonly string[]).includes(path)),
    }),
    by: list([`stack ${owner.stack}`, `host ${owner.host}`, `configuration ${digestOfConfiguration ?? "-"}`, ...signature, `since ${begun}`]),
    ports: mayEndAnswers(plan, observation) ? list(publishedPorts(observation, plan.docker)) : "",
    writes: list(plan.writes.map(({ path, owner: user, group, mode }) => `${mode} ${user} ${group} ${path}`)),
    ...Object.fromEntries(plan.writes.map(({ text }, i) => [`files/${i + 1}`, text])),
    removes: list(plan.removes),
    modes: list(plan.modes.map(({ path, owner: user, group, mode }) => `${mode} ${user} ${group} ${path}`)),
    expect: list(known),
    "expect-absent": list(plan.writes.map(({ path }) => path).filter((path) => !observation.files[path])),
    ids: list([...(plan.subordinateIds?.uids ?? []).map((line) => `/etc/subuid ${line}`), ...(plan.subordinateIds?.gids ?? []).map((line) => `/etc/subgid ${line}`)]),
    modules: list(plan.modules),
    start: list(plan.start),
    "audit-add": list(plan.audit.add.map(assertRuleOfPlainWords)),
    "audit-remove": list(plan.audit.remove.map(assertRuleOfPlainWords)),
    stop: list(plan.docker.stop.map((id) => `${id} ${nameOf(id)}`)),
    survivors: plan.docker.switchesStore ? "" : list(survivors),
    "process-limits": limitLines(plan.processLimits),
    declared: list(plan.declared),
    "scope-limits": list(plan.scopeLimits.map(({ scope, file, value }) => `${scope} ${file} ${value}`)),
    "slice-limits": limitLines(plan.sliceLimits),
    volumes: list(plan.volumes.map((step) => [step.how, step.mountPoint, step.unit, step.device, step.filesystem, step.options, step.uuid, step.label, step.format ? "yes" : "no", step.bytes].join(" "))),
    "volume-files": list([...volumeFiles]),
    profiles: list(plan.writes.flatMap(({ path }, i) => (profileIn(path) === undefined ? [] : [`${i + 1} ${profileIn(path) ?? ""}`]))),
    "profiles-load": list(plan.profiles.load),
    "profiles-unload": list(plan.profiles.unload),
    ...(plan.docker.liveRestoreFirst ? liveRestoreOnAndOff(observation) : {}),
    ...(command === "apply" ? validation(plan, staged("/etc/docker/daemon.json"), withoutUnmadeUser(plan)) : validation(plan, `${state}/pristine/tree/etc/docker/daemon.json`)),
  };
}

/** Whether a port may answer no more: dockerd is touched, or a profile or a limit that holds at once for who runs. */
const mayEndAnswers = ({ docker, profiles, scopeLimits, sliceLimits }: Plan, observation: Observation) =>
  docker.how !== "nothing" || profiles.load.some((name) => confines(name, observation)) || scopeLimits.length + sliceLimits.length > 0;

/** Of one container: each is waited for a moment, and a published range of thousands would take longer than the whole change may. */
const mostPorts = 16;

/** `name address port` of the TCP ports of containers that run on, or run again, after it. */
function publishedPorts({ containers }: Observation, { stop, switchesStore }: Plan["docker"]): string[] {
  if (!containers.known) return [];
  return containers.value
    .filter(({ id, running }) => running && !(switchesStore && stop.includes(id)))
    .flatMap(({ name, ports }) =>
      Object.entries(ports)
        .flatMap(([port, bindings]) => (port.endsWith("/tcp") ? (bindings ?? []).filter(({ HostIp }) => HostIp !== "::") : []))
        .slice(0, mostPorts)
        .map(({ HostIp, HostPort }) => `${name} ${local(HostIp)} ${HostPort}`),
    );
}

/**
 * What listens on all addresses is asked on the nearest one. `::` is left out: what answers there is docker-proxy, which goes with
 * `userland-proxy: false` (the cost tells).
 */
const local = (address: string) => (address === "" || address === "0.0.0.0" ? "127.0.0.1" : address);

/**
 * The engine's own check of the new daemon.json, or of the original one, with the flags it will meet on the unit's command line.
 *
 * @param instead a text that is checked in place of the file
 */
function validation({ validateWith }: Plan, file: string | undefined, instead?: string): Stage {
  if (file === undefined || !validateWith) return {};
  const [binary = "", ...flags] = validateWith;
  const checked = instead === undefined ? file : `${inHand}/validate.json`;
  return { ...(instead === undefined ? {} : { "validate.json": instead }), validate: `exec ${[binary, "--validate", "--config-file", checked, ...flags].map(quote).join(" ")}\n` };
}

/** The new daemon.json without `userns-remap` where its user is made by the same change: engines look him up when they check it (seen with 26.1). */
function withoutUnmadeUser({ subordinateIds, validateWith, writes }: Plan): string | undefined {
  const text = writes.find(({ path }) => path === "/etc/docker/daemon.json")?.text;
  if (subordinateIds === undefined || !validateWith || text === undefined) return undefined;
  return JSON.stringify({ ...(JSON.parse(text) as JsonObject), "userns-remap": undefined });
}

/** The daemon.json of before with live-restore, and without: so that containers outlive the way back as they do the change. */
function liveRestoreOnAndOff(observation: Observation): Stage {
  const before = daemonConfigurationOn(observation);
  if (unreadable in before) return {};
  const text = (on: boolean) => `${JSON.stringify({ ...before, "live-restore": on })}\n`;
  return { "live-restore-on": text(true), "live-restore-off": text(false) };
}

/** The shell there counts in whole seconds, and with a factor ours need be none. */
const whole = (limit: number) => String(Math.ceil(limit));

const settings = (values: Record<string, string | boolean>) =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${quote(typeof value === "boolean" ? (value ? "yes" : "no") : value)}\n`)
    .join("");

/** A rule is split into words by the shell there. */
function assertRuleOfPlainWords(rule: string): string {
  if (!/^[\w ,=/.:!<>&@+-]+$/.test(rule)) throw new Error(`not an audit rule of plain words: ${rule}`);
  return rule;
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
