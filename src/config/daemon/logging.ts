/** Keys of daemon.json for what containers and the daemon itself log. */

import { anyText, flag, oneOf, setting, tableOf, text } from "../setting.ts";

export const loggingKeys = {
  "log-driver": setting(text("the name of a log driver or plugin", /^[A-Za-z0-9][\w./:-]*$/), {
    description: "Where new containers log to. A layer that changes the driver drops the log-opts of earlier layers.",
    initially: "json-file",
    cost: "containers made again",
    cis: "2.13",
    see: "https://docs.docker.com/engine/logging/configure/",
  }),
  "log-opts": setting(tableOf(anyText.nullable().meta({ allowed: "text in quotes" }), "options in text by name"), {
    description: "Options of the log driver. A wrong one keeps the daemon from starting, so names and values are checked here.",
    initially: "{}",
    cost: "containers made again",
    cis: "2.13",
    see: "https://docs.docker.com/engine/logging/drivers/",
  }),
  "log-level": setting(oneOf(["debug", "info", "warn", "error", "fatal"]), {
    description: "How much the daemon itself logs.",
    initially: "info",
    cost: "restart",
    cis: "2.3",
  }),
  "log-format": setting(oneOf(["text", "json"]), { description: "Form of the daemon's own log.", initially: "text", cost: "restart", since: "25.0" }),
  "raw-logs": setting(flag, { description: "Full timestamps without colours in the daemon's own log.", initially: "false", cost: "restart" }),
  debug: setting(flag, { description: "Debug log and API endpoints of the daemon.", initially: "false", cost: "reload" }),
} as const;
