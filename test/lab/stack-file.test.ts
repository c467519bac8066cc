import { expect, it } from "vitest";
import type { LabConnection } from "../../lab/machine.ts";
import { renderLabStackFile } from "../../lab/stack-file.ts";

const CONNECTION: LabConnection = { host: "127.0.0.1", port: 22_001, user: "ops", hostKey: "ssh-ed25519 AAAA", identityFile: "~/key" };

it("names the machines that run", () => {
  expect(renderLabStackFile("", [{ name: "lab", connection: CONNECTION }])).toMatchInlineSnapshot(`
    "# Written by \`npm run lab\`: the hosts are the machines that run. Other settings stay.
    config:
      drydock:profile: strict
      drydock:hosts:
        lab:
          connection:
            host: 127.0.0.1
            port: 22001
            user: ops
            hostKey: ssh-ed25519 AAAA
            identityFile: ~/key
          allow:
            - hide-containers
            - restart-containers
            - restore-original
    "
  `);
});

it("keeps what the engine and people wrote, and takes the new connection", () => {
  const old = `encryptionsalt: v1:abc
config:
  # tried by hand
  drydock:profile: baseline
  drydock:hosts:
    lab:
      connection: { host: 127.0.0.1, port: 1 }
      allow: []
      daemon: { icc: true }
    gone: { connection: { port: 2 } }
`;
  const text = renderLabStackFile(old, [{ name: "lab", connection: CONNECTION }]);
  expect(text).toContain("encryptionsalt: v1:abc");
  expect(text).toContain("# tried by hand\n  drydock:profile: baseline");
  expect(text).toContain("port: 22001");
  expect(text).toContain("allow: []");
  expect(text).toContain("daemon: { icc: true }");
  expect(text).not.toContain("gone");
});

it("can be read again when no machine runs", () => {
  const one = renderLabStackFile("", [{ name: "lab", connection: CONNECTION }]);
  const none = renderLabStackFile(one, []);
  expect(none).toContain("drydock:hosts: {}");
  expect(renderLabStackFile(none, [{ name: "lab", connection: CONNECTION }])).toBe(one);
});
