/** What a machine is like: to compare before a first update and after a destroy. */

import type { Machine } from "../../lab/machine.ts";

/**
 * A line for each file that a hardening could have touched (content, owner, mode), and for each running setting.
 *
 * Left out is what changes by itself: backups that useradd keeps (`passwd-`), Docker's own data, logs, clocks.
 */
export async function snapshot(machine: Machine): Promise<string[]> {
  const text = await machine.run(`
    find /etc /var/lib/drydock \\( -type f -o -type d \\) ! -name '*-' ! -path /etc/mtab ! -name .pwd.lock -printf '%p %U:%G %m %y\\n' 2>/dev/null | sort
    find /etc -type f ! -name '*-' ! -name .pwd.lock -exec sha256sum {} + 2>/dev/null | sort -k2
    auditctl -l; auditctl -s | grep -E '^(enabled|failure|backlog_limit)'
    iptables -S | grep -v -- '-A DOCKER ' | sort
    docker info --format '{{.LoggingDriver}} {{.LiveRestoreEnabled}} {{.DockerRootDir}} {{.SecurityOptions}} {{.DefaultRuntime}} {{.RegistryConfig.InsecureRegistryCIDRs}}'
    docker network inspect bridge --format '{{json .Options}}'
    docker ps -a --no-trunc --format '{{.ID}} {{.Names}} {{.State}}' | sort
    docker images --no-trunc --format '{{.ID}} {{.Repository}}' | sort
    systemctl is-active docker.service docker.socket containerd.service auditd.service
    systemctl show -p LimitNOFILE,OOMScoreAdjust,TasksMax docker.service containerd.service
    for unit in docker containerd; do p=/proc/$(systemctl show -p MainPID --value $unit); grep '^Max open' $p/limits; cat $p/oom_score_adj; done
    getent passwd | sort; getent group | sort; cat /etc/subuid /etc/subgid
  `);
  return text.split("\n");
}
