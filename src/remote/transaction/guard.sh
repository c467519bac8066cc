# shellcheck shell=sh
# What brings a host back when nobody is left to do it: a timer for a controller that is gone, two units for a boot in the middle.
#
# $stage/step says how far the transaction is: `changing`, `changed`, then `confirmed`, or `going-back` and `taken-back`; `broken` when the
# way back failed. Each end can be cut off, and begun again. `restoring` is the one word of a host that is left: it leads only forward.
# It is on the disk before what it announces begins. Without that file nothing was touched yet. The stage stays until the end.
# shellcheck disable=SC2154 # stage and state are set in begin.sh

set_step() { # STEP; whole, or not at all: an empty word would be taken for another
  # The first room that a full disk gives back is ours.
  printf '%s\n' "$1" >"$stage/step.new" 2>/dev/null || { rm -f "$stage/reserve" && printf '%s\n' "$1" >"$stage/step.new"; } || return 1
  sync "$stage/step.new" && mv "$stage/step.new" "$stage/step" && sync "$stage"
}

step() { # what nobody can read was begun, and has no end that anybody knows
  if [ -s "$stage/step" ]; then first_line "$stage/step"; elif [ -e "$stage/step" ]; then echo going-back; else echo untouched; fi
}

first_line() { # FILE: of one line, without the process of a cat
  IFS= read -r line <"$1" || [ -n "$line" ]
  printf '%s\n' "$line"
}

units=/etc/systemd/system
recovery_units="$units/drydock-recover.service $units/drydock-settle.service"
recovery_links="$units/sysinit.target.wants/drydock-recover.service $units/multi-user.target.wants/drydock-settle.service"

# A boot needs no more than the files, and the units are there only while a transaction is: nothing of them stays on a host.
write_recovery_units() {
  for folder in "${units%/*}" "$units" "$units/sysinit.target.wants" "$units/multi-user.target.wants"; do
    [ -d "$folder" ] || { (umask 022 && mkdir "$folder") && printf '%s\n' "$folder" >>"$stage/unit-folders"; }
  done
  printf '%s\n' "[Unit]
Description=Drydock: take back an update that was cut off, before anything reads its files
DefaultDependencies=no
RequiresMountsFor=$state
After=local-fs.target systemd-modules-load.service
Before=sysinit.target systemd-tmpfiles-setup.service auditd.service audit-rules.service apparmor.service containerd.service docker.socket docker.service shutdown.target
Conflicts=shutdown.target
ConditionPathExists=$stage/transaction.sh

[Service]
Type=oneshot
ExecStart=/bin/sh $stage/transaction.sh recover $stage
TimeoutStartSec=15min" >"$stage/drydock-recover.service"
  printf '%s\n' "[Unit]
Description=Drydock: start again what an update that was cut off had stopped
After=docker.service
ConditionPathExists=$stage/after-boot

[Service]
Type=oneshot
ExecStart=/bin/sh $stage/transaction.sh settle $stage
TimeoutStartSec=15min" >"$stage/drydock-settle.service"
  install -m 0644 "$stage/drydock-recover.service" "$stage/drydock-settle.service" "$units"
  for link in $recovery_links; do ln -sfn "$units/${link##*/}" "$link"; done
  # shellcheck disable=SC2086 # our own paths
  sync $recovery_units "$units/sysinit.target.wants" "$units/multi-user.target.wants" "$units"
}

arm() { # STEP; apart, before the first change
  write_recovery_units
  # Before the word is there: until this unit ends, the timer has nothing to do.
  start_guard
  # Whoever finds an outcome beside a word takes it for this transaction's.
  [ ! -e "$state/outcome" ] || rm -f -- "$state/outcome"
  set_step "$1"
  rm -rf -- "$stage.broken"
}

start_guard() {
  run_guard 2>/dev/null || {
    # An older one is there, or failed, of which systemd keeps the name.
    stop_guard
    systemctl reset-failed drydock-guard.timer drydock-guard.service 2>/dev/null || :
    run_guard
  }
}

run_guard() {
  # What hangs is ended, and begun again by the timer: it must not keep the lock for good.
  systemd-run --quiet --collect --unit=drydock-guard --property=RuntimeMaxSec=3600 --on-active="$GUARD_SECONDS" --on-unit-inactive="$GUARD_SECONDS" --timer-property=AccuracySec=1s \
    --property=OOMScoreAdjust=-900 --property=SyslogLevel=notice --property=LogLevelMax=notice sh "$stage/transaction.sh" guard "$stage"
}

disarm() { # the timer last: whatever is cut off here, or an /etc that is read-only by now, it comes again
  # shellcheck disable=SC2086 # our own paths
  rm -f $recovery_links $recovery_units || { say "the units for a boot can't be removed yet"; return 1; }
  [ ! -e "$stage/unit-folders" ] || tac "$stage/unit-folders" | while IFS= read -r folder; do rmdir --ignore-fail-on-non-empty "$folder"; done
  stop_guard
}

stop_guard() { systemctl stop drydock-guard.timer 2>/dev/null || :; }

# Where the stage goes in any case, and with it the timer's program. A unit for a boot that stays does nothing without one.
# Those of one that broke before stay: the next boot tries to take it back, as long as no other came so far as to touch something.
disarm_for_good() { if [ -d "$stage.broken" ]; then stop_guard; else disarm || stop_guard; fi; }

# For whoever looks next: what became of the last transaction that got so far as to touch something.
note_outcome() { # RESULT WHY
  {
    printf 'generation %s\nresult %s\nat %s\nwhy %s\n' "$(generation_number)" "$1" "$(date +%s)" "$(in_one_line "$2")" && said_by stack host by commit since
  } >"$state/outcome.new" && sync "$state/outcome.new" && mv "$state/outcome.new" "$state/outcome" || return 1
  # Of the unit, step by step; what the timer does is in the journal.
  cp -- "$stage/log" "$state/log" 2>/dev/null || :
}

said_by() { # WORD...: the lines of who applies that begin with one of these; fails where there is none, or one can't be written
  found=1
  while IFS= read -r line; do
    for word; do
      case $line in "$word "*) printf '%s\n' "$line" || return 1; found=0 ;; esac
    done
  done <"$stage/by"
  return "$found"
}

in_one_line() { # TEXT: whatever dockerd's last words were, the other lines are words of ours
  case $1 in *"$newline"*) printf '%s' "$1" | tr '\n' ' ' ;; *) printf '%s' "$1" ;; esac
}

generation_number() { read -r generation <"$stage/generation"; printf '%s\n' "${generation##*/}"; }

end_transaction() { # whoever runs this script goes on reading it
  # With one rename: cut off in the middle of its removal it would pass for one that never began, and what it saved for nothing.
  mv -T -- "$stage" "$stage.ended"
  sync "$state"
  rm -rf -- "$stage.ended"
}

take_back() { # WHY: the way back, whoever finds that it has to be gone
  set_step going-back || :
  if sh "$stage/transaction.sh" back "$stage"; then
    say "the state of before is back"
    [ ! -e "$stage/volumes-in-use" ] || say "but for the data of Docker, which stay on the new filesystem: containers may have written to it"
    start_stopped
    end_taken_back "$1" || :
    return 0
  fi
  if ! can_write; then
    say "/etc can't be written to: the state of before comes back as soon as it can"
    return 1
  fi
  # The next boot tries again; until then whoever looks is told, and the next update may mend it.
  set_step broken || :
  note_outcome broken "$1" || :
  stop_guard
  return 1
}

can_write() { # what the way back has to write
  for folder in "${units%/*/*}" "${units%/*/*}/docker" "$units"; do
    [ ! -d "$folder" ] || { printf "" >"$folder/.drydock-new" && rm "$folder/.drydock-new"; } 2>/dev/null || return 1
  done
}

end_taken_back() { # WHY; fails where the word has to stay, and whoever finds it ends this
  set_step taken-back || :
  note_outcome "went back" "$1" || :
  generation=$(cat "$stage/generation")
  # What the change had noted is of a daemon that has ended, and of settings that are gone.
  if [ -e "$generation/before/applied" ]; then
    cp "$generation/before/applied" "$state/applied.new" && mv "$state/applied.new" "$state/applied"
  elif [ -d "$generation" ]; then
    rm -f "$state/applied"
  fi
  forget_saved
  disarm || return 1
  end_transaction
}

forget_saved() { # what this transaction saved as the original is none, since it came to nothing
  # It did not come so far as to save something; who restores the originals saves nothing.
  [ -e "$stage/fresh" ] || [ -d "$stage/pristine-before" ] || return 0
  [ ! -e "$stage/generation" ] || rm -rf -- "$(cat "$stage/generation")"
  [ -e "$stage/kept" ] || rm -f "$state/owner"
  rm -rf -- "$state/pristine.gone"
  # Away with one rename: half of it would pass for all of it. It may be away already, where this was cut off before.
  [ ! -e "$state/pristine" ] || mv "$state/pristine" "$state/pristine.gone"
  [ ! -d "$stage/pristine-before" ] || mv "$stage/pristine-before" "$state/pristine"
  rm -rf -- "$state/pristine.gone"
}

end_untouched() { # it was cut off before its first change
  forget_saved
  disarm_for_good
  end_transaction
  [ ! -d "$stage.broken" ] || mv "$stage.broken" "$stage"
}

keep() { # confirmed; fails as end_taken_back does
  ln -sfn "$(first_line "$stage/generation")" "$state/current" || return 1
  note_outcome confirmed "-" || return 1
  forget_old_generations
  disarm || return 1
  end_transaction
}

# --- Commands ---

guard() { # by the timer, again and again until the transaction has an end
  exec 9>"$state/lock"
  flock -n 9 || exit 0 # an apply, a confirmation or a way back is under way
  ! systemctl -q is-active drydock-apply.service || exit 0
  case $(step) in
    changing) why="it was cut off in the middle" ;;
    going-back)
      # A disk in error makes a filesystem read-only, for as long as somebody needs to see to it.
      can_write || exit 0
      why="it was cut off on the way back"
      ;;
    changed)
      why=$(cat "$stage/not-kept" 2>/dev/null) || :
      if [ -z "$why" ]; then
        read -r changed_at <"$stage/changed-at"
        [ "$(($(uptime_seconds) - changed_at))" -ge "$CONFIRM_SECONDS" ] || exit 0
        why="nobody confirmed it over a new connection within $CONFIRM_SECONDS s"
      fi
      ;;
    confirmed) keep || :; exit 0 ;;
    taken-back) end_taken_back "it was cut off" || :; exit 0 ;;
    restoring) go_on_restoring || exit 22; exit 0 ;;
    # The boot units stay.
    broken) stop_guard; exit 0 ;;
    *) end_untouched; exit 0 ;;
  esac
  say "the update by $(tr '\n' ' ' <"$stage/by"): $why; going back to the state of before"
  take_back "$why" || exit 22
}

confirm() { # by the controller, after it has seen over a new connection that all is as wished
  case $(step) in
    changed)
      why=$(stays_up && none_crashes) || { not_kept "$why"; exit 1; }
      set_step confirmed
      ;;
    confirmed) ;;
    *) say "there is nothing to confirm"; exit 1 ;;
  esac
  keep || :
}

reject() { # WHY: by the controller, after it has seen that not all is as wished
  [ "$(step)" = changed ] || { say "there is nothing to reject"; exit 1; }
  # Noted before anything that may hang.
  not_kept "$1"
  # What this host knows of it says more.
  why=$(same_docker) || not_kept "$why"
}

not_kept() { # WHY, in one line; the guard takes it back, since whoever is connected may be cut off
  printf '%s\n' "$1" >"$stage/not-kept"
  say "$1"
}

# By the next update, which finds what has neither an end nor anybody at work on it.
clear_away() {
  case $(step) in
    changing | changed | going-back)
      say "taking back an update that was cut off: $(tr '\n' ' ' <"$stage/by")"
      # A link that fails now must not leave it half-way once more.
      start_guard || :
      take_back "it was cut off" || exit 22
      exit 24
      ;;
    confirmed) keep || refuse "the last update can't be ended: is /etc read-only?" ;;
    taken-back) end_taken_back "it was cut off" || refuse "the last update, which was taken back, can't be ended: is /etc read-only?" ;;
    restoring)
      start_guard || :
      go_on_restoring || exit 22
      exit 24
      ;;
    # This update may mend it. Until it has a way back of its own, the old one stays.
    broken) rm -rf -- "$stage.broken"; mv "$stage" "$stage.broken" ;;
    *) disarm_for_good; end_transaction ;;
  esac
}

go_on_restoring() {
  say "the originals come back, which was cut off: $(tr '\n' ' ' <"$stage/by")"
  sh "$stage/transaction.sh" restore "$stage" || return 1
  # Nobody waits who would do it: nothing of ours stays on a host that was left.
  rm -f "$state/lock"
  rmdir "$state" 2>/dev/null || :
}

recover() { # at boot, before the files are read by anybody: nothing runs yet that would have to be told
  case $(step) in
    restoring)
      : >"$stage/after-boot"
      [ ! -d "$state/pristine" ] || sh "$stage/transaction.sh" files_back "$stage" || :
      systemctl daemon-reload || :
      exit 0
      ;;
    changing | changed | going-back | broken) ;;
    confirmed) keep || :; exit 0 ;;
    taken-back) end_taken_back "the host was restarted in the middle" || :; exit 0 ;;
    *) end_untouched; exit 0 ;;
  esac
  say "the update by $(tr '\n' ' ' <"$stage/by") was cut off by a restart of the host; the files of before come back"
  set_step going-back || :
  # Whatever fails here, what was stopped starts again, and the comparison there tells.
  : >"$stage/after-boot"
  rm -f "$stage/reserve"
  # Mounted at boot it is whole, and what Docker is about to start on.
  each_volume "move adopt" note_volume_in_use
  if [ ! -e "$stage/volumes-in-use" ]; then
    each_volume "move adopt" unmount_copy
    each_volume "move adopt" forget_old_data
    [ ! -d "$stage/volumes-before" ] || bring_back "$stage/volumes-before"
  fi
  before=$(cat "$stage/generation")/before
  set_damaged_aside "$before"
  bring_back "$before"
  take_ids_back "$stage/ids" "$CREATE_USER" || :
  # apparmor.service loads by the files.
  cat "$stage/profiles-load" "$stage/profiles-unload" | while read -r name; do forget_compiled "$name"; done
  systemctl daemon-reload || :
  # By a file that is gone now.
  unload_modules "$before"
  sync -f "$stage"
}

settle() { # at boot, after Docker
  exec 9>"$state/lock"
  flock 9
  # Somebody may have ended it meanwhile.
  [ -e "$stage/after-boot" ] || exit 0
  [ "$(step)" != restoring ] || { go_on_restoring; exit; }
  broken=
  if [ "$DOCKER_WAS" = active ]; then
    systemctl start docker.service || :
    wait_for_docker || broken="dockerd does not start"
  fi
  # Who was stopped by Docker's own command stays so at boot, whatever its restart policy says.
  tac "$stage/stop" | start_containers
  # Of all else the host is whole: nothing is left to bring back at another boot.
  late=
  all_started || late="; not all containers that were stopped start again"
  start_stopped
  before=$(cat "$stage/generation")/before
  bridge_filter_back "$before"
  left=$(damaged_in "$before"; differs_from "$before"; volume_files_differ)
  [ -z "$left$broken" ] || { say "$broken$late $left"; set_step broken || :; note_outcome broken "the host was restarted in the middle" || :; exit 22; }
  say "the state of before is back$late"
  end_taken_back "the host was restarted in the middle$late" || :
}

note_volume_in_use() { ! is_on_device "$mount_point" 2>/dev/null || : >"$stage/volumes-in-use"; }

forget_old_data() {
  old=$(old_data_below)
  [ -z "$old" ] || rm -f "$old.size"
}
