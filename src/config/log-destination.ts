/**
 * What has to be there before a container can start with a log driver: dockerd opens it for each container that starts, also after
 * a boot (moby daemon/logger/*, New), and the containers whose driver can't do not start.
 */

export type LogDestination = { kind: "socket"; path: string } | { kind: "tcp"; host: string; port: number };

/** Undefined where nothing has to answer, such as udp, and for drivers of which nobody knows. */
export function logDestination(driver: string, options: Readonly<Record<string, unknown>>): LogDestination | undefined {
  const text = (option: string) => (typeof options[option] === "string" ? options[option] : "");
  switch (driver) {
    case "syslog":
      return parseAddress(text("syslog-address") || "unixgram:///dev/log", 514);
    case "journald":
      return { kind: "socket", path: "/run/systemd/journal/socket" };
    case "gelf":
      return parseAddress(text("gelf-address"), 12201);
    case "fluentd":
      // With it the driver connects later, and keeps what it can't send.
      return [text("fluentd-async"), text("fluentd-async-connect")].some((value) => /^(1|t|true)$/i.test(value)) ? undefined : parseAddress(text("fluentd-address") || "127.0.0.1", 24224, "tcp");
    default:
      return undefined;
  }
}

// --- Internal ---

/** tcp+tls://logs.example:6514, unixgram:///dev/log, and for fluentd logs.example as well. */
function parseAddress(address: string, defaultPort: number, defaultProtocol = ""): LogDestination | undefined {
  const [, protocol = defaultProtocol, rest = ""] = /^(?:([a-z+]+):\/\/)?(.*)$/.exec(address) ?? [];
  if (protocol === "unix" || protocol === "unixgram") return /^\/\S+$/.test(rest) ? { kind: "socket", path: rest } : undefined;
  const [, host, port] = /^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(rest) ?? [];
  if (!["tcp", "tcp+tls", "tls"].includes(protocol) || host === undefined) return undefined;
  return { kind: "tcp", host: host.replace(/^\[|\]$/g, ""), port: Number(port ?? defaultPort) };
}
