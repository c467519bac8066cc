/** The daemon on TCP, for clients with a certificate only; and what waits for a reboot, until it came. Over root's own login. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMachine, type Machine } from "../../lab/machine.ts";
import { consent, Stack } from "./stack.ts";

let machine: Machine;
const stack = new Stack("tcp");

const tls = { tlsverify: true, tlscacert: "/etc/docker/tls/ca.pem", tlscert: "/etc/docker/tls/server.pem", tlskey: "/etc/docker/tls/server.key" };
const hosts = ["fd://", "tcp://127.0.0.1:2376"];

beforeAll(async () => {
  machine = await startMachine({ name: "e2e-tcp", replace: true });
  await machine.waitForDocker();
  await machine.run(`
    mkdir -p /etc/docker/tls /root/client && cd /etc/docker/tls
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca -keyout /root/ca.key -out ca.pem 2>/dev/null
    sign() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$2" -out /root/csr 2>/dev/null
      printf '%s' "$4" >/root/ext; openssl x509 -req -in /root/csr -CA ca.pem -CAkey /root/ca.key -CAcreateserial -days 2 -extfile /root/ext -out "$3" 2>/dev/null; }
    sign server server.key server.pem subjectAltName=IP:127.0.0.1
    sign client /root/client/key.pem /root/client/cert.pem extendedKeyUsage=clientAuth
    cp ca.pem /root/client/; chmod 444 ca.pem server.pem; chmod 644 server.key`);
  // Somebody else's audit rules are final until the next boot.
  await machine.run("auditctl -e 2 >/dev/null");
  stack.configure({ profile: "baseline", hosts: { web1: { connection: machine.connection("root"), allow: consent, daemon: { hosts, ...tls } } } });
  await stack.init();
});

afterAll(async () => {
  await machine.stop();
  stack.remove();
});

describe("a private key that everybody can read", () => {
  it("is refused, with the command that mends it", async () => {
    const { exitCode, output } = await stack.up();
    expect(exitCode).not.toBe(0);
    expect(output).toContain("daemon.tlskey: /etc/docker/tls/server.key has mode 0644, and at most 400 is safe; run: chown root:root /etc/docker/tls/server.key && chmod 400 /etc/docker/tls/server.key");
    await machine.run("chmod 400 /etc/docker/tls/server.key");
  });
});

describe("a daemon on TCP", () => {
  it("comes up beside the unit's own -H fd://, and says what waits for a reboot", async () => {
    const { exitCode, output } = await stack.up();
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(/pending: \d+ audit rules wait for a reboot: the kernel takes no changes \(auditctl -s: enabled 2\)/);
    expect(await machine.run("auditctl -l")).toBe("No rules");
  });

  it("answers a client with a certificate, and nobody else", async () => {
    const client = "docker -H tcp://127.0.0.1:2376 --tlsverify --tlscacert /root/client/ca.pem";
    expect(await machine.run(`${client} --tlscert /root/client/cert.pem --tlskey /root/client/key.pem info -f '{{.LiveRestoreEnabled}}'`)).toBe("true");
    expect((await machine.ssh(`${client} ps`)).stderr).toMatch(/certificate required|bad certificate/);
    expect((await machine.ssh("docker -H tcp://127.0.0.1:2376 ps")).stderr).toContain("HTTP request to an HTTPS server");
    expect(await machine.run("docker info -f ok")).toBe("ok");
  });

  it("is without changes in the next preview: what is pending is no drift", async () => {
    const { exitCode, output } = await stack.preview("--expect-no-changes");
    expect(exitCode, output).toBe(0);
  });
});

describe("after a reboot", () => {
  it("has its audit rules, its addresses, and nothing left to change", async () => {
    await machine.reboot();
    await machine.waitForDocker();
    expect(await machine.run("auditctl -l | grep -c key=docker")).not.toBe("0");
    // The last one of the file: a rule that fails at boot ends the load.
    expect((await machine.ssh("auditctl -l | grep -q 'path=/usr/sbin/runc'")).exitCode).toBe(0);
    const { exitCode, output } = await stack.preview("--expect-no-changes");
    expect(exitCode, output).toBe(0);
    expect(output).not.toMatch(/pending: \d+ audit rules/);
    // The stack's outputs count what waited until then.
    expect(output).toMatch(/pending +: \d+ => 0/);
  });
});
