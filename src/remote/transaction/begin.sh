# shellcheck shell=sh
# Changes a host as one transaction. POSIX sh, run as root in the transient unit drydock-apply.service, so that neither a
# lost link nor the end of the controller can stop it half-way.
#
#   transaction.sh apply STAGE      stage → generation → arm the guard → install → activate → health check; on failure all the way back
#   transaction.sh confirm STAGE    over another connection: the change stays; `reject STAGE WHY`: it goes back, and waits for nobody
#   transaction.sh guard STAGE      by a timer: takes back what was cut off, or confirmed by nobody
#   transaction.sh recover STAGE    at boot, before all that reads the files; then `settle`, after Docker
#   transaction.sh restore STAGE    the pristine originals, then forget the host
#
# STAGE holds what src/remote/apply.ts wrote. Exit status: 0 done; 20 refused, nothing was touched; 21 failed, the state
# of before is back; 22 failed, and it could not be brought back.
# shellcheck disable=SC2034 # the other parts use what is set here; apply.ts joins them to one program
set -eu
umask 077
LC_ALL=C
# Root's own docker context may be another machine.
DOCKER_CONTEXT=default
export LC_ALL DOCKER_CONTEXT
unset DOCKER_HOST
# cp --parents of coreutils 9.1 loses the way to an absolute path in any other folder.
cd /
# Who listens may be gone.
trap '' PIPE

state=/var/lib/drydock
command=$1
stage=$2
# shellcheck source=/dev/null # made by apply.ts: scalars only, each quoted
. "$stage/settings"

say() { printf '%s\n' "$*" || :; } # a full disk must not end the way back
refuse() { say "refused: $*"; exit 20; }
has() { [ -s "$stage/$1" ]; }
newline='
'
# `set -e` does not hold for who asks whether it went well, so what is to end at its first failure runs in a process of its own.
apart() { # COMMAND...; leaves its exit status in $status
  status=0
  "$@" &
  wait "$!" || status=$?
}
uptime_seconds() { read -r up _ </proc/uptime; printf '%s\n' "${up%%.*}"; } # no step of the clock moves it
