# shellcheck shell=sh
# What is in effect without dockerd: the rule between containers, audit rules, limits of running processes and cgroups.
# shellcheck disable=SC2154 # stage and state are set in begin.sh

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
has_drop() { iptables -w 10 -C FORWARD $drop_rule 2>/dev/null; }
# shellcheck disable=SC2086 # words
lift_drop() { iptables -w 10 -D FORWARD $drop_rule 2>/dev/null || :; }

change_audit_rules() { # REMOVE ADD; goes on where one resists, and fails at the end
  [ -s "$1" ] || [ -s "$2" ] || return 0
  # In one process for all: -c goes on after an error, and the exit status tells of it (auditctl(8)).
  { echo -c; [ ! -s "$1" ] || sed 's/^-a /-d /; s/^-w /-W /' "$1"; [ ! -s "$2" ] || cat "$2"; } >"$stage/audit-change" && auditctl -R "$stage/audit-change" >/dev/null
}

audit_is_enabled() { auditctl -s | sed -n 's/^enabled //p'; }

activate_audit() {
  [ "$AUDIT_ENABLE" = no ] || auditctl -e 1 >/dev/null
  if has audit-remove || has audit-add; then say "loading audit rules"; fi
  if has start; then
    # auditd has loaded all of rules.d when it was started (ExecStartPost of its unit): a rule that is there can't be added, and one
    # that is gone not be taken out.
    cat "$stage/audit-remove" "$stage/audit-add" >"$stage/audit-loaded"
    change_audit_rules "$stage/audit-loaded" /dev/null 2>/dev/null || :
    change_audit_rules /dev/null "$stage/audit-add"
  else
    change_audit_rules "$stage/audit-remove" "$stage/audit-add"
  fi
  # Without --load it only compiles rules.d into audit.rules, for the next boot: a load would stop at the first rule that
  # somebody else's file has wrong.
  [ "$AUDIT_COMPILE" = no ] || augenrules >/dev/null
}

running_limits() {
  process_limits <"$stage/process-limits"
  scope_limits <"$stage/scope-limits"
  ! has slice-limits || slice_limits
}

process_limits() { # UNIT PROPERTY VALUE a line on stdin
  asked=
  while read -r unit property value; do
    # Once for each unit: a call of systemctl costs as much as ten other programs.
    [ "$unit" = "$asked" ] || { asked=$unit pid=$(systemctl show -p MainPID --value "$unit"); }
    [ "$pid" -gt 0 ] || continue
    case $property in
      LimitNOFILE)
        # The kernel takes no more than fs.nr_open, and that is what systemd makes of infinity.
        case $value in *infinity*) value=$(printf '%s' "$value" | sed "s/infinity/$(cat /proc/sys/fs/nr_open)/g") ;; esac
        case $value in *:*) ;; *) value=$value:$value ;; esac
        prlimit --pid "$pid" --nofile="$value"
        ;;
      OOMScoreAdjust) printf '%s\n' "$value" >"/proc/$pid/oom_score_adj" ;;
    esac
  done
}

scope_limits() { # SCOPE FILE VALUE a line on stdin
  while read -r scope file value; do
    group=/sys/fs/cgroup$(systemctl show -p ControlGroup --value "$scope")
    [ ! -e "$group/$file" ] || printf '%s\n' "$value" >"$group/$file"
  done
}

slice_limits() { # the kernel's are those of the unit files as they are now
  removed=no
  while read -r unit property value; do
    for folder in "/etc/systemd/system.control/$unit.d" "/run/systemd/system.control/$unit.d"; do
      # What `systemctl set-property` left beats the unit file.
      [ ! -e "$folder" ] || { rm -rf "$folder" && removed=yes; }
    done
  done <"$stage/slice-limits"
  [ "$removed" = no ] || systemctl daemon-reload
  while read -r unit property value; do
    group=/sys/fs/cgroup$(systemctl show -p ControlGroup --value "$unit")
    case $property in TasksMax) file=pids.max ;; MemoryMax) file=memory.max ;; MemorySwapMax) file=memory.swap.max ;; *) continue ;; esac
    [ ! -e "$group/$file" ] || systemctl show -p "$property" --value "$unit" | sed 's/^infinity$/max/' >"$group/$file"
  done <"$stage/slice-limits"
}

# --- As it was before ---

remember_kernel() { # FOLDER: what changes there, in the same lines as in the stage
  [ ! -e "$state/applied" ] || cp -p "$state/applied" "$1/applied"
  # A module that is loaded now has its own first value then.
  filter=
  # Of a sysctl, dash gets the first byte only: it is 0 or 1.
  { read -r filter </proc/sys/net/bridge/bridge-nf-call-iptables; } 2>/dev/null || :
  [ -z "$filter" ] || printf '%s\n' "$filter" >"$1/bridge-filter"
  process_limits_now >"$1/process-limits"
  scope_limits_now >"$1/scope-limits"
  while read -r unit; do systemctl -q is-active "$unit" || printf '%s\n' "$unit"; done <"$stage/start" >"$1/inactive"
  while read -r module; do [ -d "/sys/module/$module" ] || printf '%s\n' "$module"; done <"$stage/modules" >"$1/not-loaded"
  # auditd loads rules and switches auditing on when it starts, and may do the opposite when it stops.
  if has audit-add || has audit-remove || [ -s "$1/inactive" ]; then audit_rules_now >"$1/audit-rules"; fi
  if [ "$AUDIT_ENABLE" = yes ] || [ -s "$1/inactive" ]; then audit_is_enabled >"$1/audit-enabled"; fi
}

audit_rules_now() {
  listed=$(auditctl -l) || return
  # Without one it says so in words.
  case $newline$listed in *"$newline"-*) printf '%s\n' "$listed" | sed '/^-/!d' | sort ;; esac
}

process_limits_now() {
  asked=
  while read -r unit property value; do
    [ "$unit" = "$asked" ] || { asked=$unit pid=$(systemctl show -p MainPID --value "$unit"); }
    [ "$pid" -gt 0 ] || continue
    case $property in
      LimitNOFILE)
        # shellcheck disable=SC2046 # two words
        set -- $(prlimit --pid "$pid" --nofile --raw --noheadings --output SOFT,HARD)
        printf '%s %s %s\n' "$unit" "$property" "${1:+$1:$2}"
        ;;
      OOMScoreAdjust)
        value=
        { read -r value <"/proc/$pid/oom_score_adj"; } 2>/dev/null || :
        printf '%s %s %s\n' "$unit" "$property" "$value"
        ;;
    esac
  done <"$stage/process-limits"
}

scope_limits_now() {
  while read -r scope file value; do
    group=/sys/fs/cgroup$(systemctl show -p ControlGroup --value "$scope")
    [ ! -e "$group/$file" ] || printf '%s %s %s\n' "$scope" "$file" "$(cat "$group/$file")"
  done <"$stage/scope-limits"
}

stop_what_was_started() { # FOLDER; goes on where one resists, since kernel_differs_from tells which
  while read -r unit; do
    say "stopping $unit, which did not run before"
    # auditd refuses to be stopped by a job (RefuseManualStop); it ends well when it is told to.
    systemctl stop "$unit" 2>/dev/null || systemctl kill -s TERM "$unit" || :
    tries=0
    while systemctl -q is-active "$unit" && [ "$tries" -lt 10 ]; do tries=$((tries + 1)); sleep 1; done
  done <"$1/inactive"
  unload_modules "$1"
  [ -s "$1/inactive" ] || return 0
  { audit_rules_now >"$stage/audit-now" && comm -23 "$stage/audit-now" "$1/audit-rules" >"$stage/audit-more" &&
    comm -13 "$stage/audit-now" "$1/audit-rules" >"$stage/audit-less" && change_audit_rules "$stage/audit-more" "$stage/audit-less"; } || :
}

unload_modules() { # FOLDER: those that were not loaded before
  [ -e "$1/not-loaded" ] || return 0
  while read -r module; do
    [ -d "/sys/module/$module" ] || continue
    say "unloading $module"
    # Before dockerd starts again, which loads it by itself if its configuration asks for it. Not by modprobe -r, which takes what it
    # needs along where no module uses that: with `bridge` goes docker0.
    rmmod "$module" 2>/dev/null || say "$module stays loaded, since something uses it"
  done <"$1/not-loaded"
}

bring_limits_back() { # FOLDER; after the unit files. Goes on where one resists: a process that was restarted has its own
  process_limits <"$1/process-limits" || :
  scope_limits <"$1/scope-limits" || :
  ! has slice-limits || slice_limits || :
}

bridge_filter_back() { # FOLDER: as it was, where it was there
  [ ! -s "$1/bridge-filter" ] || cat "$1/bridge-filter" >/proc/sys/net/bridge/bridge-nf-call-iptables || :
}

kernel_differs_from() { # FOLDER: prints what is not as it was
  if [ -e "$1/audit-rules" ]; then
    if ! now=$(audit_rules_now); then
      say "the kernel can't be asked for its audit rules"
    elif [ "$now" != "$(cat "$1/audit-rules")" ]; then
      say "the kernel has other audit rules: $(printf '%s\n' "$now" | comm -3 "$1/audit-rules" - | head -n 3 | tr '\t\n' '  ')"
    fi
  fi
  while read -r unit; do ! systemctl -q is-active "$unit" || say "$unit runs still"; done <"$1/inactive"
  [ ! -s "$1/audit-enabled" ] || [ "$(audit_is_enabled)" = "$(cat "$1/audit-enabled")" ] || say "auditing is not switched off or on as it was"
  # A file of the kernel has no size, by which cmp(1) tells at once.
  [ ! -s "$1/bridge-filter" ] || [ "$(cat "$1/bridge-filter")" = "$(cat /proc/sys/net/bridge/bridge-nf-call-iptables)" ] || say "bridge-nf-call-iptables is not $(cat "$1/bridge-filter")"
  [ "$DROP_BETWEEN_CONTAINERS" = no ] || ! has_drop || say "docker0 to docker0 is dropped still"
  [ "$LIFT_DROP" = no ] || has_drop || say "docker0 to docker0 is not dropped any more"
  limits_differ_from "$1"
}

limits_differ_from() { # FOLDER; a process that ended has none, and one that was restarted those of the unit files
  restarted='^docker\.service '
  [ "$STOP_CONTAINERD" = no ] || restarted='^(docker|containerd)\.service '
  {
    process_limits_now | if [ -e "$stage/docker-touched" ]; then grep -vE "$restarted" || :; else cat; fi
    has stop || scope_limits_now
  } | grep -vxF -f "$1/process-limits" -f "$1/scope-limits" | while IFS= read -r limit; do say "a limit is not as it was: $limit"; done
}
