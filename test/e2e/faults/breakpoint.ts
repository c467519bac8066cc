/**
 * Stops a transaction at one of its steps, without anything in the product for it: the command that the step runs is found in
 * /usr/local/sbin first, where a stand-in waits before it becomes the real one.
 */

import type { Machine } from "../../../lab/machine.ts";

/** The steps of a transaction, in their order, each by the command that begins it and its arguments. */
export const steps = {
  sending: ["systemd-run", ".*--unit=drydock-apply\\.service.*"],
  saving: ["head", "-c 1048576 .*"],
  arming: ["systemd-run", ".*--unit=drydock-guard .*"],
  begun: ["rm", "-rf -- /var/lib/drydock/transaction\\.broken"],
  installing: ["mv", "-T -- .* /etc/docker/daemon\\.json"],
  "loading audit rules": ["auditctl", "-R .*"],
  "loading profiles": ["apparmor_parser", "-r -K /etc/apparmor\\.d/.*"],
  "stopping dockerd": ["systemctl", "stop docker\\.service"],
  "starting dockerd": ["systemctl", "start docker\\.service"],
  "health check": ["docker", "import .*"],
  confirming: ["flock", "-w 60 9"],
  keeping: ["ln", "-sfn .* /var/lib/drydock/current"],
  ending: ["rm", "-rf -- /var/lib/drydock/transaction\\.ended"],
  "removing ours": ["rm", "-f -- /etc/docker/daemon\\.json .*"],
  "going back": ["cp", "-a -- .*daemon\\.json /etc/docker/daemon\\.json\\.drydock-new"],
} as const satisfies Record<string, readonly [command: string, itsArguments: string]>;

export type Step = keyof typeof steps;

/**
 * What the first one who gets there does: wait until it is told to go on, or cut the power, since nobody can log in yet. That it was the
 * first is on the disk before, or the next boot would wait there, too.
 */
type Action = "wait" | "power off";

const folder = "/root/breakpoint";
const absolute = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";

/** On the disk when it returns: it is to hold at the next boot, too. */
export async function breakAt(machine: Machine, step: Step, action: Action = "wait"): Promise<void> {
  const [command, itsArguments] = steps[step];
  const then = action === "wait" ? `until [ -e ${folder}/go ]; do sleep 0.2; done` : "sync; echo o >/proc/sysrq-trigger; sleep 60";
  await machine.run(`
    rm -rf ${folder}; mkdir -p ${folder}
    cat >${folder}/pattern <<'PATTERN'
${itsArguments}
PATTERN
    real=$(${absolute}; command -v ${command})
    cat >/usr/local/sbin/${command} <<SHIM
#!/bin/sh
reached() { ${absolute}; [ -e ${folder}/armed ] && printf '%s\\n' "\\$*" | grep -qxE -f ${folder}/pattern && mv ${folder}/armed ${folder}/reached 2>/dev/null && sync ${folder}; }
hold() { ${absolute}; ${then}; }
if (reached "\\$@"); then (hold); fi
exec $real "\\$@"
SHIM
    chmod 755 /usr/local/sbin/${command}
    touch ${folder}/armed
    sync -f /root`);
}

/** @returns false when nobody came there within `seconds` */
export async function isReached(machine: Machine, seconds: number): Promise<boolean> {
  const { exitCode } = await machine.ssh(`i=0; until [ -e ${folder}/reached ]; do i=$((i+1)); [ $i -lt ${2 * seconds} ] || exit 1; sleep 0.5; done`, { timeout: 3 * seconds });
  return exitCode === 0;
}

/** Whoever waits goes on, and nobody is stopped any more. */
export async function goOn(machine: Machine): Promise<void> {
  await machine.run(`touch ${folder}/go; rm -f ${folder}/armed`);
}

export async function noBreakpoints(machine: Machine): Promise<void> {
  const commands = [...new Set(Object.values(steps).map(([command]) => command))];
  await machine.run(`touch ${folder}/go 2>/dev/null; sleep 0.5; rm -rf ${folder} ${commands.map((command) => `/usr/local/sbin/${command}`).join(" ")}`);
}
