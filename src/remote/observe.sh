# shellcheck shell=sh
# Reads a whole host in one go and changes nothing on it. POSIX sh, run as root with LC_ALL=C.
#
# Set before it, one path a line: $owned, the files to read; $looked, those of which only owner and mode are asked; $watched,
# those to look for.
#
# Prints base64 of: a line a probe (`NAME STATUS BYTES-OF-STDOUT BYTES-OF-STDERR`), an empty line, then all those bytes one
# after the other. Few processes are started, since each one costs ten times as much on an emulated host.
# shellcheck disable=SC2016,SC2154 # programs for inner shells and awk; the variables set before
set -u
umask 077
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
mkdir "$t/out" "$t/err" && : >"$t/index" || exit 1
count=100 # so that names sort as numbers do

probe() { # NAME COMMAND...
  count=$((count + 1))
  probe_name=$1
  shift
  probe_status=0
  "$@" >"$t/out/$count" 2>"$t/err/$count" </dev/null || probe_status=$?
  printf '%s %s\n' "$probe_name" "$probe_status" >>"$t/index"
}

# `docker info` would start a stopped daemon through its socket: look only when it runs.
docker_runs=no
if systemctl -q is-active docker.service; then
  docker_runs=yes
  {
    timeout 60 docker info --format '{{json .}}' >"$t/docker-info.out" 2>"$t/docker-info.err" </dev/null
    echo "$?" >"$t/docker-info.status"
    # Only these fields: a container's environment often holds secrets.
    if grep -q '"Containers":0,' "$t/docker-info.out"; then
      true >"$t/containers.out" 2>"$t/containers.err"
    else
      timeout 60 sh -c '
        ids=$(docker ps -aq --no-trunc) || exit
        [ -z "$ids" ] || docker inspect --format '\''{"id":{{json .Id}},"name":{{json .Name}},"running":{{json .State.Running}},"pid":{{json .State.Pid}},"startedAt":{{json .State.StartedAt}},"logDriver":{{json .HostConfig.LogConfig.Type}},"securityOpt":{{json .HostConfig.SecurityOpt}},"usernsMode":{{json .HostConfig.UsernsMode}},"cgroupnsMode":{{json .HostConfig.CgroupnsMode}},"privileged":{{json .HostConfig.Privileged}},"networkMode":{{json .HostConfig.NetworkMode}},"ports":{{json .NetworkSettings.Ports}},"restartPolicy":{{json .HostConfig.RestartPolicy.Name}}}'\'' $ids
      ' >"$t/containers.out" 2>"$t/containers.err" </dev/null
    fi
    echo "$?" >"$t/containers.status"
  } &
  {
    timeout 60 docker network inspect bridge --format '{{json .Options}}' >"$t/docker-bridge.out" 2>"$t/docker-bridge.err" </dev/null
    echo "$?" >"$t/docker-bridge.status"
  } &
fi

probe kernel uname -sr
probe init cat /proc/1/comm
probe os cat /etc/os-release
probe clock sh -c 'date +%s; cat /proc/uptime /proc/sys/kernel/random/boot_id; getconf CLK_TCK'
probe tasks cat /proc/sys/kernel/pid_max /proc/sys/kernel/threads-max
probe memory awk '/^MemTotal/ { print $2 * 1024 }' /proc/meminfo
probe docker-path sh -c 'readlink -f "$(command -v docker)"'
probe units systemctl show --no-pager -p Id,LoadState,ActiveState,SubState,FragmentPath,DropInPaths,ExecStart,EnvironmentFiles,MainPID,NeedDaemonReload,TasksMax,MemoryMax,MemorySwapMax docker.service docker.socket containerd.service auditd.service drydock-containers.slice
probe docker-unit systemctl cat --no-pager docker.service
for unit in docker containerd; do
  probe "process-$unit" sh -c 'pid=$(systemctl show -p MainPID --value "$1"); [ "${pid:-0}" -gt 0 ] || exit 1; cd "/proc/$pid" && tr "\0" "\n" <cmdline && echo && awk "{ print \$22 }" stat && cat oom_score_adj && grep "^Max open files" limits' sh "$unit.service"
done

# Files under our names that we do not know of: left by another version, or put there by somebody.
probe stray sh -c 'for d in /etc/audit/rules.d /etc/systemd/system /etc/modules-load.d; do [ ! -d "$d" ] || find "$d" -maxdepth 2 -name "*drydock*" -type f; done'
strays=$(cat "$t/out/$count")
probe certificates sh -c '[ ! -d /etc/docker/certs.d ] || find /etc/docker/certs.d -name "*.crt" -type f'
owned=$(printf '%s\n' "$owned" "$strays" | sort -u)
looked=$(printf '%s\n' "$owned" "$looked" "$(cat "$t/out/$count")" | sort -u)
blanks=$IFS
IFS='
'
set -f
# shellcheck disable=SC2086 # one word a line
{
  set -- $looked
  probe stat stat -c '%U:%G %04a %s %Y %Z %F|%n' -- "$@"
  set -- $owned
}
IFS=$blanks
for path; do
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
probe audit-compiled cat /etc/audit/audit.rules
probe mounts cat /proc/self/mountinfo
probe iptables iptables -w 5 -t filter -S
probe bridge-nf cat /proc/sys/net/bridge/bridge-nf-call-iptables
probe docker-proxies sh -c 'cat /proc/[0-9]*/comm 2>/dev/null | grep -c "^docker-proxy$" || [ $? -eq 1 ]'
# dockerd notes in no place that can be asked whether a container got its default of no-new-privileges. A process that ends
# meanwhile makes grep fail.
probe no-new-privs sh -c 'grep -lsx "NoNewPrivs:.1" /proc/[0-9]*/status; true'
# What the kernel enforces for each running container and for all together: PATH:VALUE
probe cgroups sh -c 'find /sys/fs/cgroup -maxdepth 4 \( -path "*/docker-*.scope/*" -o -path "*/drydock-*.slice/*" \) -type f \( -name pids.max -o -name memory.max -o -name memory.swap.max -o -name cpu.max \) -exec grep -H "" {} +; true'
probe space df -Pk /etc /var/lib
probe owner cat /var/lib/drydock/owner
probe applied cat /var/lib/drydock/applied
probe generation readlink /var/lib/drydock/current

wait
if [ "$docker_runs" = yes ]; then
  for name in docker-info docker-bridge containers; do
    count=$((count + 1))
    mv "$t/$name.out" "$t/out/$count"
    mv "$t/$name.err" "$t/err/$count"
    printf '%s %s\n' "$name" "$(cat "$t/$name.status")" >>"$t/index"
  done
fi
cd "$t" || exit 1
set +f
{
  stat -c %s out/* >sizes.out
  stat -c %s err/* >sizes.err
  paste -d' ' index sizes.out sizes.err
  echo
  cat out/* err/*
} | base64 -w0
