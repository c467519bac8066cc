import { describe, expect, it } from "vitest";
import { readFleet } from "../../src/config/fleet.ts";
import { checkLogOptions } from "../../src/config/log-options.ts";

const size = (value: string): string => `${JSON.stringify(value)} is not allowed; allowed: a size above 0 such as 10m; without it there is no limit`;
const jsonFile = 'with json-file compress needs max-size and a max-file of "2" or more, or no container would start';
const local = 'with local a max-file of "1" needs compress: "false", or no container would start';

/** dockerd takes each of these, or its validation does, and no container starts with what is refused here. */
it.each<[string, Record<string, string>, string[]]>([
  ["json-file", { "max-size": "10m", "max-file": "3" }, []],
  ["json-file", { "max-size": "1.5g" }, []],
  ["json-file", { "max-size": "-1" }, [size("-1")]],
  ["json-file", { "max-size": "0" }, [size("0")]],
  ["json-file", { "max-size": "0.0k" }, [size("0.0k")]],
  ["json-file", { compress: "true", "max-size": "10m", "max-file": "2" }, []],
  ["json-file", { compress: "true", "max-size": "10m" }, [jsonFile]],
  ["json-file", { compress: "true", "max-file": "3" }, [jsonFile]],
  ["json-file", { compress: "true", "max-size": "10m", "max-file": "1" }, [jsonFile]],
  ["json-file", { compress: "false" }, []],
  ["local", { "max-file": "1" }, [local]],
  ["local", { "max-file": "1", compress: "true" }, [local]],
  ["local", { "max-file": "1", compress: "false" }, []],
  ["local", { "max-file": "2" }, []],
  ["gelf", { "gelf-address": "udp://logs.example:12201" }, []],
  ["gelf", { "gelf-address": "tcp://[2001:db8::1]:12201", tag: "web" }, []],
  ["gelf", { "gelf-address": "logs.example:12201" }, ['"logs.example:12201" is not allowed; allowed: udp://host:port or tcp://host:port']],
  ["gelf", { tag: "web" }, ["gelf needs gelf-address, or dockerd would not start; set it under log-opts"]],
  ["awslogs", { "awslogs-region": "eu-central-1" }, ["awslogs needs awslogs-group, or dockerd would not start; set it under log-opts"]],
  ["awslogs", { "awslogs-group": "docker" }, []],
  ["gelf", { "gelf-address": "udp://log_collector:12201" }, []],
  // The token each container brings.
  ["splunk", { "splunk-url": "https://192.0.2.1:8088" }, []],
])("%s with %j", (driver, options, texts) => {
  expect(checkLogOptions(driver, options).map(({ text }) => text)).toEqual(texts);
});

describe("a stack file", () => {
  const read = (daemon: Record<string, unknown>) => () => readFleet({ profile: "baseline", hosts: { web1: { connection: { host: "192.0.2.10" }, daemon } } });

  it("that leaves out what its log driver needs is told so", () => {
    expect(read({ "log-driver": "gelf", "log-opts": { "max-size": null, "max-file": null, tag: "web" } })).toThrow(/hosts\.web1\.daemon\.log-opts: gelf needs gelf-address, or dockerd would not start; set it under log-opts/);
  });

  it("without log-opts leaves them to the host, which may have its own", () => {
    expect(read({ "log-driver": "gelf", "log-opts": null })).not.toThrow();
    expect(read({ "log-driver": "gelf", "log-opts": { "max-size": null, "max-file": null } })).not.toThrow();
  });
});
