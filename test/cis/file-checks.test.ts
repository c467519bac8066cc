import { describe, expect, it } from "vitest";
import { evaluateHost } from "../../src/cis/evaluate.ts";
import { isAsStrict, tlsPaths } from "../../src/cis/file-checks.ts";
import { known, unknown, type Known } from "../../src/observed/records.ts";
import type { FileState, Observation } from "../../src/observed/observation.ts";
import { defaultHost, file, withDaemonJson } from "../support/observation.ts";

const resultFor = (id: string, host: Observation) => evaluateHost(host).find((result) => result.id === id);

const withFile = (path: string, state: Known<FileState>, host = defaultHost()): Observation => ({ ...host, files: { ...host.files, [path]: state } });

describe("as strict as", () => {
  it.each([
    ["0644", "0644", true],
    ["0600", "0644", true],
    ["0400", "0400", true],
    // A smaller number, and yet others may execute and the owner's group may write.
    ["0577", "0644", false],
    ["1644", "0644", false],
    ["0645", "0644", false],
    ["0444", "0400", false],
  ])("%s within %s: %s", (mode, permitted, strict) => {
    expect(isAsStrict(mode, permitted)).toBe(strict);
  });
});

describe("CIS 3", () => {
  const key = withDaemonJson({ tlskey: "/etc/docker/tls/key.pem" });
  it.each([
    ["3.1", "the vendor's unit", defaultHost(), "pass"],
    ["3.2", "a unit that all may write", withFile("/lib/systemd/system/docker.service", file(undefined, { mode: "0666" })), "fail"],
    ["3.5", "a folder of somebody else", withFile("/etc/docker", file(undefined, { owner: "ops", mode: "0755", kind: "directory" })), "fail"],
    ["3.7", "no registry certificate", defaultHost(), "not applicable"],
    ["3.8", "one of two is too wide", withFile("/etc/docker/certs.d/b/ca.crt", file(undefined, { mode: "0644" }), withFile("/etc/docker/certs.d/a/ca.crt", file(undefined, { mode: "0444" }), defaultHost({ registryCertificates: known(["/etc/docker/certs.d/a/ca.crt", "/etc/docker/certs.d/b/ca.crt"]) }))), "fail"],
    ["3.13", "no TLS key is named", defaultHost(), "not applicable"],
    ["3.14", "a key that its owner may write", withFile("/etc/docker/tls/key.pem", file(undefined, { mode: "0600" }), key), "fail"],
    ["3.14", "a key as the benchmark wants it", withFile("/etc/docker/tls/key.pem", file(undefined, { mode: "0400" }), key), "pass"],
    ["3.15", "root:docker", defaultHost(), "pass"],
    ["3.16", "a socket for everybody", withFile("/run/docker.sock", file(undefined, { group: "docker", mode: "0666", kind: "socket" })), "fail"],
    ["3.17", "no daemon.json", defaultHost(), "not applicable"],
    ["3.18", "a file that can't be looked at", withFile("/etc/docker/daemon.json", unknown("stat: Permission denied")), "unknown"],
    ["3.21", "nothing of Red Hat", defaultHost(), "not applicable"],
  ])("%s: %s", (id, _what, host, verdict) => {
    expect(resultFor(id, host)).toMatchObject({ id, verdict });
  });

  it("calls a socket's state in effect, a file's on disk", () => {
    expect(resultFor("3.16", defaultHost())).toMatchObject({ inEffect: "0660", evidence: "stat: /run/docker.sock root:docker 0660" });
    expect(resultFor("3.6", defaultHost())).toMatchObject({ onDisk: "0755" });
  });
});

it("names the TLS files that a daemon.json names", () => {
  expect(tlsPaths({ tlskey: "/k", tlscacert: "/ca", icc: false })).toEqual(["/ca", "/k"]);
});
