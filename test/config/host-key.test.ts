import { generateKeyPairSync, randomBytes } from "node:crypto";

import { describe, expect, it } from "vitest";

import { isHostKey } from "../../src/config/host-key.ts";

const field = (bytes: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const blob = (...fields: Buffer[]): string => Buffer.concat(fields.map(field)).toString("base64");
const ed25519 = `ssh-ed25519 ${blob(Buffer.from("ssh-ed25519"), randomBytes(32))}`;

describe("isHostKey", () => {
  it.each([
    ["ed25519", ed25519],
    ["with a comment", `${ed25519} root@web1 (2026)`],
    ["rsa", `ssh-rsa ${blob(Buffer.from("ssh-rsa"), Buffer.from([1, 0, 1]), randomBytes(257))}`],
    ["ecdsa", `ecdsa-sha2-nistp256 ${blob(Buffer.from("ecdsa-sha2-nistp256"), Buffer.from("nistp256"), randomBytes(65))}`],
  ])("takes %s", (_, line) => {
    expect(isHostKey(line)).toBe(true);
  });

  it.each([
    ["nothing", ""],
    ["another type before than inside", ed25519.replace("ssh-ed25519", "ssh-rsa")],
    ["a letter lost", ed25519.replace(/.$/, "")],
    ["a key cut short", `ssh-ed25519 ${blob(Buffer.from("ssh-ed25519"), randomBytes(31))}`],
    ["a type alone", `ssh-ed25519 ${blob(Buffer.from("ssh-ed25519"))}`],
    ["bytes left over", `ssh-ed25519 ${blob(Buffer.from("ssh-ed25519"), randomBytes(32), Buffer.from("x"))}`],
    ["an unknown type", `ssh-dss ${blob(Buffer.from("ssh-dss"), randomBytes(20))}`],
    ["options before it", `no-pty ${ed25519}`],
    ["a host name before it", `web1 ${ed25519}`],
    ["two lines", `${ed25519}\n${ed25519}`],
    ["a fingerprint", "SHA256:AAAABBBBCCCCDDDD"],
    ["a private key", generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString()],
  ])("refuses %s", (_, line) => {
    expect(isHostKey(line)).toBe(false);
  });
});
