# shellcheck shell=sh
# dockerd and its containers: reload, restart, who stops and starts again, and whether all is well.
# shellcheck disable=SC2154 # stage and state are set in begin.sh

# A dockerd that hangs must not hold up the way back. Containers have stop timeouts of their own.
docker() { if [ "$1" = stop ]; then command docker "$@"; else timeout "$((2 * DAEMON_SECONDS))" docker "$@"; fi; }

last_words() { # of dockerd; what it says at level info comes also after the reason
  journalctl _SYSTEMD_UNIT=docker.service -n 20 -o cat --no-pager | grep -v level=info | tail -n 3 | tail -c 600
}

wait_for_docker() {
  end=$(($(uptime_seconds) + DAEMON_SECONDS))
  until timeout 30 docker info >/dev/null 2>&1; do
    [ "$(uptime_seconds)" -lt "$end" ] || { say "dockerd did not answer within $DAEMON_SECONDS s"; return 1; }
    systemctl -q is-active docker.service || { say "dockerd is not running: $(last_words)"; return 1; }
    sleep 1
  done
}

start_docker() {
  # Three bad starts within a minute and systemd tries no more, the socket included (moby#41461).
  systemctl reset-failed docker.service docker.socket 2>/dev/null || true
  [ "$SOCKET" = no ] || systemctl start docker.socket
  timeout "$DAEMON_SECONDS" systemctl start docker.service 2>/dev/null || { say "dockerd does not start: $(last_words)"; return 1; }
  # Who asks whether it went well has `set -e` switched off here.
  wait_for_docker || return 1
  printf '%s %s\n' "$(docker_pid)" "$(uptime_seconds)" >"$stage/docker-started"
}

# A dockerd that ends or starts without live-restore takes the containers along. One that is told by a reload to do without leaves them
# alone. What resists here keeps dockerd from nothing.
let_containers_live() { # before it is stopped, where a change was cut off that had not come so far, or a way back that had
  has live-restore-on && [ "$(timeout 30 docker info --format '{{.LiveRestoreEnabled}}' 2>/dev/null)" = false ] || return 0
  { set_configuration live-restore-on && systemctl reload docker.service && wait_for_live_restore true "live-restore can't be switched on by a reload"; } || :
}

start_docker_as_before() { # FOLDER: how daemon.json was
  if ! has live-restore-on || ! set_configuration live-restore-on; then start_docker; return; fi
  if ! start_docker; then bring_back "$1"; start_docker; return; fi
  { set_configuration live-restore-off && systemctl reload docker.service && wait_for_live_restore false "live-restore can't be switched off again by a reload"; } || left="$left live-restore is on still"
  bring_back "$1"
}

set_configuration() { # NAME in the stage
  mkdir -p /etc/docker && install -m 0600 "$stage/$1" /etc/docker/daemon.json.drydock-new && mv -T /etc/docker/daemon.json.drydock-new /etc/docker/daemon.json
}

docker_pid() { systemctl show -p MainPID --value docker.service; }

same_docker() { # that this update has started, if it did
  [ -e "$stage/docker-started" ] || return 0
  read -r pid started <"$stage/docker-started"
  [ "$(docker_pid)" = "$pid" ] || { say "dockerd ended within $(($(uptime_seconds) - started)) s of its start: $(last_words)"; return 1; }
}

# What starts and dies a moment later is not kept.
stays_up() {
  [ -e "$stage/docker-started" ] || return 0
  while :; do
    same_docker || return 1
    [ "$(($(uptime_seconds) - started))" -lt "$SETTLE_SECONDS" ] || break
    sleep 1
  done
  timeout "$DAEMON_SECONDS" docker info >/dev/null 2>&1 || { say "dockerd does not answer any more"; return 1; }
}

note_stopped() { # who is about to be stopped, for a run that is cut off, or finds no dockerd to start them with: the next one does
  { cat "$state/stopped" 2>/dev/null || :; cat "$stage/stop"; } | awk '!seen[$0]++' >"$state/stopped.new" && sync "$state/stopped.new" && mv "$state/stopped.new" "$state/stopped" && sync "$state"
}

stop_docker() { # and its socket, by which any docker command would start it again. One that hangs is killed, without its containers
  [ "$SOCKET" = no ] || timeout "$DAEMON_SECONDS" systemctl stop docker.socket 2>/dev/null || :
  timeout "$DAEMON_SECONDS" systemctl stop docker.service 2>/dev/null || systemctl kill --kill-who=main -s KILL docker.service 2>/dev/null || :
}

stop_containers() { # FILE: ID NAME a line, in order
  while read -r id name; do
    say "stopping container $name"
    # Its own stop timeout holds, else Docker's 10 s. One that is gone has stopped, too.
    docker stop "$id" >/dev/null || ! docker inspect "$id" >/dev/null 2>&1 || return 1
  done <"$1"
}

start_containers() { # ID NAME a line on stdin; those that this daemon does not know are left out
  rm -f "$stage/not-started"
  while read -r id name; do
    ! docker inspect "$id" >/dev/null 2>&1 || docker start "$id" >/dev/null || { say "container $name does not start again"; echo "$id" >>"$stage/not-started"; }
  done
}

# One that ended well when it was stopped looks as if it had ended by itself.
all_started() { [ ! -s "$stage/not-started" ]; }

# A container that runs on under a shim that no daemon lists can be stopped by nobody but the kernel's kill.
no_orphans() {
  # Asked in one go which processes have the word: one question for each would take seconds on an emulated host.
  # shellcheck disable=SC2013 # our own paths, without blanks
  for file in $(grep -lszx moby /proc/[0-9]*/cmdline); do
    process=${file%/cmdline}
    case $(tr '\0' ' ' 2>/dev/null <"$file") in
      *containerd-shim*"-namespace moby "*) say "container shim ${process#/proc/} is left over"; return 1 ;;
    esac
  done
}

wait_for_live_restore() { # true|false OTHERWISE
  end=$(($(uptime_seconds) + DAEMON_SECONDS))
  until [ "$(timeout 30 docker info --format '{{.LiveRestoreEnabled}}')" = "$1" ]; do
    [ "$(uptime_seconds)" -lt "$end" ] || { say "$2"; return 1; }
    sleep 1
  done
}

activate_docker() {
  [ "$DOCKER" = nothing ] || : >"$stage/docker-touched"
  if [ "$LIVE_RESTORE_FIRST" = yes ]; then
    say "switching live-restore on by a reload, so that containers survive the restart"
    systemctl reload docker.service
    wait_for_live_restore true "live-restore did not come into effect by a reload"
  fi
  # A move has stopped them already.
  ! has stop || moves_data || stop_containers "$stage/stop"
  case $DOCKER in
    reload) say "reloading dockerd"; systemctl reload docker.service; sleep 1; wait_for_docker ;;
    start)
      say "starting dockerd"
      [ "$SWITCHES_STORE" = no ] || no_orphans
      start_docker
      ;;
    restart)
      say "restarting dockerd"
      stop_docker
      # Started again while it runs it would only seem to have read its configuration.
      ! systemctl -q is-active docker.service || { say "dockerd could not be stopped"; return 1; }
      [ "$SWITCHES_STORE" = no ] || no_orphans
      start_docker
      if [ "$SWITCHES_STORE" = no ] && has stop; then tac "$stage/stop" | start_containers; fi
      ;;
  esac
}
