import { expect, it } from "vitest";
import { parseEnvironmentFlags, unitEnvironment } from "../../src/observed/environment-flags.ts";

it("a line a flag", () => {
  expect(parseEnvironmentFlags("/etc/default/docker DOCKER_OPTS --log-level\n/etc/two words OPTIONS -H\n")).toEqual([
    { file: "/etc/default/docker", variable: "DOCKER_OPTS", flag: "--log-level" },
    { file: "/etc/two words", variable: "OPTIONS", flag: "-H" },
  ]);
  expect(parseEnvironmentFlags("")).toEqual([]);
  expect(() => parseEnvironmentFlags("hunter2\n")).toThrow("not of this form: hunter2");
});

it.each<[string, string[]]>([
  ['Environment="DOCKER_OPTS=--log-level=debug -H tcp://192.0.2.1 --iptables=false"', ["--log-level", "-H", "--iptables=false"]],
  ["Environment='DOCKER_OPTS=--debug'", ["--debug"]],
  ["Environment=DOCKER_OPTS=--debug OTHER=1", ["--debug"]],
  ['Environment="HTTP_PROXY=http://user:hunter2-x@192.0.2.1"', []],
  ["ExecStart=/usr/bin/dockerd --debug", []],
])("of a unit: %s", (line, flags) => {
  const found = unitEnvironment(`# /etc/systemd/system/docker.service.d/own.conf\n[Service]\n${line}\n`);
  expect(found).toEqual(flags.map((flag) => ({ file: "/etc/systemd/system/docker.service.d/own.conf", variable: "DOCKER_OPTS", flag })));
});
