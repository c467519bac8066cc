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
export LC_ALL
# cp --parents of coreutils 9.1 loses the way to an absolute path in any other folder.
cd /

state=/var/lib/drydock
command=$1
stage=$2
# shellcheck source=/dev/null # made by apply.ts: scalars only, each quoted
. "$stage/settings"

say() { printf '%s\n' "$*"; }
refuse() { say "refused: $*"; exit 20; }
has() { [ -s "$stage/$1" ]; }

# --- Files ---

install_file() { # SOURCE MODE OWNER GROUP PATH: complete or not at all, also after a power cut
  folder=${5%/*}
  [ -d "$folder" ] || (umask 022 && mkdir -p "$folder")
  cp -- "$1" "$5.drydock-new"
  chown "$3:$4" "$5.drydock-new"
  chmod "$2" "$5.drydock-new"
  sync "$5.drydock-new"
  mv -T -- "$5.drydock-new" "$5"
  sync "$folder"
}

touched_paths() {
  cut -d' ' -f4- "$stage/writes" "$stage/modes"
  cat "$stage/removes"
  # augenrules makes these two from rules.d
  [ "$AUDIT_COMPILE" = no ] || printf '%s\n' /etc/audit/audit.rules /etc/audit/audit.rules.prev
}

remember() { # FOLDER PATH: how PATH is now, once
  grep -qxF -- "$2" "$1/known" 2>/dev/null && return
  if [ -d "$2" ]; then
    stat -c '%a %U %G %n' "$2" >>"$1/folders"
  elif [ -e "$2" ]; then
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

bring_back() { # FOLDER: every path as remember found it
  while IFS= read -r path; do rm -f -- "$path"; done <"$1/absent"
  (cd "$1/tree" && find . -type f -o -type l) | while IFS= read -r file; do
    path=${file#.}
    mkdir -p "${path%/*}"
    cp -a -- "$1/tree/$path" "$path.drydock-new"
    mv -T -- "$path.drydock-new" "$path"
  done
  while read -r mode owner group path; do
    [ -d "$path" ] || continue
    chown "$owner:$group" "$path"
    chmod "$mode" "$path"
  done <"$1/folders"
  sort -ru "$1/made" | while IFS= read -r path; do rmdir --ignore-fail-on-non-empty -- "$path" 2>/dev/null || true; done
  sync
}

differs_from() { # FOLDER: prints each path that is not as it was
  while IFS= read -r path; do [ ! -e "$path" ] || say "$path is still there"; done <"$1/absent"
  (cd "$1/tree" && find . -type f) | while IFS= read -r file; do
    path=${file#.}
    cmp -s "$1/tree/$path" "$path" || say "$path has another content"
    [ "$(stat -c '%a %U %G' "$1/tree/$path")" = "$(stat -c '%a %U %G' "$path" 2>&1)" ] || say "$path has another owner or mode"
  done
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
  tries=0
  until timeout 30 docker info >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt "$DAEMON_SECONDS" ] || { say "dockerd did not answer within $DAEMON_SECONDS tries"; return 1; }
    systemctl -q is-active docker.service || { say "dockerd is not running: $(journalctl -u docker.service -n 3 -o cat --no-pager | tail -c 600)"; return 1; }
    sleep 1
  done
}

start_docker() {
  # Three bad starts within a minute and systemd tries no more, the socket included (moby#41461).
  systemctl reset-failed docker.service docker.socket 2>/dev/null || true
  [ "$SOCKET" = no ] || systemctl start docker.socket
  systemctl start docker.service || { say "dockerd does not start: $(journalctl -u docker.service -n 3 -o cat --no-pager | tail -c 600)"; return 1; }
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
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ "$(timeout 30 docker info --format '{{.LiveRestoreEnabled}}')" != true ] || return 0
    sleep 1
  done
  say "live-restore did not come into effect by a reload"
  return 1
}

activate_docker() {
  if [ "$LIVE_RESTORE_FIRST" = yes ]; then
    say "switching live-restore on by a reload, so that containers survive the restart"
    systemctl reload docker.service
    wait_for_live_restore
  fi
  ! has stop || stop_containers "$stage/stop"
  case $DOCKER in
    reload) say "reloading dockerd"; systemctl reload docker.service; sleep 1; wait_for_docker ;;
    start) say "starting dockerd"; start_docker ;;
    restart)
      say "restarting dockerd"
      # Any docker command would start a stopped daemon through its socket: the socket first.
      [ "$SOCKET" = no ] || systemctl stop docker.socket
      systemctl stop docker.service
      [ "$SWITCHES_STORE" = no ] || no_orphans
      start_docker
      ;;
  esac
}

drop_between_containers() {
  say "dropping docker0 to docker0 in the kernel: dockerd leaves a bridge as it is while containers run"
  iptables -w 10 -C DOCKER-USER -i docker0 -o docker0 -m comment --comment drydock -j DROP 2>/dev/null ||
    iptables -w 10 -I DOCKER-USER -i docker0 -o docker0 -m comment --comment drydock -j DROP
}

lift_drop() { iptables -w 10 -D DOCKER-USER -i docker0 -o docker0 -m comment --comment drydock -j DROP 2>/dev/null || true; }

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
      LimitNOFILE) prlimit --pid "$pid" --nofile="$(printf '%s' "$value" | sed 's/infinity/unlimited/g; s/^[^:]*$/&:&/')" ;;
      OOMScoreAdjust) printf '%s\n' "$value" >"/proc/$pid/oom_score_adj" ;;
    esac
  done <"$stage/process-limits"
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
  while read -r id; do
    [ "$(docker inspect -f '{{.State.Running}}' "$id" 2>&1)" = true ] || { say "container $id ran before and does not run now"; return 1; }
  done <"$stage/survivors"
}

activate() {
  [ "$DAEMON_RELOAD" = no ] || systemctl daemon-reload
  while read -r module; do modprobe "$module"; done <"$stage/modules"
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
  if [ "$DOCKER" != nothing ]; then
    if [ "$DOCKER_WAS" = active ]; then
      say "restarting dockerd with the old configuration"
      systemctl stop docker.socket docker.service 2>/dev/null || true
      start_docker
      start_containers <"$stage/stopped"
    else
      systemctl stop docker.service
    fi
  fi
  left=$(differs_from "$before")
  [ -z "$left" ] || { say "$left"; return 1; }
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

apply() {
  check_unchanged
  validate
  # From here on something of ours may be left, and whoever destroys the host has to find it.
  kept=no
  [ ! -e "$state/owner" ] || kept=yes
  grep -v '^configuration ' "$stage/by" >"$state/owner"
  remember_all "$state/pristine"
  new_generation
  sync
  : >"$stage/stopped"
  ! has stop || cp "$stage/stop" "$stage/stopped"
  if sh "$stage/transaction.sh" forward "$stage"; then
    # For `restore`: what the first update stopped runs again then.
    [ "$SWITCHES_STORE" = no ] || [ -e "$state/pristine/stopped" ] || cp "$stage/stopped" "$state/pristine/stopped"
    cat "$stage/ids" >>"$state/pristine/ids"
    [ -z "$CREATE_USER" ] || printf '%s\n' "$CREATE_USER" >"$state/pristine/user"
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
    # Without an update that succeeded, what is there when the next one comes is the original.
    [ -L "$state/current" ] || rm -rf -- "$state/pristine"
    exit 21
  fi
  exit 22
}

restore() {
  [ -d "$state/pristine" ] || { rm -f "$state/owner"; say "there is nothing to restore"; exit 0; }
  touch "$state/pristine/ids"
  ! has stop || stop_containers "$stage/stop"
  say "stopping dockerd"
  [ "$SOCKET" = no ] || systemctl stop docker.socket
  systemctl stop docker.service
  lift_drop
  say "restoring the original files"
  change_audit_rules "$stage/audit-remove" "$stage/audit-add"
  bring_back "$state/pristine"
  take_ids_back "$state/pristine/ids" "$(cat "$state/pristine/user" 2>/dev/null || true)"
  systemctl daemon-reload
  running_limits
  say "starting dockerd"
  start_docker || exit 22
  # What ran before the first update, or ran until now and can still be seen.
  { tac "$state/pristine/stopped" 2>/dev/null || true; tac "$stage/stop"; } | start_containers
  left=$(differs_from "$state/pristine")
  [ -z "$left" ] || { say "not as before: $left"; exit 22; }
  rm -rf -- "$state/generations" "$state/pristine" "$state/applied" "$state/current" "$state/owner"
  say "every file is as it was before the first update"
}

case $command in
  apply) apply ;;
  forward) forward ;;
  back) back ;;
  restore) restore ;;
  *) refuse "unknown command $command" ;;
esac
