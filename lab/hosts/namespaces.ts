/** Whether this machine can hold light hosts, tried out: containers and hardened kernels often forbid it. */

import { $ } from "zx";

/** @returns why not, in one sentence; undefined when it can. */
export async function whyNoLightHosts(): Promise<string | undefined> {
  if (process.platform !== "linux") return `light hosts need Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "light hosts need root, to make namespaces and mounts";
  const name = `drydock-try-${process.pid}`;
  const tried = await $({ quiet: true, nothrow: true })`ip netns add ${name} && ip netns del ${name} && unshare -m -n -u -i -p --fork --propagation private sh -c ${"mount -t tmpfs tmpfs /mnt && mkdir /mnt/l /mnt/u /mnt/w /mnt/r && mount -t overlay -o lowerdir=/mnt/l,upperdir=/mnt/u,workdir=/mnt/w overlay /mnt/r"}`;
  return tried.exitCode === 0 ? undefined : `this machine can't make namespaces: ${tried.stderr.trim().split("\n").at(-1) ?? "no reason given"}`;
}
