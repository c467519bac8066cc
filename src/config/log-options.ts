/**
 * What a log driver takes as log-opts. A wrong name or value keeps dockerd from starting, and `dockerd --validate` does
 * not look at it, so it is checked here. Names from the engine's source, daemon/logger, 20.10 to 29.8.
 */

import { didYouMean, showValue } from "./problems.ts";

export interface LogFinding {
  /** The options that are wrong, alone or together. */
  options: string[];
  /** Whether another driver would take them. */
  ofDriver?: boolean;
  text: string;
}

/** Everything that is wrong with the options of a driver; nothing is said of drivers that are plugins. */
export function checkLogOptions(driver: string, options: Readonly<Record<string, string>>): LogFinding[] {
  const own = driverOptions[driver];
  const known = own && [...own, ...common, ...(remote.has(driver) ? cache : [])];
  const findings: LogFinding[] = [];
  for (const [option, value] of Object.entries(options)) {
    if (known && !known.includes(option)) {
      findings.push({ options: [option], ofDriver: true, text: `the log driver ${driver} has no such option${didYouMean(option, known)}` });
      continue;
    }
    if (secretOption.test(option)) {
      findings.push({ options: [option], text: "a secret in clear; Drydock carries none: use a log driver that reads it on the host" });
      continue;
    }
    const check = values[option];
    if (!check || check.test(value)) continue;
    findings.push({ options: [option], text: `${showValue(value, [option])} is not allowed; allowed: ${allowed[option] ?? "another value"}` });
  }
  return [...findings, ...checkTogether(options), ...checkRotation(driver, options), ...checkRequired(driver, options)];
}

/** logentries is one up to engine 24 only. */
export const isBuiltInDriver = (driver: string) => driver in driverOptions || driver === "logentries";

// --- Internal ---

const common = ["mode", "max-buffer-size", "tag", "labels", "labels-regex", "env", "env-regex"];
const cache = ["cache-disabled", "cache-max-size", "cache-max-file", "cache-compress"];
const remote = new Set(["syslog", "gelf", "fluentd", "awslogs", "splunk", "gcplogs"]);
const secretOption = /token|passw|secret|api-?key|credentials$/i;

const driverOptions: Record<string, string[] | undefined> = {
  none: [],
  "json-file": ["max-size", "max-file", "compress"],
  local: ["max-size", "max-file", "compress"],
  journald: [],
  syslog: [
    "syslog-address", "syslog-facility", "syslog-format", "syslog-tls-ca-cert", "syslog-tls-cert", "syslog-tls-key", "syslog-tls-skip-verify",
  ],
  gelf: ["gelf-address", "gelf-compression-level", "gelf-compression-type", "gelf-tcp-max-reconnect", "gelf-tcp-reconnect-delay"],
  fluentd: [
    "fluentd-address", "fluentd-async", "fluentd-async-connect", "fluentd-async-reconnect-interval", "fluentd-buffer-limit", "fluentd-max-retries",
    "fluentd-read-timeout", "fluentd-request-ack", "fluentd-retry-wait", "fluentd-sub-second-precision", "fluentd-write-timeout",
  ],
  awslogs: [
    "awslogs-create-group", "awslogs-create-stream", "awslogs-credentials-endpoint", "awslogs-datetime-format", "awslogs-endpoint", "awslogs-format",
    "awslogs-force-flush-interval-seconds", "awslogs-group", "awslogs-max-buffered-events", "awslogs-multiline-pattern", "awslogs-region", "awslogs-stream",
    "awslogs-entity-attributes", "awslogs-entity-environment", "awslogs-entity-service-name",
  ],
  splunk: [
    "splunk-caname", "splunk-capath", "splunk-format", "splunk-gzip", "splunk-gzip-level", "splunk-index", "splunk-index-acknowledgment",
    "splunk-insecureskipverify", "splunk-source", "splunk-sourcetype", "splunk-token", "splunk-url", "splunk-verify-connection",
  ],
  gcplogs: ["gcp-log-cmd", "gcp-meta-id", "gcp-meta-name", "gcp-meta-zone", "gcp-project"],
};

const facilities = [
  "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
  "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
/** With log-opts, but without these, dockerd does not start (ValidateLogOpt of each). Those of splunk each container may bring. */
const required: Record<string, string[] | undefined> = { gelf: ["gelf-address"], awslogs: ["awslogs-group"] };

const values: Record<string, RegExp | undefined> = {
  // daemon/logger/gelf, parseAddress
  "gelf-address": /^(?:udp|tcp):\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/,
  mode: /^(?:blocking|non-blocking)$/,
  "max-buffer-size": /^\d+(?:\.\d+)?[kmg]?b?$/i,
  // The engine takes 0 and -1 from a daemon.json, and then starts no container (jsonfilelog.go, New).
  "max-size": /^(?!0+(?:\.0+)?[a-z]*$)\d+(?:\.\d+)?[kmg]?b?$/i,
  "max-file": /^[1-9]\d*$/,
  compress: /^(?:true|false)$/,
  "syslog-address": /^(?:unix|unixgram):\/\/\/\S+$|^(?:udp|tcp|tcp\+tls):\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/,
  "syslog-facility": new RegExp(`^(?:${facilities.join("|")}|\\d|1\\d|2[0-3])$`),
  "syslog-format": /^(?:rfc3164|rfc5424|rfc5424micro)$/,
  "syslog-tls-skip-verify": /^$/,
  "syslog-tls-ca-cert": /^\/\S+$/,
  "syslog-tls-cert": /^\/\S+$/,
  "syslog-tls-key": /^\/\S+$/,
};
const allowed: Record<string, string | undefined> = {
  "gelf-address": "udp://host:port or tcp://host:port",
  mode: "blocking, non-blocking",
  "max-buffer-size": "a size such as 4m",
  "max-size": "a size above 0 such as 10m; without it there is no limit",
  "max-file": 'a number in quotes such as "3"',
  compress: '"true" or "false" in quotes',
  "syslog-address": "unixgram:///dev/log, unix://path, udp://host:port, tcp://host:port or tcp+tls://host:port",
  "syslog-facility": `${facilities.join(", ")}, or a number from 0 to 23`,
  "syslog-format": "rfc3164, rfc5424, rfc5424micro",
  // The engine reads any value, even "false", as "do not verify".
  "syslog-tls-skip-verify": "not to be set: any value switches the check of the collector off",
  "syslog-tls-ca-cert": "an absolute path on the host",
  "syslog-tls-cert": "an absolute path on the host",
  "syslog-tls-key": "an absolute path on the host",
};

/** dockerd starts with these, and no container does (daemon/logger/jsonfilelog/jsonfilelog.go, local/config.go). */
function checkRotation(driver: string, { compress, "max-file": files, "max-size": size }: Readonly<Record<string, string>>): LogFinding[] {
  if (driver === "json-file" && compress === "true" && (size === undefined || files === undefined || files === "1")) {
    return [{ options: ["compress", "max-file", "max-size"], text: 'with json-file compress needs max-size and a max-file of "2" or more, or no container would start' }];
  }
  if (driver === "local" && files === "1" && compress !== "false") {
    return [{ options: ["max-file", "compress"], text: 'with local a max-file of "1" needs compress: "false", or no container would start' }];
  }
  return [];
}

function checkRequired(driver: string, options: Readonly<Record<string, string>>): LogFinding[] {
  return (required[driver] ?? []).filter((option) => !options[option]).map((option) => ({
    options: [],
    ofDriver: true,
    text: `${driver} needs ${option}, or dockerd would not start; set it under log-opts`,
  }));
}

function checkTogether(options: Readonly<Record<string, string>>): LogFinding[] {
  const findings: LogFinding[] = [];
  if (options["max-buffer-size"] !== undefined && options["mode"] !== "non-blocking") {
    findings.push({ options: ["max-buffer-size", "mode"], text: "max-buffer-size is only valid with mode: non-blocking" });
  }
  const files = ["syslog-tls-ca-cert", "syslog-tls-cert", "syslog-tls-key"].filter((option) => options[option] !== undefined);
  if (files.length > 0 && !options["syslog-address"]?.startsWith("tcp+tls://")) {
    findings.push({ options: files, text: "only valid with a syslog-address tcp+tls://" });
  }
  const pair = ["syslog-tls-cert", "syslog-tls-key"].filter((option) => options[option] !== undefined);
  if (pair.length === 1) findings.push({ options: pair, text: "syslog-tls-cert and syslog-tls-key belong together" });
  return findings;
}
