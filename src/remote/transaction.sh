# shellcheck shell=sh
# Changes a host as one transaction. POSIX sh, run as root in the transient unit drydock-apply.service, so that neither a
# lost link nor the end of the controller can stop it half-way.
#
#   transaction.sh apply STAGE      stage → generation → install → activate → health check; on failure all the way back
#   transaction.sh restore STAGE    the pristine originals, then forget the host
#
# STAGE holds what src/remote/apply.ts wrote. Exit status: 0 done; 20 refused, nothing was touched; 21 failed, the state
# of before is back; 22 failed, and it could not be brought back.
set -eu
umask 077
LC_ALL=C
# Root's own docker context may be another machine.
DOCKER_CONTEXT=default
export LC_ALL DOCKER_CONTEXT
unset DOCKER_HOST
# cp --parents of coreutils 9.1 loses the way to an absolute path in any other folder.
cd /

state=/var/lib/drydock
command=$1
stage=$2
# shellcheck source=/dev/null # made by apply.ts: scalars only, each quoted
. "$stage/settings"

say() { printf '%s\n' "$*" || :; } # a full disk must not end the way back
refuse() { say "refused: $*"; exit 20; }
has() { [ -s "$stage/$1" ]; }

# --- Files ---

install_file() { # SOURCE MODE OWNER GROUP PATH: complete or not at all, also after a power cut
  folder=${5%/*}
  [ -d "$folder" ] || (umask 022 && mkdir -p "$folder")
  rm -f -- "$5.drydock-new"
  cp -- "$1" "$5.drydock-new"
  chown "$3:$4" "$5.drydock-new"
  chmod "$2" "$5.drydock-new"
  sync "$5.drydock-new"
  mv -T -- "$5.drydock-new" "$5"
  sync "$folder"
}

touched_paths() {
  cut -d' ' -f4- "$stage/writes" "$stage/modes"
  # what is right already may be changed by a later update, when nobody knows any more how it was
  cat "$stage/declared"
  cat "$stage/removes"
  # augenrules makes these two from rules.d
  [ "$AUDIT_COMPILE" = no ] || printf '%s\n' /etc/audit/audit.rules /etc/audit/audit.rules.prev
}

remember() { # FOLDER PATH: how PATH is now, once
  grep -qxF -- "$2" "$1/known" 2>/dev/null && return
  if [ -d "$2" ]; then
    stat -L -c '%a %U %G %n' "$2" >>"$1/folders"
  elif [ -L "$2" ] || [ -e "$2" ]; then
    cp -a --parents -- "$2" "$1/tree"
  else
    printf '%s\n' "$2" >>"$1/absent"
    folder=${2%/*}
    while [ ! -d "$folder" ]; do
      printf '%s\n' "$folder" >>"$1/made"
      folder=${folder%/*}
    done
  fi
  printf '%s\n' "$2" >>"$1/known"
}

remember_all() { # FOLDER
  mkdir -p "$1/tree"
  touch "$1/known" "$1/absent" "$1/folders" "$1/made"
  touched_paths | while IFS= read -r path; do remember "$1" "$path"; done
}

is_as() { # COPY PATH: content, owner and mode
  [ "$(stat -c '%a %U %G %F' "$1")" = "$(stat -c '%a %U %G %F' "$2" 2>&1)" ] || return 1
  if [ -L "$1" ]; then [ "$(readlink "$1")" = "$(readlink "$2")" ]; else cmp -s "$1" "$2"; fi
}

copy_back() { # COPY PATH
  mkdir -p "${2%/*}" && rm -f -- "$2.drydock-new" && cp -a -- "$1" "$2.drydock-new" && mv -T -- "$2.drydock-new" "$2"
}

bring_back() { # FOLDER: every path as remember found it; goes on where one path resists, since differs_from tells which
  while IFS= read -r path; do [ -d "$path" ] || rm -f -- "$path" || :; done <"$1/absent"
  (cd "$1/tree" && find . -type f -o -type l) | while IFS= read -r file; do
    path=${file#.}
    is_as "$1/tree/$path" "$path" && continue
    copy_back "$1/tree/$path" "$path" || say "$path can't be brought back"
  done
  while read -r mode owner group path; do
    [ ! -d "$path" ] || { chown "$owner:$group" "$path" && chmod "$mode" "$path"; } || :
  done <"$1/folders"
  sort -ru "$1/made" | while IFS= read -r path; do rmdir --ignore-fail-on-non-empty -- "$path" 2>/dev/null || true; done
  sync
}

differs_from() { # FOLDER: prints each path that is not as it was
  # A folder that was not there stays when somebody has put something into it since.
  while IFS= read -r path; do [ -d "$path" ] || [ ! -e "$path" ] || say "$path is still there"; done <"$1/absent"
  (cd "$1/tree" && find . -type f -o -type l) | while IFS= read -r file; do
    is_as "$1/tree/${file#.}" "${file#.}" || say "${file#.} has another content, owner or mode"
  done
  while read -r mode owner group path; do
    [ "$mode $owner $group" = "$(stat -L -c '%a %U %G' "$path" 2>&1)" ] || say "$path has another owner or mode"
  done <"$1/folders"
}

# --- Users and ids behind userns-remap ---

add_ids() {
  [ -z "$CREATE_USER" ] || { say "creating user $CREATE_USER"; useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$CREATE_USER"; }
  while read -r file line; do
    [ -e "$file" ] || (umask 022 && : >"$file")
    [ -z "$(tail -c1 "$file")" ] || echo >>"$file"
    printf '%s\n' "$line" >>"$file"
    say "adding $line to $file"
  done <"$stage/ids"
}

take_ids_back() { # IDS_FILE USER: exactly what add_ids added; other lines may have come since
  while read -r file line; do
    grep -qxF -- "$line" "$file" 2>/dev/null || continue
    cp -p -- "$file" "$file.drydock-new"
    grep -vxF -- "$line" "$file" >"$file.drydock-new" || [ $? -eq 1 ]
    mv -T -- "$file.drydock-new" "$file"
  done <"$1"
  [ -z "$2" ] || ! getent passwd "$2" >/dev/null || userdel "$2"
}

# --- Activation ---

wait_for_docker() {
  end=$(($(date +%s) + DAEMON_SECONDS))
  until timeout 30 docker info >/dev/null 2>&1; do
    [ "$(date +%s)" -lt "$end" ] || { say "dockerd did not answer within $DAEMON_SECONDS s"; return 1; }
    systemctl -q is-active docker.service || { say "dockerd is not running: $(journalctl _SYSTEMD_UNIT=docker.service -n 3 -o cat --no-pager | tail -c 600)"; return 1; }
    sleep 1
  done
}

start_docker() {
  # Three bad starts within a minute and systemd tries no more, the socket included (moby#41461).
  systemctl reset-failed docker.service docker.socket 2>/dev/null || true
  [ "$SOCKET" = no ] || systemctl start docker.socket
  systemctl start docker.service 2>/dev/null || { say "dockerd does not start: $(journalctl _SYSTEMD_UNIT=docker.service -n 3 -o cat --no-pager | tail -c 600)"; return 1; }
  wait_for_docker
}

stop_containers() { # FILE: ID NAME a line, in order
  while read -r id name; do
    say "stopping container $name"
    docker stop "$id" >/dev/null # its own stop timeout holds, else Docker's 10 s
  done <"$1"
}

start_containers() { # ID NAME a line on stdin; those that this daemon does not know are left out
  while read -r id name; do
    ! docker inspect "$id" >/dev/null 2>&1 || docker start "$id" >/dev/null || say "container $name does not start again"
  done
}

# A container that runs on under a shim that no daemon lists can be stopped by nobody but the kernel's kill.
no_orphans() {
  for process in /proc/[0-9]*; do
    case $(tr '\0' ' ' 2>/dev/null <"$process/cmdline") in
      *containerd-shim*"-namespace moby "*) say "container shim ${process#/proc/} is left over"; return 1 ;;
    esac
  done
}

wait_for_live_restore() {
  end=$(($(date +%s) + DAEMON_SECONDS))
  until [ "$(timeout 30 docker info --format '{{.LiveRestoreEnabled}}')" = true ]; do
    [ "$(date +%s)" -lt "$end" ] || { say "live-restore did not come into effect by a reload"; return 1; }
    sleep 1
  done
}

activate_docker() {
  [ "$DOCKER" = nothing ] || : >"$stage/docker-touched"
  if [ "$LIVE_RESTORE_FIRST" = yes ]; then
    say "switching live-restore on by a reload, so that containers survive the restart"
    systemctl reload docker.service
    wait_for_live_restore
  fi
  ! has stop || stop_containers "$stage/stop"
  case $DOCKER in
    reload) say "reloading dockerd"; systemctl reload docker.service; sleep 1; wait_for_docker ;;
    start)
      say "starting dockerd"
      [ "$SWITCHES_STORE" = no ] || no_orphans
      start_docker
      ;;
    restart)
      say "restarting dockerd"
      # Any docker command would start a stopped daemon through its socket: the socket first.
      [ "$SOCKET" = no ] || systemctl stop docker.socket
      systemctl stop docker.service
      [ "$SWITCHES_STORE" = no ] || no_orphans
      start_docker
      if [ "$SWITCHES_STORE" = no ] && has stop; then tac "$stage/stop" | start_containers; fi
      ;;
  esac
}

drop_between_containers() {
  say "dropping docker0 to docker0 in the kernel: dockerd leaves a bridge as it is while containers run"
  # Without it the bridge's frames pass no firewall.
  echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
  # On top of FORWARD, not in DOCKER-USER: what somebody inserted later stands before the jump to that chain.
  lift_drop
  # shellcheck disable=SC2086 # words
  iptables -w 10 -I FORWARD $drop_rule
}

drop_rule='-i docker0 -o docker0 -m comment --comment drydock -j DROP'
# shellcheck disable=SC2086 # words
lift_drop() { iptables -w 10 -D FORWARD $drop_rule 2>/dev/null || :; }

# shellcheck disable=SC2046,SC2086 # a rule is words without blanks or globs (apply.ts checks), and auditctl wants them apart
change_audit_rules() { # REMOVE ADD
  set -f
  while IFS= read -r rule; do auditctl $(printf '%s' "$rule" | sed 's/^-a /-d /; s/^-w /-W /') >/dev/null; done <"$1"
  set +f
  [ ! -s "$2" ] || auditctl -R "$2" >/dev/null
}

activate_audit() {
  [ "$AUDIT_ENABLE" = no ] || auditctl -e 1 >/dev/null
  if has audit-remove || has audit-add; then say "loading audit rules"; fi
  change_audit_rules "$stage/audit-remove" "$stage/audit-add"
  # Without --load it only compiles rules.d into audit.rules, for the next boot: a load would stop at the first rule that
  # somebody else's file has wrong.
  [ "$AUDIT_COMPILE" = no ] || augenrules >/dev/null
}

running_limits() {
  while read -r unit property value; do
    pid=$(systemctl show -p MainPID --value "$unit")
    [ "$pid" -gt 0 ] || continue
    case $property in
      # The kernel takes no more than fs.nr_open, and that is what systemd makes of infinity.
      LimitNOFILE) prlimit --pid "$pid" --nofile="$(printf '%s' "$value" | sed "s/infinity/$(cat /proc/sys/fs/nr_open)/g; s/^[^:]*\$/&:&/")" ;;
      OOMScoreAdjust) printf '%s\n' "$value" >"/proc/$pid/oom_score_adj" ;;
    esac
  done <"$stage/process-limits"
  while read -r scope file value; do
    group=/sys/fs/cgroup$(systemctl show -p ControlGroup --value "$scope")
    [ ! -e "$group/$file" ] || printf '%s\n' "$value" >"$group/$file"
  done <"$stage/scope-limits"
  has slice-limits || return 0
  while read -r unit property value; do
    # What `systemctl set-property` left beats the unit file.
    rm -rf "/etc/systemd/system.control/$unit.d" "/run/systemd/system.control/$unit.d"
  done <"$stage/slice-limits"
  systemctl daemon-reload
  while read -r unit property value; do
    group=/sys/fs/cgroup$(systemctl show -p ControlGroup --value "$unit")
    case $property in TasksMax) file=pids.max ;; MemoryMax) file=memory.max ;; MemorySwapMax) file=memory.swap.max ;; *) continue ;; esac
    [ ! -e "$group/$file" ] || systemctl show -p "$property" --value "$unit" | sed 's/^infinity$/max/' >"$group/$file"
  done <"$stage/slice-limits"
}

check_health() {
  systemctl -q is-active docker.service || { say "docker.service is $(systemctl is-active docker.service || true)"; return 1; }
  wait_for_docker
  all_run <"$stage/survivors"
  [ "$SWITCHES_STORE" = yes ] || all_run <"$stage/stop"
}

all_run() { # ID NAME a line on stdin; one that ended well by itself, or was removed, is nobody's fault
  while read -r id name; do
    container=$(docker inspect -f '{{.State.Running}} {{.State.ExitCode}}' "$id" 2>/dev/null || echo gone)
    case $container in
      true*|"false 0"|gone) ;;
      *) say "container $name ran before and does not run now"; return 1 ;;
    esac
  done
}

activate() {
  [ "$DAEMON_RELOAD" = no ] || systemctl daemon-reload
  while read -r module; do modprobe "$module"; done <"$stage/modules"
  if has modules; then echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables; fi
  while read -r unit; do say "starting $unit"; systemctl start "$unit"; done <"$stage/start"
  activate_audit
  activate_docker
  running_limits
  [ "$DROP_BETWEEN_CONTAINERS" = no ] || drop_between_containers
  [ "$LIFT_DROP" = no ] || lift_drop
}

# --- Commands ---

check_unchanged() { # somebody else may have been at work since the observation
  if has expect; then
    changed=$(sha256sum -c "$stage/expect" 2>/dev/null | grep -v ': OK$' | cut -d: -f1 | tr '\n' ' ' || true)
    [ -z "$changed" ] || refuse "changed by somebody else since it was read: $changed"
  fi
  while IFS= read -r path; do [ ! -e "$path" ] || refuse "made by somebody else since it was read: $path"; done <"$stage/expect-absent"
}

validate() {
  has validate || return 0
  sh "$stage/validate" >"$stage/validate.log" 2>&1 || refuse "dockerd does not take this daemon.json: $(tail -n 3 "$stage/validate.log" | tr '\n' ' ')"
}

forward() { # in a process of its own: `set -e` does not hold inside a condition
  add_ids
  n=0
  while read -r mode owner group path; do
    n=$((n + 1))
    say "installing $path"
    install_file "$stage/files/$n" "$mode" "$owner" "$group" "$path"
  done <"$stage/writes"
  while IFS= read -r path; do say "removing $path"; rm -f -- "$path"; done <"$stage/removes"
  while read -r mode owner group path; do
    chown "$owner:$group" "$path"
    chmod "$mode" "$path"
  done <"$stage/modes"
  activate
  check_health
}

back() { # the generation's "before", files and running state
  before=$(cat "$stage/generation")/before
  bring_back "$before"
  take_ids_back "$stage/ids" "$CREATE_USER"
  systemctl daemon-reload
  # Undo what is loaded: rules may or may not have got there.
  change_audit_rules "$stage/audit-add" "$stage/audit-remove" 2>/dev/null || true
  if [ "$DROP_BETWEEN_CONTAINERS" = yes ]; then lift_drop; fi
  if [ "$LIFT_DROP" = yes ]; then drop_between_containers || true; fi
  # Only if the failure came after: dockerd with the old configuration may end containers that ran on until now.
  if [ -e "$stage/docker-touched" ]; then
    if [ "$DOCKER_WAS" = active ]; then
      say "restarting dockerd with the old configuration"
      systemctl stop docker.socket docker.service 2>/dev/null || true
      start_docker
      { tac "$stage/stop"; cat "$stage/survivors"; } | start_containers
    else
      systemctl stop docker.service
    fi
  fi
  left=$(differs_from "$before")
  [ -z "$left" ] || { say "$left"; return 1; }
  [ ! -e "$stage/docker-touched" ] || [ "$DOCKER_WAS" != active ] || cat "$stage/stop" "$stage/survivors" | all_run
}

note_applied() {
  pid=$(systemctl show -p MainPID --value docker.service)
  {
    printf 'keys %s\n' "$DAEMON_KEYS"
    printf 'daemon %s:%s\n' "$pid" "$(awk '{ print $22 }' "/proc/$pid/stat")"
    printf 'configuration %s\n' "$(sha256sum </etc/docker/daemon.json | cut -d' ' -f1)"
  } >"$state/applied.new"
  mv "$state/applied.new" "$state/applied"
}

new_generation() {
  mkdir -p "$state/generations"
  last=$(find "$state/generations" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -n | tail -n1)
  generation=$(printf '%s/generations/%04d' "$state" "$((${last#"${last%%[!0]*}"} + 1))")
  mkdir -p "$generation/after"
  cp "$stage/by" "$stage/writes" "$stage/removes" "$stage/modes" "$stage/ids" "$generation/"
  cp -r "$stage/files" "$generation/after/"
  remember_all "$generation/before"
  printf '%s\n' "$generation" >"$stage/generation"
}

prepare() { # everything that is needed to come back, before anything is touched
  remember_all "$state/pristine"
  # Noted before they are there: a run that is cut off may have added them, and taking back what is not there is nothing.
  cat "$stage/ids" >>"$state/pristine/ids"
  [ -z "$CREATE_USER" ] || printf '%s\n' "$CREATE_USER" >"$state/pristine/user"
  new_generation
  sync
}

forget_fresh() { [ "$fresh" = no ] || rm -rf -- "$state/pristine"; }

apply() {
  check_unchanged
  validate
  # What an update that broke has left is the original still; what this one saves is not, if it comes to nothing.
  fresh=no
  [ -d "$state/pristine" ] || fresh=yes
  sh "$stage/transaction.sh" prepare "$stage" || { forget_fresh; refuse "the state of before could not be saved"; }
  # From here on something of ours may be left, and whoever destroys the host has to find it.
  kept=no
  [ ! -e "$state/owner" ] || kept=yes
  if ! { grep -v '^configuration ' "$stage/by" >"$state/owner.new" && mv "$state/owner.new" "$state/owner"; }; then
    forget_fresh
    refuse "the owner could not be written"
  fi
  if sh "$stage/transaction.sh" forward "$stage"; then
    # For `restore`: what the first update stopped runs again then.
    [ "$SWITCHES_STORE" = no ] || [ -e "$state/pristine/stopped" ] || cp "$stage/stop" "$state/pristine/stopped"
    note_applied
    ln -sfn "$(cat "$stage/generation")" "$state/current"
    find "$state/generations" -mindepth 1 -maxdepth 1 | sort | head -n "-$KEEP_GENERATIONS" | while IFS= read -r old; do rm -rf -- "$old"; done
    exit 0
  fi
  say "failed; going back to the state of before"
  if sh "$stage/transaction.sh" back "$stage"; then
    say "the state of before is back"
    rm -rf -- "$(cat "$stage/generation")"
    [ "$kept" = yes ] || rm -f "$state/owner"
    forget_fresh
    exit 21
  fi
  exit 22
}

original_limits() { # what the units ask for now, in the services that are not restarted
  pid=$(systemctl show -p MainPID --value containerd.service)
  [ "${pid:-0}" -gt 0 ] || return 0
  limit() { systemctl show -p "$1" --value containerd.service | sed "s/infinity/$(cat /proc/sys/fs/nr_open)/"; }
  prlimit --pid "$pid" --nofile="$(limit LimitNOFILESoft):$(limit LimitNOFILE)"
  limit OOMScoreAdjust >"/proc/$pid/oom_score_adj"
}

put_back() { # in a process of its own: whatever fails here, dockerd is started after it
  lift_drop
  say "restoring the original files"
  change_audit_rules "$stage/audit-remove" "$stage/audit-add" || say "an audit rule could not be taken out of the kernel"
  bring_back "$state/pristine"
  take_ids_back "$state/pristine/ids" "$(cat "$state/pristine/user" 2>/dev/null || true)"
  systemctl daemon-reload
  original_limits
}

restore() {
  [ -d "$state/pristine" ] || { rm -f "$state/owner"; say "there is nothing to restore"; exit 0; }
  touch "$state/pristine/ids"
  ! has stop || stop_containers "$stage/stop"
  say "stopping dockerd"
  [ "$SOCKET" = no ] || systemctl stop docker.socket
  systemctl stop docker.service
  broken=no
  no_orphans && sh "$stage/transaction.sh" put_back "$stage" || broken=yes
  say "starting dockerd"
  start_docker || exit 22
  # What ran before the first update, or ran until now and can still be seen.
  { tac "$state/pristine/stopped" 2>/dev/null || true; tac "$stage/stop"; } | start_containers
  [ "$broken" = no ] || exit 22
  left=$(differs_from "$state/pristine")
  [ -z "$left" ] || { say "not as before: $left"; exit 22; }
  rm -rf -- "$state/generations" "$state/pristine" "$state/applied" "$state/current" "$state/owner"
  say "every file is as it was before the first update"
}

case $command in
  apply) apply ;;
  prepare) prepare ;;
  put_back) put_back ;;
  forward) forward ;;
  back) back ;;
  restore) restore ;;
  *) refuse "unknown command $command" ;;
esac
