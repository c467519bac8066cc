# shellcheck shell=sh
# What brings a host back when nobody is left to do it: a timer for a controller that is gone, two units for a boot in the middle.
#
# $stage/step says how far the transaction is: `changing`, `changed`, `going-back`, `confirmed`, or `broken` when the way back failed.
# It is on the disk before what it announces begins. Without that file nothing was touched yet. The stage stays until the end.
# shellcheck disable=SC2154 # stage and state are set in begin.sh

set_step() { # STEP
  # The first room that a full disk gives back is ours.
  printf '%s\n' "$1" >"$stage/step.new" 2>/dev/null || { rm -f "$state/reserve"; printf '%s\n' "$1" >"$stage/step.new"; }
  sync "$stage/step.new" && mv "$stage/step.new" "$stage/step" && sync "$stage"
}

step() { cat "$stage/step" 2>/dev/null || echo untouched; }

uptime_seconds() { cut -d. -f1 /proc/uptime; } # no step of the clock moves it

units=/etc/systemd/system
recovery_units="$units/drydock-recover.service $units/drydock-settle.service"
recovery_links="$units/sysinit.target.wants/drydock-recover.service $units/multi-user.target.wants/drydock-settle.service"

# A boot needs no more than the files, and the units are there only while a transaction is: nothing of them stays on a host.
write_recovery_units() {
  for folder in "${units%/*}" "$units" "$units/sysinit.target.wants" "$units/multi-user.target.wants"; do
    [ -d "$folder" ] || { (umask 022 && mkdir "$folder") && printf '%s\n' "$folder" >>"$stage/unit-folders"; }
  done
  cat >"$stage/drydock-recover.service" <<UNIT
[Unit]
Description=Drydock: take back an update that was cut off, before anything reads its files
DefaultDependencies=no
RequiresMountsFor=$state
After=local-fs.target
Before=sysinit.target auditd.service apparmor.service containerd.service docker.socket docker.service shutdown.target
Conflicts=shutdown.target
ConditionPathExists=$stage/step

[Service]
Type=oneshot
ExecStart=/bin/sh $stage/transaction.sh recover $stage
TimeoutStartSec=15min
UNIT
  cat >"$stage/drydock-settle.service" <<UNIT
[Unit]
Description=Drydock: start again what an update that was cut off had stopped
After=docker.service
ConditionPathExists=$stage/after-boot

[Service]
Type=oneshot
ExecStart=/bin/sh $stage/transaction.sh settle $stage
TimeoutStartSec=15min
UNIT
  for unit in drydock-recover drydock-settle; do install -m 0644 "$stage/$unit.service" "$units/$unit.service"; done
  for link in $recovery_links; do ln -sfn "$units/${link##*/}" "$link"; done
  # shellcheck disable=SC2086 # our own paths
  sync $recovery_units "$units/sysinit.target.wants" "$units/multi-user.target.wants" "$units"
}

arm() { # in a process of its own, before the first change
  write_recovery_units
  systemctl stop drydock-guard.timer 2>/dev/null || :
  set_step changing
  systemd-run --quiet --unit=drydock-guard --on-active="$GUARD_SECONDS" --on-unit-inactive="$GUARD_SECONDS" --timer-property=AccuracySec=1s \
    --property=OOMScoreAdjust=-900 --property=SyslogLevel=notice --property=LogLevelMax=notice sh "$stage/transaction.sh" guard "$stage"
}

disarm() {
  systemctl stop drydock-guard.timer 2>/dev/null || :
  # shellcheck disable=SC2086 # our own paths
  rm -f $recovery_links $recovery_units
  [ ! -e "$stage/unit-folders" ] || tac "$stage/unit-folders" | while IFS= read -r folder; do rmdir --ignore-fail-on-non-empty "$folder"; done
}

# For whoever looks next: what became of the last transaction that got so far as to touch something.
note_outcome() { # RESULT WHY
  {
    printf 'generation %s\nresult %s\nat %s\nwhy %s\n' "$(generation_number)" "$1" "$(date +%s)" "$2"
    grep -E '^(stack|host|by|commit|since) ' "$stage/by"
  } >"$state/outcome.new" && sync "$state/outcome.new" && mv "$state/outcome.new" "$state/outcome"
}

generation_number() { sed 's,.*/,,' "$stage/generation"; }

end_transaction() { # whoever runs this script goes on reading it
  rm -f "$state/reserve"
  rm -rf -- "$stage"
}

take_back() { # WHY: the way back, whoever finds that it has to be gone
  set_step going-back || :
  if sh "$stage/transaction.sh" back "$stage"; then
    say "the state of before is back"
    [ ! -e "$stage/volumes-in-use" ] || say "but for the data of Docker, which stay on the new filesystem: containers may have written to it"
    start_stopped
    end_taken_back "$1"
    return 0
  fi
  # The next boot tries again; until then whoever looks is told, and the next update may mend it.
  set_step broken || :
  note_outcome broken "$1" || :
  systemctl stop drydock-guard.timer 2>/dev/null || :
  return 1
}

end_taken_back() { # WHY
  note_outcome "went back" "$1" || :
  disarm
  rm -rf -- "$(cat "$stage/generation")"
  [ -e "$stage/kept" ] || rm -f "$state/owner"
  [ ! -e "$stage/fresh" ] || rm -rf -- "$state/pristine"
  end_transaction
}

# --- Commands ---

guard() { # by the timer, again and again until the transaction has an end
  exec 9>"$state/lock"
  flock -n 9 || exit 0 # an apply, a confirmation or a way back is under way
  ! systemctl -q is-active drydock-apply.service || exit 0
  case $(step) in
    changing) why="it was cut off in the middle" ;;
    going-back) why="it was cut off on the way back" ;;
    changed)
      read -r changed_at <"$stage/changed-at"
      [ "$(($(uptime_seconds) - changed_at))" -ge "$CONFIRM_SECONDS" ] || exit 0
      why="nobody confirmed it over a new connection within $CONFIRM_SECONDS s"
      ;;
    *) disarm; exit 0 ;;
  esac
  say "the update by $(tr '\n' ' ' <"$stage/by"): $why; going back to the state of before"
  take_back "$why" || exit 22
}

confirm() { # by the controller, over a connection that is new
  [ "$(step)" = changed ] || { say "there is nothing to confirm"; exit 1; }
  set_step confirmed
  ln -sfn "$(cat "$stage/generation")" "$state/current"
  note_outcome confirmed "-"
  disarm
  forget_old_generations
  end_transaction
}

# By the next update, which finds what has neither an end nor anybody at work on it.
clear_away() {
  case $(step) in
    changing | changed | going-back)
      say "taking back an update that was cut off: $(tr '\n' ' ' <"$stage/by")"
      take_back "it was cut off" || exit 22
      exit 24
      ;;
    *) disarm; end_transaction ;;
  esac
}

recover() { # at boot, before the files are read by anybody: nothing runs yet that would have to be told
  case $(step) in
    changing | changed | going-back | broken) ;;
    *) disarm; end_transaction; exit 0 ;;
  esac
  say "the update by $(tr '\n' ' ' <"$stage/by") was cut off by a restart of the host; the files of before come back"
  set_step going-back || :
  # Mounted at boot it is whole, and what Docker is about to start on.
  each_volume "move adopt" note_volume_in_use
  if [ ! -e "$stage/volumes-in-use" ]; then
    each_volume "move adopt" unmount_copy
    each_volume "move adopt" forget_old_data
    [ ! -d "$stage/volumes-before" ] || bring_back "$stage/volumes-before"
  fi
  before=$(cat "$stage/generation")/before
  bring_back "$before"
  take_ids_back "$stage/ids" "$CREATE_USER"
  # apparmor.service loads by the files.
  cat "$stage/profiles-load" "$stage/profiles-unload" | while read -r name; do forget_compiled "$name"; done
  systemctl daemon-reload
  : >"$stage/after-boot"
  sync -f "$stage"
}

settle() { # at boot, after Docker
  exec 9>"$state/lock"
  flock 9
  broken=
  if [ "$DOCKER_WAS" = active ]; then
    systemctl start docker.service || :
    wait_for_docker || broken="dockerd does not start"
  fi
  # Who was stopped by Docker's own command stays so at boot, whatever its restart policy says.
  tac "$stage/stop" | start_containers
  start_stopped
  before=$(cat "$stage/generation")/before
  left=$(differs_from "$before")
  [ -z "$left$broken" ] || { say "$broken $left"; set_step broken || :; note_outcome broken "the host was restarted in the middle" || :; exit 22; }
  say "the state of before is back"
  end_taken_back "the host was restarted in the middle"
}

note_volume_in_use() { ! is_on_device "$mount_point" 2>/dev/null || : >"$stage/volumes-in-use"; }

forget_old_data() {
  old=$(old_data_below)
  [ -z "$old" ] || rm -f "$old.size"
}
