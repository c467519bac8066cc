# shellcheck shell=sh
# Whether all is well after a change: dockerd answers, what ran runs, its ports answer as before, a new container starts.
# shellcheck disable=SC2154 # stage and state are set in begin.sh

check_health() {
  systemctl -q is-active docker.service || { say "docker.service is $(systemctl is-active docker.service || true)"; return 1; }
  # Who has started or reloaded it has waited for its answer already.
  [ -e "$stage/docker-touched" ] || wait_for_docker
  all_started
  all_run "$(ran_before)"
  printf '%s\n' "$states" >"$stage/states"
  # None are listed where nothing of the change could end an answer (apply.ts).
  ports_answer
  [ -e "$stage/docker-touched" ] || return 0
  probe_container
}

ran_before() { # ID NAME a line: who is to run after it as well
  has survivors || has stop || return 0
  { cat "$stage/survivors"; [ "$SWITCHES_STORE" = yes ] || cat "$stage/stop"; } | without_crashing
}

# Who crashed again and again before may give up at any moment.
without_crashing() { if has crashing; then grep -vFf "$stage/crashing" || :; else cat; fi; }

# One that ended well by itself, or was removed, is nobody's fault. Asked in one go: each question to dockerd has its price.
all_run() { # LINES, ID NAME each; leaves in $states a line ID RUNNING EXITCODE RESTARTING RESTARTS of each
  states=
  [ -n "$1" ] || return 0
  # shellcheck disable=SC2046 # ids
  states=$(docker inspect -f '{{.Id}} {{.State.Running}} {{.State.ExitCode}} {{.State.Restarting}} {{.RestartCount}}' $(printf '%s\n' "$1" | cut -d' ' -f1) 2>/dev/null) || is_gone "$1" || return 1
  printf '%s\n' "$1" | while read -r id name; do
    case "
$states" in
      *"
$id true"* | *"
$id false 0 "*) ;;
      *"
$id "*) say "container $name ran before and does not run now"; exit 1 ;;
    esac
  done
}

is_gone() { # LINES: whether those that have no state were removed. What dockerd does not answer is no proof of that
  there=$(docker ps -aq --no-trunc) || { say "dockerd does not say which containers there are"; return 1; }
  printf '%s\n' "$1" | while read -r id name; do
    case "
$states" in *"
$id "*) continue ;; esac
    case $there in *"$id"*) say "dockerd does not say whether container $name runs"; exit 1 ;; esac
  done
}

# Seen once, a container that crashes and is restarted by its policy may seem to run. One that was young before is not judged by it.
none_crashes() { # since the health check
  has survivors || has stop || return 0
  all_run "$(ran_before)" || return 1
  ran_before | while read -r id name; do
    ! grep -qsxF "$id" "$stage/unsteady" || continue
    then=$(grep "^$id " "$stage/states") || continue
    # shellcheck disable=SC2046 # words
    set -- $(printf '%s\n' "$states" | grep "^$id ")
    [ $# -eq 5 ] || continue
    # A job that ends well and is started anew once in a while is in order.
    [ "$4" = false ] || [ "$3" -eq 0 ] || { say "container $name crashes, and is started again and again"; exit 1; }
    times=$(($5 - ${then##* }))
    [ "$times" -lt 2 ] || { say "container $name was restarted $times times since the change"; exit 1; }
  done
}

# Whether somebody takes a TCP connection and keeps it: docker-proxy takes one for whoever does not listen, and closes it at once. No tool
# for that is on every host, but bash is on nearly each, and can.
answers() { # ADDRESS PORT
  # shellcheck disable=SC2016 # for bash
  timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/$1" || exit 1; read -r -t 0.3 -n 1 -u 3; status=$?; [ "$status" -eq 0 ] || [ "$status" -gt 128 ]' "$1" "$2" 2>/dev/null
}

note_ports() { # before the change: the lines NAME ADDRESS PORT of which somebody answers
  : >"$stage/answering"
  command -v bash >/dev/null || return 0
  # Nobody knows whether one that has just been started would have stayed.
  young=
  ! has unsteady || young=$(grep -F -f "$stage/unsteady" "$stage/listing" | cut -d' ' -f2)
  while read -r name address port; do
    case "
$young
" in *"
$name
"*) continue ;; esac
    ! answers "$address" "$port" || printf '%s %s %s\n' "$name" "$address" "$port" >>"$stage/answering"
  done <"$stage/ports"
}

ports_answer() {
  while read -r name address port; do
    limit=$PORT_SECONDS
    # One that was stopped begins from nothing, like dockerd.
    ! grep -q " $name\$" "$stage/stop" || limit=$DAEMON_SECONDS
    tries=0
    until answers "$address" "$port"; do
      tries=$((tries + 1))
      [ "$tries" -lt "$limit" ] || { ! ended_well "$name" || break; say "container $name answered on $address:$port before and does not now"; return 1; }
      sleep 1
    done
  done <"$stage/answering"
}

# A job that was through meanwhile.
ended_well() { # NAME
  # shellcheck disable=SC2046 # words
  set -- $(docker inspect -f '{{.Id}} {{.State.Running}} {{.State.ExitCode}}' "$1" 2>/dev/null)
  [ "${2:-} ${3:-}" = "false 0" ]
}

# Of what the host has: Docker's own init, which is one static program.
probe_container() {
  for init in "$(command -v docker-init || :)" /usr/libexec/docker/docker-init /usr/lib/docker/docker-init; do [ ! -x "$init" ] || break; done
  # What needs libraries would not start alone in an image.
  if [ ! -x "$init" ] || ! command -v ldd >/dev/null || ldd "$init" >/dev/null 2>&1; then return 0; fi
  say "starting a container to see whether one starts"
  mkdir -p "$stage/probe"
  cp -L "$init" "$stage/probe/docker-init"
  # An authorization plugin may refuse us an image, which says nothing of the change.
  tar -C "$stage/probe" -c docker-init | docker import - drydock-probe:latest >/dev/null 2>"$stage/probe.log" || { say "no container to try: $(tail -n 1 "$stage/probe.log")"; return 0; }
  started=yes
  # Under a name of its own: one that hung in an earlier update must not be in its way.
  timeout "$DAEMON_SECONDS" docker run --rm --name "drydock-probe-$$" drydock-probe:latest /docker-init --version >"$stage/probe.log" 2>&1 || started=no
  [ "$started" = yes ] || docker rm -f "drydock-probe-$$" >/dev/null 2>&1 || :
  docker rmi -f drydock-probe:latest >/dev/null 2>&1 || :
  [ "$started" = yes ] || { say "a new container does not start: $(tail -n 2 "$stage/probe.log" | tr '\n' ' ')"; return 1; }
}
