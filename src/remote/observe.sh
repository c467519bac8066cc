# Reads a whole host in one go and changes nothing on it. POSIX sh, run as root with LC_ALL=C.
#
# Set before it: $owned, the files to read, and $watched, the paths to look for, one a line.
# Prints a record a line: name, exit status, "=" and base64 of stdout, "=" and base64 of stderr.
# shellcheck disable=SC2016,SC2154 # programs for inner shells and awk; the variables set before
set -u
umask 077
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT

report() { # NAME STATUS FILE: prints what a probe left in FILE.out and FILE.err
  printf '%s %s =%s =%s\n' "$1" "$2" "$(base64 -w0 "$3.out")" "$(base64 -w0 "$3.err")"
}
probe() { # NAME COMMAND...
  probe_name=$1
  shift
  "$@" >"$t/now.out" 2>"$t/now.err" </dev/null
  report "$probe_name" "$?" "$t/now"
}
later() { # NAME COMMAND...: in the background, since a docker command takes a second on a slow host
  later_name=$1
  shift
  {
    "$@" >"$t/$later_name.out" 2>"$t/$later_name.err" </dev/null
    echo "$?" >"$t/$later_name.status"
  } &
}

probe kernel uname -sr
probe init cat /proc/1/comm
probe os cat /etc/os-release
probe clock sh -c 'date +%s; cat /proc/uptime; cat /proc/sys/kernel/random/boot_id; getconf CLK_TCK'
probe memory awk '/^MemTotal/ { print $2 * 1024 }' /proc/meminfo
probe docker-path sh -c 'readlink -f "$(command -v docker)"'
probe units systemctl show --no-pager -p Id,LoadState,ActiveState,SubState,FragmentPath,DropInPaths,ExecStart,EnvironmentFiles,MainPID,NeedDaemonReload docker.service docker.socket containerd.service auditd.service
probe docker-unit systemctl cat --no-pager docker.service

# `docker info` would start a stopped daemon through its socket: look only when it runs.
if systemctl -q is-active docker.service; then
  later docker-info timeout 60 docker info --format '{{json .}}'
  later docker-bridge timeout 60 docker network inspect bridge --format '{{json .Options}}'
  # Only these fields: a container's environment often holds secrets.
  later containers timeout 60 sh -c '
    ids=$(docker ps -aq --no-trunc) || exit
    [ -z "$ids" ] || docker inspect --format '\''{"id":{{json .Id}},"name":{{json .Name}},"running":{{json .State.Running}},"pid":{{json .State.Pid}},"startedAt":{{json .State.StartedAt}},"logDriver":{{json .HostConfig.LogConfig.Type}},"securityOpt":{{json .HostConfig.SecurityOpt}},"usernsMode":{{json .HostConfig.UsernsMode}},"cgroupnsMode":{{json .HostConfig.CgroupnsMode}},"privileged":{{json .HostConfig.Privileged}},"networkMode":{{json .HostConfig.NetworkMode}},"ports":{{json .NetworkSettings.Ports}},"restartPolicy":{{json .HostConfig.RestartPolicy.Name}}}'\'' $ids'
fi

for unit in docker containerd; do
  pid=$(systemctl show -p MainPID --value "$unit.service")
  [ "${pid:-0}" -gt 0 ] || continue
  probe "process-$unit" sh -c 'p=/proc/$1; tr "\0" "\n" <"$p/cmdline"; echo; awk "{ print \$22 }" "$p/stat"; cat "$p/oom_score_adj"; grep "^Max open files" "$p/limits"' sh "$pid"
done

# Files under our names that we do not know of: left by another version, or put there by somebody.
probe stray sh -c 'for d in /etc/audit/rules.d /etc/systemd/system /etc/modules-load.d; do [ ! -d "$d" ] || find "$d" -maxdepth 2 -name "*drydock*" -type f; done'
strays=$(cat "$t/now.out")
probe certificates sh -c '[ ! -d /etc/docker/certs.d ] || find /etc/docker/certs.d -name "*.crt" -type f'
printf '%s\n' "$owned" "$strays" "$(cat "$t/now.out")" | sort -u | while IFS= read -r path; do
  [ -n "$path" ] || continue
  probe "stat:$path" stat -c '%U:%G %04a %s %Y %Z %F' -- "$path"
  [ ! -f "$path" ] || probe "file:$path" cat -- "$path"
done
probe present sh -c 'printf "%s\n" "$1" | while IFS= read -r path; do [ ! -e "$path" ] || printf "%s\n" "$path"; done' sh "$watched"
probe subuid cat /etc/subuid
probe subgid cat /etc/subgid
probe users getent passwd
probe groups getent group

probe audit-status auditctl -s
probe audit-rules auditctl -l
probe audit-files sh -c 'for f in /etc/audit/rules.d/*.rules; do [ ! -e "$f" ] || cat "$f"; done'
probe mounts cat /proc/self/mountinfo
probe audit-compiled augenrules --check
probe iptables iptables -w 5 -t filter -S
probe bridge-nf cat /proc/sys/net/bridge/bridge-nf-call-iptables
probe docker-proxies sh -c 'cat /proc/[0-9]*/comm 2>/dev/null | grep -c "^docker-proxy$" || [ $? -eq 1 ]'
probe route-localnet cat /proc/sys/net/ipv4/conf/docker0/route_localnet

# What the kernel enforces for each running container and for all together.
cgroup_limits() {
  find /sys/fs/cgroup -maxdepth 4 \( -name 'docker-*.scope' -o -name 'drydock-*.slice' \) -type d | while IFS= read -r group; do
    for limit in pids.max memory.max memory.swap.max cpu.max; do
      [ ! -r "$group/$limit" ] || printf '%s %s %s\n' "${group##*/}" "$limit" "$(cat "$group/$limit")"
    done
  done
}
probe cgroups cgroup_limits
probe unit-limits systemctl show --no-pager -p Id,ActiveState,TasksMax,MemoryMax,MemorySwapMax,CPUQuotaPerSecUSec drydock-containers.slice

probe space df -Pk /etc /var/lib
probe owner cat /var/lib/drydock/owner
probe applied cat /var/lib/drydock/applied
probe generation readlink /var/lib/drydock/current

wait
for name in docker-info docker-bridge containers; do
  [ ! -f "$t/$name.status" ] || report "$name" "$(cat "$t/$name.status")" "$t/$name"
done
echo complete
