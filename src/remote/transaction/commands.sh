# shellcheck shell=sh
# The commands of transaction.sh, each a sequence of what the other parts can do.
# shellcheck disable=SC2154 # stage and state are set in begin.sh

activate() {
  [ "$DAEMON_RELOAD" = no ] || systemctl daemon-reload
  while read -r module; do modprobe "$module"; done <"$stage/modules"
  if has modules; then echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables; fi
  while read -r unit; do say "starting $unit"; systemctl start "$unit"; done <"$stage/start"
  activate_audit
  activate_profiles
  activate_docker
  running_limits
  [ "$DROP_BETWEEN_CONTAINERS" = no ] || drop_between_containers
  [ "$LIFT_DROP" = no ] || lift_drop
}

# --- Commands ---

check_unchanged() { # somebody else may have been at work since the observation
  if has expect; then
    changed=$(sha256sum -c --quiet "$stage/expect" 2>/dev/null) || refuse "changed by somebody else since it was read: $(printf '%s\n' "$changed" | cut -d: -f1 | tr '\n' ' ')"
  fi
  while IFS= read -r path; do [ ! -e "$path" ] || refuse "made by somebody else since it was read: $path"; done <"$stage/expect-absent"
}

note_new_containers() { # started since the observation: they are as much worth as the others
  [ "$DOCKER_WAS" = active ] && [ "$SWITCHES_STORE" = no ] && { [ "$DOCKER" != nothing ] || has survivors; } || return 0
  docker ps --no-trunc --format '{{.ID}} {{.Names}} {{.Status}}' >"$stage/listing" || refuse "dockerd does not say which containers run"
  [ -s "$stage/listing" ] || return 0
  grep -E '^[^ ]+ [^ ]+ Restarting' "$stage/listing" | cut -d' ' -f1 >"$stage/crashing" || :
  # Started less than a minute ago, or about to be started again: nobody knows whether they would have stayed.
  grep -E '^[^ ]+ [^ ]+ (Restarting|Up (Less than a|[0-9]+) seconds?)' "$stage/listing" | cut -d' ' -f1 >"$stage/unsteady" || :
  [ "$DOCKER" != nothing ] || return 0
  cut -d' ' -f1,2 "$stage/listing" >"$stage/running"
  cut -d' ' -f1 "$stage/stop" "$stage/survivors" >"$stage/listed"
  # Where the others stop, what was started last stops first.
  if has stop; then list=$stage/stop; else list=$stage/survivors; fi
  { grep -vF -f "$stage/listed" "$stage/running" || :; cat "$list"; } >"$list.new"
  mv "$list.new" "$list"
}

validate() {
  check_profiles
  validate_configuration "this daemon.json"
}

validate_configuration() { # WHICH
  has validate || return 0
  sh "$stage/validate" >"$stage/validate.log" 2>&1 || refuse "dockerd does not take $1: $(tail -n 3 "$stage/validate.log" | tr '\n' ' ')"
}

forward() { # apart
  mend_volumes
  add_ids
  install_files
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
  rm -f "$stage/reserve"
  left=$(set_damaged_aside "$before")
  # Docker starts again whatever resists: both places have all the data until then.
  [ -e "$stage/volumes-in-use" ] || sh "$stage/transaction.sh" leave_volumes "$stage" || left="$left a volume could not be left"
  bring_back "$before"
  # Whatever resists here is told at the end: dockerd has to be started again.
  take_ids_back "$stage/ids" "$CREATE_USER" || left="$left the subordinate ids or their user could not be taken back"
  bring_profiles_back "$before"
  systemctl daemon-reload || left="$left systemd did not read its units again"
  # Undo what is loaded: rules may or may not have got there.
  change_audit_rules "$stage/audit-add" "$stage/audit-remove" 2>/dev/null || true
  stop_what_was_started "$before" || left="$left what was started could not be stopped"
  [ ! -s "$before/audit-enabled" ] || auditctl -e "$(cat "$before/audit-enabled")" >/dev/null || :
  bring_limits_back "$before"
  if [ "$DROP_BETWEEN_CONTAINERS" = yes ]; then lift_drop; fi
  if [ "$LIFT_DROP" = yes ]; then drop_between_containers || true; fi
  # Only if the failure came after: dockerd with the old configuration may end containers that ran on until now.
  if [ -e "$stage/docker-touched" ]; then
    if [ "$DOCKER_WAS" = active ]; then
      say "restarting dockerd with the old configuration"
      note_ended
      let_containers_live
      stop_docker
      start_docker_as_before "$before"
      { tac "$stage/stop"; without_ended <"$stage/survivors"; } | start_containers
    else
      stop_docker
    fi
  fi
  bridge_filter_back "$before"
  left=$left$(differs_from "$before"; volume_files_differ; profiles_differ_from "$before"; kernel_differs_from "$before")
  [ -z "$left" ] || { say "$left"; return 1; }
  [ ! -e "$stage/docker-touched" ] || [ "$DOCKER_WAS" != active ] || { all_started && all_run "$(cat "$stage/stop" "$stage/survivors" | without_crashing)"; }
}

note_ended() { # survivors that ended well by themselves: a job that is through must not run a second time. Once, before dockerd stops
  [ ! -e "$stage/ended" ] && systemctl -q is-active docker.service || return 0
  timeout 30 docker ps -aq --no-trunc --filter status=exited --filter exited=0 >"$stage/ended" 2>/dev/null || :
}
without_ended() { if [ -s "$stage/ended" ]; then grep -vF -f "$stage/ended" || :; else cat; fi; }

note_applied() {
  if [ -e "$stage/docker-started" ]; then read -r pid _ <"$stage/docker-started"; else pid=$(docker_pid); fi
  # Of an engine without a daemon.json, too.
  sum=$(sha256sum </etc/docker/daemon.json) || :
  {
    printf 'keys %s\n' "$DAEMON_KEYS"
    printf 'generation %s\n' "$(generation_number)"
    printf 'daemon %s:%s\n' "$pid" "$(start_ticks "$pid")"
    printf 'configuration %s\n' "${sum%% *}"
    note_profiles
  } >"$state/applied.new"
  sync "$state/applied.new"
  mv "$state/applied.new" "$state/applied"
}

start_ticks() { # PID: when it was started, proc(5)
  read -r stat <"/proc/$1/stat"
  # The name before it may have blanks.
  # shellcheck disable=SC2086 # a word a field
  set -- ${stat##*) }
  printf '%s\n' "${20}"
}

new_generation() {
  last=0
  for folder in "$state/generations"/*; do
    number=${folder##*/}
    # Without its zeros, which would make it octal.
    number=${number#"${number%%[!0]*}"}
    [ ! -d "$folder" ] || [ "$number" -le "$last" ] || last=$number
  done
  generation=$(printf '%s/generations/%04d' "$state" "$((last + 1))")
  mkdir -p "$generation/after"
  cp "$stage/by" "$stage/writes" "$stage/removes" "$stage/modes" "$stage/ids" "$generation/"
  cp -r "$stage/files" "$generation/after/"
  if [ "$first" = yes ]; then
    # The originals are what was there before, with their sums.
    cp -a "$state/pristine" "$generation/before"
  else
    remember_all "$generation/before"
    remember_profiles "$generation/before"
    note_sums "$generation/before"
  fi
  (cd "$generation" && find after -type f -exec sha256sum {} + >manifest)
  printf '%s\n' "$generation" >"$stage/generation"
}

prepare() { # apart: everything that is needed to come back, before anything is touched
  first=no
  [ -d "$state/pristine" ] || first=yes
  # For the way back on a disk that is full by then.
  head -c 1048576 /dev/zero >"$stage/reserve"
  remember_all "$state/pristine"
  remember_profiles "$state/pristine"
  note_sums "$state/pristine"
  new_generation
  remember_kernel "$generation/before"
  # Noted before they are there: a run that is cut off may have added them, and taking back what is not there is nothing.
  if has ids; then cat "$stage/ids" >>"$state/pristine/ids"; else : >>"$state/pristine/ids"; fi
  [ -z "$CREATE_USER" ] || printf '%s\n' "$CREATE_USER" >"$state/pristine/user"
  # Of all filesystems only ours: others may hold gigabytes of containers' data that wait for their disk.
  sync -f "$state"
}

start_stopped() { # by a move, this one or one that was cut off
  [ -e "$state/stopped" ] || return 0
  tac "$state/stopped" | start_containers
  # That they run is on the disk before the note goes, or a power cut now would leave them stopped for good.
  sync -f /var/lib/docker || :
  rm -f "$state/stopped"
}

forget_old_generations() {
  set -- "$state/generations"/*
  [ $# -gt "$KEEP_GENERATIONS" ] || return 0
  # By number: as text 10000 comes before 9999.
  find "$state/generations" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -n | head -n "-$KEEP_GENERATIONS" | while IFS= read -r old; do rm -rf -- "$state/generations/$old"; done
}

apply() {
  check_unchanged
  validate
  note_new_containers
  note_ports
  # What an update that broke has left is the original still; what this one saves is not, if it comes to nothing.
  [ -d "$state/pristine" ] || : >"$stage/fresh"
  [ ! -s "$state/owner" ] || : >"$stage/kept"
  # Whole, or not there: it may come back as the original.
  [ -e "$stage/fresh" ] || { cp -a "$state/pristine" "$stage/pristine-before.new" && sync -f "$stage" && mv "$stage/pristine-before.new" "$stage/pristine-before"; } || refuse "the originals could not be saved"
  apart prepare
  [ "$status" -eq 0 ] || untouched "the state of before could not be saved"
  # What was saved just now is what is replaced.
  check_unchanged
  # From here on something of ours may be left, and whoever destroys the host has to find it.
  # Synced: after a power cut a file that was renamed before its text was on the disk is there, and empty.
  if ! { said_by stack host >"$state/owner.new" && sync "$state/owner.new" && mv "$state/owner.new" "$state/owner"; }; then
    untouched "the owner could not be written"
  fi
  apart arm changing
  [ "$status" -eq 0 ] || untouched "the way back could not be made ready"
  ! moves_data || apart move_volumes
  [ "$status" -ne 0 ] || apart forward
  if [ "$status" -eq 0 ]; then
    start_stopped
    ! has volumes || sh "$stage/transaction.sh" old_data "$stage" || say "what was moved could not be set aside; it lies below the new filesystem"
    # For `restore`: what the first update stopped runs again then.
    [ "$SWITCHES_STORE" = no ] || [ -e "$state/pristine/stopped" ] || cp "$stage/stop" "$state/pristine/stopped"
    note_applied
    uptime_seconds >"$stage/changed-at"
    set_step changed
    exit 0
  fi
  say "failed; going back to the state of before"
  take_back "it failed" || exit 22
  exit 21
}

untouched() { # WHY
  rm -f "$stage/step"
  disarm_for_good
  forget_saved
  refuse "$1"
}

original_limits() { # what the units ask for now, in the services that are not restarted
  pid=$(systemctl show -p MainPID --value containerd.service)
  [ "${pid:-0}" -gt 0 ] || return 0
  limit() { systemctl show -p "$1" --value containerd.service | sed "s/infinity/$(cat /proc/sys/fs/nr_open)/"; }
  # The soft one is for what it starts: it has raised its own, and may have more files open.
  prlimit --pid "$pid" --nofile="$(limit LimitNOFILE)"
  limit OOMScoreAdjust >"/proc/$pid/oom_score_adj"
}

files_back() { # whatever runs is told later
  set_damaged_aside "$state/pristine"
  bring_back "$state/pristine"
  take_ids_back "$state/pristine/ids" "$(cat "$state/pristine/user" 2>/dev/null || true)"
}

put_back() { # in a process of its own: whatever fails here, dockerd is started after it
  lift_drop
  say "restoring the original files"
  change_audit_rules "$stage/audit-remove" "$stage/audit-add" || say "an audit rule could not be taken out of the kernel"
  files_back
  bring_profiles_back "$state/pristine"
  systemctl daemon-reload
  original_limits
}

restore() { # cut off wherever it may be, it is begun again: by the timer, or at boot
  if [ "$(step)" != restoring ]; then
    [ -d "$state/pristine" ] || { rm -f "$state/owner"; say "there is nothing to restore"; exit 0; }
    damaged=$(damaged_in "$state/pristine" | tr '\n' ' ')
    [ -z "$damaged" ] || refuse "these originals are not as they were saved (sha256sum --check manifest): ${damaged}in $state/pristine; put what they were into their places there, or take them out of tree and manifest to go without them"
    # Of another engine by now, maybe.
    [ ! -e "$state/pristine/tree/etc/docker/daemon.json" ] || validate_configuration "the original daemon.json ($state/pristine/tree/etc/docker/daemon.json) any more, and would not start with it"
    apart arm restoring
    [ "$status" -eq 0 ] || { rm -f "$stage/step"; disarm_for_good; refuse "what finishes it when it is cut off could not be made ready"; }
  fi
  # Without them it was cut off after its last change.
  if [ -d "$state/pristine" ]; then
    restore_originals || { disarm_for_good; rm -f "$stage/step"; exit 22; }
    # Away with one rename: half of it would pass for all of it.
    mv "$state/pristine" "$state/pristine.gone"
  fi
  rm -rf -- "$state/generations" "$stage.ended" "$state/pristine.gone" "$state/applied" "$state/current" "$state/outcome" "$state/log" "$state/owner"
  say "every file is as it was before the first update"
  disarm || exit 22
  end_transaction
  leave_host
}

leave_host() { # nothing of ours stays on a host that was left; who waits for this has the lock, and does it himself
  exec 9>"$state/lock"
  flock -n 9 || return 0
  rm -f "$state/lock"
  rmdir "$state" 2>/dev/null || :
}

restore_originals() {
  touch "$state/pristine/ids"
  ! has stop || note_stopped || say "which containers are stopped could not be noted"
  ! has stop || stop_containers "$stage/stop" || say "not all containers could be stopped"
  say "stopping dockerd"
  broken=no
  stop_docker
  no_orphans && sh "$stage/transaction.sh" put_back "$stage" || broken=yes
  say "starting dockerd"
  if ! start_docker; then
    stopped=$(cut -d' ' -f2- "$state/stopped" 2>/dev/null | tr '\n' ' ')
    [ -z "$stopped" ] || say "stopped until this is run again: $stopped"
    return 1
  fi
  # What ran before the first update, or ran until now and can still be seen.
  { tac "$state/pristine/stopped" 2>/dev/null || true; [ -e "$state/stopped" ] || tac "$stage/stop"; } | start_containers
  start_stopped
  [ "$broken" = no ] || return 1
  left=$(damaged_in "$state/pristine"; differs_from "$state/pristine"; profiles_differ_from "$state/pristine")
  [ -z "$left" ] || { say "not as before: $left"; return 1; }
}

case $command in
  apply) apply ;;
  forget_saved) forget_saved ;;
  guard) guard ;;
  confirm) confirm ;;
  reject) reject "$3" ;;
  clear_away) clear_away ;;
  recover) recover ;;
  settle) settle ;;
  files_back) files_back ;;
  put_back) put_back ;;
  leave_volumes) leave_volumes ;;
  old_data) each_volume "move adopt repair" set_aside; rmdir "$state"/volumes/* "$state/volumes" 2>/dev/null || : ;;
  remove_old_data) remove_old_data ;;
  back) back ;;
  restore) restore ;;
  *) refuse "unknown command $command" ;;
esac
