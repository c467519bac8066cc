import { expect, it } from "vitest";
import { address, countLog } from "../../../lab/hosts/records.ts";

it("gives every number an address of its own", () => {
  expect([1, 255, 256, 1000].map(address)).toEqual(["10.77.0.1", "10.77.0.255", "10.77.1.0", "10.77.3.232"]);
});

it("counts connections and sessions in sshd's log", () => {
  const log = `Server listening on 0.0.0.0 port 22.
Connection from 10.77.255.254 port 43312 on 10.77.0.1 port 22 rdomain ""
Accepted key ED25519 SHA256:Zx found at /root/.ssh/authorized_keys:1
Accepted publickey for root from 10.77.255.254 port 43312 ssh2: ED25519 SHA256:Zx
Starting session: command for root from 10.77.255.254 port 43312 id 0
Starting session: command for root from 10.77.255.254 port 43312 id 0
Connection closed by 10.77.255.254 port 43313
`;
  expect(countLog(log)).toEqual({ connections: 1, sessions: 2 });
});
