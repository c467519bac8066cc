# shellcheck shell=sh
# Reads a whole host in one go and changes nothing on it. POSIX sh, run as root with LC_ALL=C.
#
# Set before it, one path a line: $owned, the files to read; $looked, those of which only owner and mode are asked; $watched,
# those to look for; in $volumes a mount point, its device and filesystem; and in $needs what the wish needs of the host:
# `program NAME`, `module NAME`, `socket PATH`, `tcp HOST PORT`, `plugin NAME`. $data_root is where Docker's data should be,
# $remap the user that root of a container should be, $driver the storage driver, and $containerd_store whether containerd should keep the
# images (`true`, `false`); each of these three is empty where the wish does not say. $after is `yes` over the new connection after a
# change: that lets us in, and what the change needs was there, so neither is asked again.
#
# Prints a line a probe (`NAME STATUS BYTES-OF-STDOUT BYTES-OF-STDERR`), an empty line, then all those bytes one after the other.
# Few processes are started, since each one costs ten times as much on an emulated host; and the shell reads no file of many bytes,
# since dash asks the kernel for each byte by itself: cp brings them all at once.
# shellcheck disable=SC2016,SC2154 # programs for inner shells and awk; the variables set before
set -u
umask 077
# In it NUMBER.out and NUMBER.err of each probe, and below etc/, proc/, … what was copied.
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
exec </dev/null
# Root's own docker context may be another machine.
DOCKER_CONTEXT=default
export DOCKER_CONTEXT
unset DOCKER_HOST
count=100
newline='
'
blanks=$IFS
# Of each probe a line `FILES ERRORS NAME STATUS`, of how many files its stdout and its stderr are; those files, a line each; and all of
# them in the order in which their sizes are asked.
index='' outs='' errs='' asked=''
noted() { # NAME STATUS ERR OUT...: the probe's place in what is printed; ERR is empty where there is no such file
  index="$index$(($# - 3)) ${3:+1} $1 $2$newline"
  noted_err=${3:+$3$newline}
  shift 3
  for out; do outs=$outs$out$newline asked=$asked$out$newline; done
  errs=$errs$noted_err asked=$asked$noted_err
}

probe() { # NAME COMMAND...
  count=$((count + 1))
  probe_name=$1
  shift
  probe_status=0
  "$@" >"$t/$count.out" 2>"$t/$count.err" || probe_status=$?
  noted "$probe_name" "$probe_status" "$t/$count.err" "$t/$count.out"
}

# What is to be copied, a path a line; and with the name of its probe before and a dot after it.
copied='' wanted=''
read_whole() { # NAME FILE...: one after the other
  wanted=$wanted$1$newline
  shift
  for file; do copied=$copied$file$newline wanted=$wanted$file$newline; done
  wanted=$wanted.$newline
}

[ "$after" = no ] || needs=
probe units systemctl show --no-pager -p Id,LoadState,ActiveState,SubState,FragmentPath,DropInPaths,ExecStart,EnvironmentFiles,MainPID,NeedDaemonReload,UnitFileState,TasksMax,MemoryMax,MemorySwapMax docker.service docker.socket containerd.service auditd.service drydock-containers.slice var-lib-docker.mount var-lib-containerd.mount ssh.socket sshd.socket
# The state of docker.service, and the main processes, out of that: each call of systemctl costs as much as ten other programs.
docker_state='' docker_files='' docker_environment='' docker_pid=0 containerd_pid=0 id='' state='' files='' environment='' pid=0
end_of_unit() {
  case $id in
    docker.service) docker_state=$state docker_files=$files docker_environment=$environment docker_pid=$pid ;;
    containerd.service) containerd_pid=$pid ;;
  esac
  id='' state='' files='' environment='' pid=0
}
while IFS= read -r line; do
  case $line in
    Id=*) id=${line#*=} ;;
    ActiveState=*) state=${line#*=} ;;
    MainPID=*) pid=${line#*=} ;;
    FragmentPath=*) files="${line#*=} $files" ;;
    DropInPaths=*) files="$files ${line#*=}" ;;
    EnvironmentFiles=*) environment=$environment${line#*=}$newline ;;
    '') end_of_unit ;;
  esac
done <"$t/$count.out"
end_of_unit

keeps_store() { # by $said, what `docker info` printed
  root="\"DockerRootDir\":\"$data_root"
  case $said in
    # To whom is told by the folder, whose name begins with the first of his ids.
    *'"name=userns'*) [ -n "$remap" ] && remaps_to "${remap%%:*}" || return ;;
    *"$root\""*) [ -z "$remap" ] || return ;;
    *) return 1 ;;
  esac
  case $driver in '') ;; *) case $said in *"\"Driver\":\"$driver\""*) ;; *) return 1 ;; esac ;; esac
  # Where the file has chosen it and the wish does not, the engine chooses.
  case $said in *'io.containerd.snapshotter'*) [ "$containerd_store" = true ] || { [ -z "$containerd_store" ] && ! grep -qs containerd-snapshotter /etc/docker/daemon.json; } ;; *) [ "$containerd_store" != true ] ;; esac
}

remaps_to() { # USER
  [ "$1" != default ] || set -- dockremap
  [ -r /etc/subuid ] || return
  while IFS=: read -r user first _ || [ -n "$user" ]; do
    [ "$user" != "$1" ] || case $said in *"$root/$first."*) return 0 ;; esac
  done </etc/subuid
  return 1
}

# `docker info` would start a stopped daemon through its socket: look only when it runs.
docker_runs=no
case $docker_state in active | reloading) docker_runs=yes ;; esac
if [ "$docker_runs" = yes ]; then
  {
    status=0
    # Caught by the shell, which reads a pipe in blocks.
    said=$(timeout 60 docker info --format '{{json .}}' 2>"$t/docker-info.err") || status=$?
    printf '%s\n' "$said" >"$t/docker-info.out"
    echo "$status" >"$t/docker-info.status"
    case $said in *'"FirewallBackend":{"Driver":"nftables'*) : >"$t/nftables" ;; esac
    # Only these fields: a container's environment often holds secrets.
    status=0
    case $said in *'"Containers":0,'*) containers=no ;; *) containers=yes ;; esac
    if [ "$containers" = no ]; then
      : >"$t/containers.out" 2>"$t/containers.err"
    else
      timeout 60 sh -c '
        ids=$(docker ps -aq --no-trunc) || exit
        [ -z "$ids" ] || docker inspect --format '\''{"id":{{json .Id}},"name":{{json .Name}},"running":{{json .State.Running}},"pid":{{json .State.Pid}},"startedAt":{{json .State.StartedAt}},"logDriver":{{json .HostConfig.LogConfig.Type}},"securityOpt":{{json .HostConfig.SecurityOpt}},"usernsMode":{{json .HostConfig.UsernsMode}},"cgroupnsMode":{{json .HostConfig.CgroupnsMode}},"privileged":{{json .HostConfig.Privileged}},"networkMode":{{json .HostConfig.NetworkMode}},"ports":{{json .NetworkSettings.Ports}},"restartPolicy":{{json .HostConfig.RestartPolicy.Name}},"pidsLimit":{{json .HostConfig.PidsLimit}},"memory":{{json .HostConfig.Memory}},"memorySwap":{{json .HostConfig.MemorySwap}},"user":{{json .Config.User}},"health":{{with index .State "Health"}}{{json .Status}}{{else}}""{{end}},"pidMode":{{json .HostConfig.PidMode}},"ipcMode":{{json .HostConfig.IpcMode}},"utsMode":{{json .HostConfig.UTSMode}},"capAdd":{{json .HostConfig.CapAdd}},"readOnly":{{json .HostConfig.ReadonlyRootfs}},"autoRemove":{{json .HostConfig.AutoRemove}},"retries":{{json .HostConfig.RestartPolicy.MaximumRetryCount}},"mounts":{{json .Mounts}}}'\'' $ids
      ' >"$t/containers.out" 2>"$t/containers.err" || status=$?
    fi
    echo "$status" >"$t/containers.status"
    # Their names only where an update may hide them: each question to dockerd has its price.
    if ! keeps_store; then
      status=0
      timeout 60 docker image ls --format '{{.Repository}}:{{.Tag}}' >"$t/images.out" 2>"$t/images.err" || status=$?
      echo "$status" >"$t/images.status"
    fi
  } &
fi

# Each prints yes, or no and why; what can't be told has another status, and why on stderr.
meet() { # KIND OBJECT
  case $1 in
    program) if command -v "$2" >/dev/null; then echo yes; else echo no it is not installed; fi ;;
    socket) if [ -S "$2" ]; then echo yes; elif [ -e "$2" ]; then echo no it is no socket; else echo no it is not there; fi ;;
    module) module "$2" ;;
    tcp) tcp "${2% *}" "${2##* }" ;;
    plugin) plugin "$2" ;;
    *) echo "nobody knows how to look for that" >&2; return 1 ;;
  esac
}
module() { # NAME
  [ ! -d "/sys/module/$1" ] || { echo yes; return; }
  locked=0
  # Of a sysctl, dash gets the first byte only.
  { read -r locked </proc/sys/kernel/modules_disabled; } 2>/dev/null || :
  [ "$locked" != 1 ] || { echo "no kernel.modules_disabled is 1, so none is loaded before the next boot"; return; }
  command -v modprobe >/dev/null || { echo "there is no modprobe" >&2; return 1; }
  # Nothing is loaded by that; it also knows what is built in.
  if said=$(modprobe --dry-run --verbose "$1" 2>&1); then
    case $said in
      *"install "*/true* | *"install "*/false*) echo "no modprobe.d says: ${said##*"$newline"}" ;;
      *) echo yes ;;
    esac
  else
    said=${said##*"$newline"}
    echo "no ${said#modprobe: }"
  fi
}
# No tool for that is on every host, but bash is on nearly each, and can.
tcp() { # HOST PORT
  command -v bash >/dev/null || { echo "there is no bash to ask it with" >&2; return 1; }
  tcp_status=0
  said=$(timeout 5 bash -c ': <"/dev/tcp/$0/$1"' "$1" "$2" 2>&1) || tcp_status=$?
  # 192.0.2.1: connect: Connection refused, and a line of the shell's own
  said=${said%%"$newline"*}
  case $tcp_status:$said in
    0:*) echo yes ;;
    124:*) echo no it did not answer within 5 s ;;
    *"No such file or directory"*) echo "bash has no /dev/tcp here" >&2; return 1 ;;
    *) echo "no ${said##*: }" ;;
  esac
}
# Where dockerd looks (moby pkg/plugins/discovery.go); of the plugins that it manages itself only it knows.
plugin() { # NAME
  for path in "/run/docker/plugins/$1.sock" "/run/docker/plugins/$1/$1.sock"; do [ ! -S "$path" ] || { echo yes; return; }; done
  for path in "/etc/docker/plugins/$1" "/etc/docker/plugins/$1/$1" "/usr/lib/docker/plugins/$1" "/usr/lib/docker/plugins/$1/$1"; do
    if [ -e "$path.spec" ] || [ -e "$path.json" ]; then echo yes; return; fi
  done
  [ "$docker_runs" = yes ] || { echo "dockerd does not run, and only it knows the plugins that it manages" >&2; return 1; }
  said=$(timeout 60 docker plugin inspect --format '{{.Enabled}}' -- "$1" 2>&1) || :
  case $said in
    true) echo yes ;;
    false) echo no it is disabled ;;
    *"o such plugin"* | *"not found"*) echo no it is not installed ;;
    *) printf '%s\n' "${said##*"$newline"}" >&2; return 1 ;;
  esac
}
answer() { # NUMBER NEED
  status=0
  meet "${2%% *}" "${2#* }" >"$t/need-$1.out" 2>"$t/need-$1.err" </dev/null || status=$?
  echo "$status" >"$t/need-$1.status"
}
number=0
while IFS= read -r need; do
  number=$((number + 1))
  case $need in
    '') ;;
    # Who waits for others, or for dockerd, keeps nobody waiting.
    tcp* | plugin*) answer "$number" "$need" & ;;
    *) answer "$number" "$need" ;;
  esac
done <<END
$needs
END

probe clock date +%s
# A moment later the two would tell another time of the start of a process.
read -r uptime _ </proc/uptime
probe uptime echo "$uptime"
docker_path() { # `command -v` without the process that its output would take
  folders=$PATH:
  while [ -n "$folders" ]; do
    path=${folders%%:*}/docker
    folders=${folders#*:}
    if [ ! -f "$path" ] || [ ! -x "$path" ]; then continue; fi
    if [ -h "$path" ]; then readlink -f "$path"; else (cd -P -- "${path%/*}" && printf '%s\n' "$PWD/docker"); fi
    return
  done
  return 1
}
probe docker-path docker_path
print_file() { # FILE: a small one, without a process
  while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done <"$1"
}
docker_unit() { # as `systemctl cat` prints it; systemd writes a blank in a path as \x20, so that each is one word
  for file in $docker_files; do
    printf '# %s\n' "$file"
    print_file "$file" || return
    echo
  done
  [ -n "${docker_files# }" ]
}
probe docker-unit docker_unit
# FILE VARIABLE FLAG: of what else stands in these files, a password of a proxy perhaps, nothing leaves the host.
environment_flags() {
  IFS=$newline
  # A name may be a pattern; systemd says behind it whether the file may be missing.
  for entry in $docker_environment; do
    for file in ${entry% (ignore_errors=*}; do [ ! -r "$file" ] || flags_in "$file"; done
  done
  IFS=$blanks
}
flags_in() { # FILE
  IFS=$blanks
  set -f
  # shellcheck disable=SC2162 # a backslash at the end of a line joins it with the next one
  while read line || [ -n "$line" ]; do
    case $line in [A-Za-z_]*=*-*) ;; *) continue ;; esac
    for word in ${line#*=}; do
      word=${word#[\"\']}
      word=${word%[\"\']}
      case $word in
        --*=true | --*=false) ;;
        --*) word=${word%%=*} ;;
        -[A-Za-z]*) word=${word%"${word#-?}"} ;;
        *) continue ;;
      esac
      printf '%s %s %s\n' "$1" "${line%%=*}" "$word"
    done
  done <"$1"
  set +f
  IFS=$newline
}
probe environment environment_flags
# Files under our names that we do not know of: left by another version, or put there by somebody. By the shell itself: a find for
# each would take as long as two other programs.
named() { # PATH...: prints those that are files, and no links, in a folder that is no link either; $found gets them all
  for path; do
    if [ ! -f "$path" ] || [ -h "$path" ] || [ -h "${path%/*}" ]; then continue; fi
    case ${path##*/} in drydock-recover.service | drydock-settle.service) continue ;; esac
    printf '%s\n' "$path"
    found=$found$path$newline
  done
}
stray() {
  for folder in /etc/docker /etc/audit/rules.d /etc/systemd/system /etc/modules-load.d /etc/tmpfiles.d; do
    named "$folder"/*drydock* "$folder"/.*drydock* "$folder"/*/*drydock* "$folder"/*/.*drydock*
  done
}
links() { # Links, too: one in disable/ keeps a profile from being loaded. What a link points to is nobody's to read.
  for path in /etc/apparmor.d/drydock-* /etc/apparmor.d/disable/drydock-* /etc/apparmor.d/force-complain/drydock-*; do
    if [ ! -h "$path" ] && { [ -d "$path" ] || [ ! -e "$path" ]; }; then continue; fi
    printf '%s\n' "$path"
    found=$found$path$newline
  done
}
found=
probe stray stray
probe stray-profiles named /etc/apparmor.d/drydock-*
owned=$found$owned
found=
probe stray-links links
looked=$found$looked
find_in() { # FOLDERS -- EXPRESSION: find in those of the folders that are there
  folders=
  while [ "$1" != -- ]; do
    [ ! -d "$1" ] || folders="$folders $1"
    shift
  done
  shift
  # shellcheck disable=SC2086 # our own folders, without blanks
  [ -z "$folders" ] || find $folders "$@"
}
probe certificates find_in /etc/docker/certs.d -- -name '*.crt' -type f
found=
while IFS= read -r path; do found=$found$path$newline; done <"$t/$count.out"
looked=$found$owned$newline$looked
IFS=$newline
set -f
# shellcheck disable=SC2086 # one word a line
set -- $looked
once=$newline
for path in $owned; do
  # A file may be ours and found as well.
  case $once in *"$newline$path$newline"*) continue ;; esac
  once=$once$path$newline
  [ ! -f "$path" ] || read_whole "file:$path" "$path"
done
IFS=$blanks
read_whole kernel /proc/version
read_whole init /proc/1/comm
read_whole os /etc/os-release
read_whole tasks /proc/sys/kernel/pid_max /proc/sys/kernel/threads-max
read_whole open-files-max /proc/sys/fs/nr_open
read_whole memory /proc/meminfo
process() { # NAME PID
  [ "${2:-0}" -gt 0 ] || return 0
  read_whole "command-$1" "/proc/$2/cmdline"
  read_whole "process-$1" "/proc/$2/stat" "/proc/$2/oom_score_adj" "/proc/$2/limits"
}
process docker "$docker_pid"
process containerd "$containerd_pid"
read_whole subuid /etc/subuid
read_whole subgid /etc/subgid
set +f
read_whole audit-files /etc/audit/rules.d/*.rules
set -f
read_whole audit-compiled /etc/audit/audit.rules
read_whole mounts /proc/self/mountinfo
read_whole bridge-nf /proc/sys/net/bridge/bridge-nf-call-iptables
read_whole machine-id /etc/machine-id
read_whole owner /var/lib/drydock/owner
read_whole applied /var/lib/drydock/applied
read_whole outcome /var/lib/drydock/outcome

# What cp complains of is caught by the shell: a full disk would not keep it. In /, since cp --parents of coreutils 9.1 loses the way to an
# absolute path in any other folder.
IFS=$newline
# shellcheck disable=SC2086 # one word a line
complaints=$(cd / && exec cp --parents -t "$t" -- $copied 2>&1) || :
# Right after it, since when a text was changed tells whether dockerd has read it.
probe stat stat -c '%U:%G %04a %s %Y %Z %F|%n' -- "$@"
name=''
set --
for line in $wanted; do
  if [ -z "$name" ]; then
    name=$line status=0 err=
  elif [ "$line" = . ]; then
    noted "$name" "$status" "$err" "$@"
    name=''
    set --
  else
    said=
    # Half a copy is there as well when the disk is full or broken: that is told of the copy, whose path ends like the file's.
    for complaint in $complaints; do
      case $complaint in
        *"specified more than once") ;;
        *"$line'"* | *"$line\""*) said=$complaint ;;
      esac
    done
    if [ -f "$t$line" ] && [ -z "$said" ]; then
      set -- "$@" "$t$line"
    else
      count=$((count + 1))
      status=1 err=$t/$count.err
      printf '%s\n' "${said:-"$line: can't be read"}" >"$err"
    fi
  fi
done
IFS=$blanks
present() {
  IFS=$newline
  for path in $watched; do [ ! -e "$path" ] || printf '%s\n' "$path"; done
  IFS=$blanks
}
probe present present
probe users getent passwd
probe groups getent group
# What sshd would make of a new connection of ours, by the files that it reads when it starts. A word and what it is about, a line each:
# `listener COMMAND`, `user NAME`, `uid NUMBER`, `address IP`, `forced` where our key has a command of its own, `group NAME`, and of
# what `sshd -T` says the settings that decide who comes in.
new_connection() {
  listener='' command='' pid=$$
  # Another server may have let us in (dropbear, Tailscale), or an sshd with another configuration: its command line tells.
  while [ "${pid:-0}" -gt 1 ] && { read -r stat <"/proc/$pid/stat"; } 2>/dev/null; do
    case $stat in
      *" (sshd) "* | *" (sshd-session) "*) listener=$pid ;;
      *) [ -z "$listener" ] || break ;;
    esac
    # shellcheck disable=SC2086 # a word a field
    set -- ${stat##*) }
    pid=$2
  done
  [ -n "$listener" ] || { echo "this connection is none of sshd's" >&2; return 1; }
  [ -x /usr/sbin/sshd ] || { echo "there is no /usr/sbin/sshd" >&2; return 1; }
  # CLIENT-IP PORT SERVER-IP PORT
  # shellcheck disable=SC2086 # a word a field
  set -- ${SSH_CONNECTION:-}
  [ $# -eq 4 ] || { echo "sshd did not tell where this connection comes from" >&2; return 1; }
  { read -r command <"/proc/$listener/cmdline" || :; } 2>/dev/null
  login=${SUDO_USER:-${LOGNAME:-root}}
  printf 'listener %s\nuser %s\nuid %s\naddress %s\nlocal %s %s\n' "$command" "$login" "${SUDO_UID:-0}" "$1" "$3" "$4"
  [ -z "${SSH_ORIGINAL_COMMAND:-}" ] || echo forced
  settings=$(/usr/sbin/sshd -T -C "user=$login,host=$1,addr=$1,laddr=$3,lport=$4") || return
  by_group=no
  IFS=$newline
  for line in $settings; do
    case $line in
      "allowgroups "* | "denygroups "*) by_group=yes ;;
      "allowusers "* | "denyusers "* | "permitrootlogin "* | "authenticationmethods "* | "usedns "*) ;;
      "listenaddress "* | "pubkeyauthentication "* | "hostbasedauthentication "* | "gssapiauthentication "* | "permitemptypasswords "*) ;;
      *) continue ;;
    esac
    printf '%s\n' "$line"
  done
  IFS=$blanks
  # A name may have blanks.
  [ "$by_group" = no ] || id -Gnz -- "$login" | tr '\0' '\n' | while IFS= read -r line; do printf 'group %s\n' "$line"; done
}
[ "$after" = yes ] || probe sshd new_connection

probe audit-status auditctl -s
probe audit-rules auditctl -l
chains() {
  said=$(iptables -w 5 -t filter -S) || return
  printf '%s\n' "$said"
  case $newline$said in *"$newline-N DOCKER"*) iptables_has_chains=yes ;; esac
}
iptables_has_chains=no
probe iptables chains
docker_proxies() {
  proxies=0
  set +f
  for process in /proc/[0-9]*; do
    comm=
    # a process may end meanwhile
    { read -r comm <"$process/comm"; } 2>/dev/null || true
    [ "$comm" != docker-proxy ] || proxies=$((proxies + 1))
  done
  set -f
  echo "$proxies"
}
probe docker-proxies docker_proxies
# dockerd notes in no place that can be asked whether a container got its default of no-new-privileges. A process that ends
# meanwhile makes grep fail.
no_new_privs() {
  set +f
  grep -lsx "NoNewPrivs:.1" /proc/[0-9]*/status
  set -f
}
probe no-new-privs no_new_privs
# What the kernel enforces for each running container and for all together: PATH:VALUE
cgroups() {
  find /sys/fs/cgroup -maxdepth 4 \( -path "*/docker-*.scope/*" -o -path "*/drydock-*.slice/*" \) -type f \( -name pids.max -o -name pids.current -o -name memory.current -o -name memory.max -o -name memory.swap.max -o -name cpu.max \) -exec grep -H "" {} + || true
}
probe cgroups cgroups
# The device of each volume, and what has to move there as long as no filesystem of its own is mounted.
volume() { # MOUNTPOINT DEVICE FILESYSTEM
  printf 'place %s\n' "$(readlink -f "$1")"
  path=$(readlink -f "$2")
  if [ -e "$path" ]; then
    stat -c 'device %F|%t:%T|%n' "$path"
    # One that can't be read must not pass for an empty one.
    if [ -b "$path" ]; then
      on_it=$(lsblk --bytes --noheadings --pairs --output NAME,TYPE,SIZE,RO "$path") || return
      signatures=$(wipefs --no-act --parsable "$path") || return
      printf '%s\n' "$on_it" | sed 's/^/lsblk /'
      [ -z "$signatures" ] || printf '%s\n' "$signatures" | sed 's/^/signature /'
    fi
  fi
  case $3 in xfs) label=xfs_io ;; *) label=e2label ;; esac
  for tool in tar "mkfs.$3" "$label"; do command -v "$tool" >/dev/null || printf 'missing %s\n' "$tool"; done
  # Another device than that of the folder above is a filesystem of its own; dockerd may bind the folder onto itself.
  if [ ! -e "$1" ]; then
    echo 'data 0 0'
  elif [ "$(stat -L -c %d "$1")" = "$(stat -c %d "${1%/*}")" ]; then
    # So many files that counting them takes too long are no reason to see nothing of the host.
    bytes=$(timeout 45 du -sx --block-size=1 "$1") || bytes=-
    entries=$(timeout 45 du -sx --inodes "$1") || entries=-
    printf 'data %s %s\n' "${bytes%%[!0-9-]*}" "${entries%%[!0-9-]*}"
  fi
}
while read -r mount_point device filesystem; do
  [ -z "$mount_point" ] || probe "volume:$mount_point" volume "$mount_point" "$device" "$filesystem"
done <<END
$volumes
END
old_data() { # what a move has left: NAME BYTES, and whether it has been set aside or lies below the filesystem still
  set +f
  for size in /var/lib/drydock/old-data/*.size; do
    [ ! -e "$size" ] || {
      bytes=
      read -r bytes <"$size" || :
      name=${size##*/}
      where=below
      [ ! -d "${size%.size}" ] || where=aside
      printf '%s %s %s\n' "${name%.size}" "$bytes" "$where"
    }
  done
  set -f
}
probe old-data old_data
# A word and what it is about, a line each: `enabled Y`, `tool`, `abi`, `boot enabled`, `profile NAME (MODE) LOADED FILE` with two sums,
# and of each process `/proc/PID/attr/current:LABEL`.
apparmor() {
  enabled=N
  [ ! -e /sys/module/apparmor/parameters/enabled ] || read -r enabled </sys/module/apparmor/parameters/enabled
  echo "enabled $enabled"
  ! command -v apparmor_parser >/dev/null || echo tool
  [ ! -e /etc/apparmor.d/abi/3.0 ] || echo abi
  [ "$enabled" = Y ] || return 0
  loaded=$(cat /sys/kernel/security/apparmor/profiles) || return
  boot=disabled
  set +f
  for unit in /etc/systemd/system/*.wants/apparmor.service /usr/lib/systemd/system/*.wants/apparmor.service /lib/systemd/system/*.wants/apparmor.service; do
    [ ! -h "$unit" ] || boot=enabled
  done
  [ ! -c /etc/systemd/system/apparmor.service ] || boot=masked
  echo "boot $boot"
  case $loaded in *drydock-*) loaded_profiles ;; esac
  grep -Hs "" /proc/[0-9]*/attr/current
  set -f
}
loaded_profiles() {
  # What the last apply noted: `profile:NAME SUM` among others, a line each.
  noted_sums=$newline
  [ ! -r /var/lib/drydock/applied ] || while IFS= read -r line; do noted_sums=$noted_sums$line$newline; done </var/lib/drydock/applied
  IFS=$newline
  # shellcheck disable=SC2086 # a line each, `NAME (MODE)`
  set -- $loaded
  IFS=$blanks
  for line; do
    profile=${line%% *} mode=${line#* }
    case $profile in drydock-*) ;; *) continue ;; esac
    sum=-
    # From kernel 6.8 on it is a SHA-256.
    for file in "/sys/kernel/security/apparmor/policy/profiles/$profile".*/raw_sha1 "/sys/kernel/security/apparmor/policy/profiles/$profile".*/raw_sha256; do
      [ ! -e "$file" ] || read -r sum <"$file" || :
    done
    file_sum=-
    # The last apply noted what the file's text was loaded as. Only if that is not loaded the text is compiled again, which takes long.
    known_as=no
    case $noted_sums in *"${newline}profile:$profile $sum$newline"*) [ "$sum" = - ] || known_as=yes ;; esac
    if [ "$known_as" = yes ]; then
      file_sum=$sum
    elif [ -f "/etc/apparmor.d/$profile" ]; then
      case ${#sum} in 64) like_the_kernel=sha256sum ;; *) like_the_kernel=sha1sum ;; esac
      file_sum=$(apparmor_parser -S -K -q "/etc/apparmor.d/$profile" 2>/dev/null | "$like_the_kernel") || :
      file_sum=${file_sum%% *}
    fi
    echo "profile $profile $mode $sum $file_sum"
  done
}
probe apparmor apparmor
data_place() { (cd -P -- "$data_root" && pwd); }
probe data-place data_place
# Free bytes and inodes.
[ -e "$data_root" ] || data_root=/var/lib
places='/etc /var/lib'
[ ! -d /var/lib/drydock ] || places="$places /var/lib/drydock"
# shellcheck disable=SC2086 # our own folders, without blanks
probe room stat -f -c '%a %S %d %c %n' $places "$data_root"
ext4_errors() { # MAJOR:MINOR COUNT of what the kernel has found wrong since the last fsck
  set +f
  for file in /sys/fs/ext4/*/errors_count; do
    name=${file%/*}
    [ ! -r "$file" ] || ! read -r errors <"$file" || [ "$errors" = 0 ] || ! read -r device <"/sys/class/block/${name##*/}/dev" || echo "$device $errors"
  done
  set -f
}
probe ext4-errors ext4_errors
# As the transaction itself asks it (src/remote/apply.ts): it runs, or waits to be confirmed.
if [ -e /var/lib/drydock/transaction/by ] && { systemctl -q is-active drydock-apply.service || { [ -e /var/lib/drydock/transaction/step ] && systemctl -q is-active drydock-guard.timer; }; }; then
  probe under-way print_file /var/lib/drydock/transaction/by
fi

wait
number=0
while IFS= read -r need; do
  number=$((number + 1))
  [ -n "$need" ] || continue
  read -r status <"$t/need-$number.status"
  noted "need:$need" "$status" "$t/need-$number.err" "$t/need-$number.out"
done <<END
$needs
END
# Where dockerd works by nftables, only it can say what it does there; chains of iptables may be left from before.
if [ "$docker_runs" = yes ]; then
  status=1
  if [ "$iptables_has_chains" = yes ] && [ ! -e "$t/nftables" ]; then
    echo 'not asked: the rules of iptables tell' >"$t/docker-bridge.err"
    : >"$t/docker-bridge.out"
  else
    status=0
    timeout 60 docker network inspect bridge --format '{{json .Options}}' >"$t/docker-bridge.out" 2>"$t/docker-bridge.err" || status=$?
  fi
  echo "$status" >"$t/docker-bridge.status"
  for name in docker-info docker-bridge containers; do
    read -r status <"$t/$name.status"
    noted "$name" "$status" "$t/$name.err" "$t/$name.out"
  done
  if [ -e "$t/images.status" ]; then
    read -r status <"$t/images.status"
    noted images "$status" "$t/images.err" "$t/images.out"
  fi
fi
IFS=$newline
# shellcheck disable=SC2046,SC2086 # one word a line
set -- $(stat -c %s -- $asked)
for entry in $index; do
  files=${entry%% *} entry=${entry#* }
  bytes=0
  while [ "$files" -gt 0 ]; do
    bytes=$((bytes + $1)) files=$((files - 1))
    shift
  done
  case $entry in
    1\ *) printf '%s %s %s\n' "${entry#1 }" "$bytes" "$1"; shift ;;
    *) printf '%s %s 0\n' "${entry# }" "$bytes" ;;
  esac
done
echo
# shellcheck disable=SC2086 # one word a line
cat -- $outs $errs
