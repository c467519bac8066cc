#!/bin/bash
# Makes the tree that all light hosts share: base.sh FOLDER SUITE. Needs root, since it unpacks a tree with owners.
# base.ts calls it. What a host has of its own lies in a layer over this one (host.sh).
set -euo pipefail

out=${1:?folder missing} suite=${2:?suite missing}

[ "$(id -u)" = 0 ] || { echo "base.sh: must run as root" >&2; exit 1; }
umask 022
# This machine's own sources are the ones that are known to answer; on another release mmdebstrap knows better.
sources=()
if grep -q "^VERSION_CODENAME=$suite$" /etc/os-release; then
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
    if [ -f "$file" ] && grep -q "^[^#].*$suite" "$file"; then sources+=("$file"); fi
  done
fi
rm -rf "$out"
mmdebstrap --quiet --variant=minbase --include=openssh-server \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  "$suite" "$out" "${sources[@]}"
chroot "$out" groupadd --system docker
# Each host makes a key of its own.
rm -f "$out"/etc/ssh/ssh_host_*
# No message of the day for each command: it would be measured.
sed -i '/pam_motd\|pam_mail/d' "$out/etc/pam.d/sshd"
