/**
 * Keeps the change that waits for it, as lines of shell; run over a new connection, which proves that there can be one.
 *
 * The lock is held while the host takes a change back: then there is nothing left to confirm, and `outcome` of the look that
 * follows tells so.
 */
export const confirmation = `if [ -e /var/lib/drydock/transaction/step ]; then
  exec 9>/var/lib/drydock/lock
  flock -w 60 9 || exit 1
  [ ! -e /var/lib/drydock/transaction/step ] || sh /var/lib/drydock/transaction/transaction.sh confirm /var/lib/drydock/transaction >/dev/null || exit 1
  exec 9>&-
fi`;
