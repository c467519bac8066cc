import { expect, it } from "vitest";
import { logDestination, type LogDestination } from "../../src/config/log-destination.ts";

const tcp = (host: string, port: number): LogDestination => ({ kind: "tcp", host, port });
const socket = (path: string): LogDestination => ({ kind: "socket", path });

it.each<[string, Record<string, unknown>, LogDestination | undefined]>([
  ["syslog", {}, socket("/dev/log")],
  ["syslog", { "syslog-address": "unixgram:///run/log" }, socket("/run/log")],
  ["syslog", { "syslog-address": "unix:///run/log" }, socket("/run/log")],
  ["syslog", { "syslog-address": "tcp://logs.example" }, tcp("logs.example", 514)],
  ["syslog", { "syslog-address": "tcp+tls://192.0.2.1:6514" }, tcp("192.0.2.1", 6514)],
  ["syslog", { "syslog-address": "tcp://[2001:db8::1]:514" }, tcp("2001:db8::1", 514)],
  ["syslog", { "syslog-address": "udp://logs.example:514" }, undefined],
  ["syslog", { "syslog-address": "tcp://a\nb" }, undefined],
  ["syslog", { "syslog-address": "tcp://$(id)" }, undefined],
  ["journald", {}, socket("/run/systemd/journal/socket")],
  ["gelf", { "gelf-address": "tcp://logs.example:12201" }, tcp("logs.example", 12201)],
  ["gelf", { "gelf-address": "udp://logs.example:12201" }, undefined],
  ["fluentd", {}, tcp("127.0.0.1", 24224)],
  ["fluentd", { "fluentd-address": "logs.example:24225" }, tcp("logs.example", 24225)],
  ["fluentd", { "fluentd-address": "tls://logs.example" }, tcp("logs.example", 24224)],
  ["fluentd", { "fluentd-address": "unix:///run/fluent.sock" }, socket("/run/fluent.sock")],
  ["fluentd", { "fluentd-async": "true" }, undefined],
  ["fluentd", { "fluentd-async": "false" }, tcp("127.0.0.1", 24224)],
  ["json-file", { "max-size": "10m" }, undefined],
  ["a-plugin", { "syslog-address": "tcp://logs.example" }, undefined],
])("%s %j", (driver, options, destination) => {
  expect(logDestination(driver, options)).toEqual(destination);
});
