/** What is known of light hosts without asking them: addresses, limits that can be set there, what their logs tell. */

export interface Counts {
  /** That sshd let in. */
  connections: number;
  /** Commands over them. */
  sessions: number;
}

/** Nobody sees it but the set's own namespaces. */
export const controlAddress = "10.77.255.254";

/**
 * What a stack file for light hosts says of the services: the kernel is this machine's, and where the lab may not raise a
 * limit, only lower ones can be set. The values of profile `strict` would be refused.
 */
export const lightHostServices = {
  docker: { nofile: 4096, oomScoreAdjust: 100 },
  containerd: { nofile: "1024:4096", oomScoreAdjust: 50 },
};

export function address(number: number): string {
  return `10.77.${number >> 8}.${number & 255}`;
}

// Accepted publickey for root from 10.77.255.254 port 43312 ssh2: ED25519 SHA256:…
// Starting session: command for root from 10.77.255.254 port 43312 id 0
export function countLog(log: string): Counts {
  return { connections: log.match(/^Accepted publickey /gm)?.length ?? 0, sessions: log.match(/^Starting session: /gm)?.length ?? 0 };
}
