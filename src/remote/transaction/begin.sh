# shellcheck shell=sh
# Changes a host as one transaction. POSIX sh, run as root in the transient unit drydock-apply.service, so that neither a
# lost link nor the end of the controller can stop it half-way.
#
#   transaction.sh apply STAGE      stage → generation → install → activate → health check; on failure all the way back
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

state=/var/lib/drydock
command=$1
stage=$2
# shellcheck source=/dev/null # made by apply.ts: scalars only, each quoted
. "$stage/settings"

say() { printf '%s\n' "$*" || :; } # a full disk must not end the way back
refuse() { say "refused: $*"; exit 20; }
has() { [ -s "$stage/$1" ]; }
