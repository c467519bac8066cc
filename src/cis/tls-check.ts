/** CIS 2.7: a daemon that listens on TCP lets in only clients with a certificate of its CA. */

import type { Json } from "../desired/host-inputs.ts";
import { known, unknown, type Known } from "../observed/records.ts";
import { daemonSetting } from "./daemon-settings.ts";
import { decide, whenKnown, type Evidence, type Finding } from "./verdict.ts";

export function checkTls(evidence: Evidence): Finding {
  const hosts = daemonSetting("hosts", evidence);
  const verify = daemonSetting("tlsverify", evidence);
  const onDisk = together(hosts.onDisk, verify.onDisk);
  const inEffect = together(hosts.inEffect, verify.inEffect);
  const shown = { onDisk: inWords(onDisk), inEffect: inWords(inEffect) };
  if (onDisk.known && inEffect.known && onDisk.value.tcp.length === 0 && inEffect.value.tcp.length === 0) {
    return { ...shown, verdict: "not applicable", evidence: "dockerd does not listen on TCP" };
  }
  const satisfied = ({ tcp, verified }: Listening) => tcp.length === 0 || verified;
  const verdict = decide({ disk: whenKnown(onDisk, satisfied), effect: whenKnown(inEffect, satisfied), waitsFor: hosts.waitsFor });
  return { ...shown, verdict, evidence: verdict === "pending" ? `waits for ${hosts.waitsFor ?? ""}` : `the files: ${shown.onDisk}; running: ${shown.inEffect}` };
}

// --- Internal ---

interface Listening {
  tcp: string[];
  verified: boolean;
}

function together(hosts: Known<Json | undefined>, verify: Known<Json | undefined>): Known<Listening> {
  if (!hosts.known) return unknown(hosts.reason);
  if (!verify.known) return unknown(verify.reason);
  const addresses = Array.isArray(hosts.value) ? hosts.value.map(String) : [];
  // `-H 0.0.0.0:2375` and `-H :2375` mean tcp:// (dockerd(8)).
  const tcp = addresses.filter((address) => !/^(?:unix|fd|npipe):\/\//.test(address));
  return known({ tcp, verified: verify.value === true });
}

function inWords(listening: Known<Listening>): string {
  if (!listening.known) return `unknown: ${listening.reason}`;
  const { tcp, verified } = listening.value;
  return tcp.length === 0 ? "no TCP" : `${tcp.join(", ")} ${verified ? "with" : "without"} client verification`;
}
