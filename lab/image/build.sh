#!/bin/bash
# Makes the lab's base disk: build.sh FOLDER PUBLIC_KEY_FILE SUITE. Needs root, since it unpacks a tree with owners.
# FOLDER then holds vmlinuz, initrd.img, root.raw (a whole Debian that has never booted) and host-key.pub.
# machine-image.ts calls it, boots the disk once (first-boot.sh), and freezes a second boot (before-freeze.sh).
set -euo pipefail

out=${1:?folder missing} public_key=${2:?public key file missing} suite=${3:?suite missing}
recipe=$(cd "$(dirname "$0")" && pwd)
tree=$out/tree

# Units that only cost time in a throw-away machine. Docker, auditd, AppArmor, rsyslog and sshd stay as Debian has them.
masked=(apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service
  fstrim.timer logrotate.timer systemd-tmpfiles-clean.timer getty@tty1.service serial-getty@ttyS0.service
  systemd-binfmt.service networking.service ifupdown-pre.service systemd-pstore.service
  systemd-networkd-wait-online.service modprobe@drm.service modprobe@efi_pstore.service
  sys-kernel-debug.mount sys-kernel-tracing.mount)

main() {
  [ "$(id -u)" = 0 ] || { echo "build.sh: must run as root" >&2; exit 1; }
  umask 022
  bootstrap
  access
  network
  container_image
  initrd
  cp "$tree"/boot/vmlinuz-* "$out/vmlinuz"
  cp "$tree/etc/ssh/ssh_host_ed25519_key.pub" "$out/host-key.pub"
  truncate -s 8G "$out/root.raw"
  # Tables written now, or the guest's kernel spends its first minute on them.
  mke2fs -q -t ext4 -L root -J size=16 -E lazy_itable_init=0,lazy_journal_init=0 -d "$tree" "$out/root.raw"
  rm -rf "$tree"
  if [ -n "${SUDO_UID:-}" ]; then chown -R "$SUDO_UID:" "$out"; fi
}

bootstrap() {
  local packages sources=()
  packages=$(sed '/^#/d; /^$/d' "$recipe/packages.txt" | paste -sd, -)
  # Later ones have the client in a package of its own.
  [ "$suite" = bookworm ] || packages=$packages,docker-cli
  # This machine's own sources are the ones that are known to answer; on another release mmdebstrap knows better.
  if grep -q "^VERSION_CODENAME=$suite$" /etc/os-release; then
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
      if [ -f "$file" ] && grep -q "^[^#].*$suite" "$file"; then sources+=("$file"); fi
    done
  fi
  rm -rf "$tree"
  mmdebstrap --quiet --variant=minbase --include="$packages" \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$suite" "$tree" "${sources[@]}"
}

access() {
  # A host of its own key, known before the first connection.
  ssh-keygen -q -A -f "$tree"
  tr -d - </proc/sys/kernel/random/uuid >"$tree/etc/machine-id"
  chroot "$tree" useradd --create-home --shell /bin/bash ops
  echo 'ops ALL=(ALL) NOPASSWD: ALL' >"$tree/etc/sudoers.d/ops"
  chmod 440 "$tree/etc/sudoers.d/ops"
  install -d -m 700 "$tree/root/.ssh"
  install -m 600 "$public_key" "$tree/root/.ssh/authorized_keys"
  cp -a "$tree/root/.ssh" "$tree/home/ops/.ssh"
  chroot "$tree" chown -R ops:ops /home/ops/.ssh
  # No login session and no message of the day for each command: they take half of its time under emulation.
  sed -i '/pam_systemd/d' "$tree/etc/pam.d/common-session"
  sed -i '/pam_motd\|pam_mail/d' "$tree/etc/pam.d/sshd"
}

network() {
  echo lab >"$tree/etc/hostname"
  printf '127.0.0.1 localhost\n127.0.1.1 lab\n' >"$tree/etc/hosts"
  echo '/dev/vda / ext4 defaults,noatime 0 1' >"$tree/etc/fstab"
  echo 'nameserver 10.0.2.3' >"$tree/etc/resolv.conf"
  # QEMU's user network always hands out this address: a fixed one spares the DHCP round trip.
  printf '[Match]\nName=eth0\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\nDNS=10.0.2.3\nIPv6AcceptRA=no\n' \
    >"$tree/etc/systemd/network/10-eth0.network"
  chroot "$tree" systemctl -q enable systemd-networkd ssh docker auditd apparmor rsyslog 2>/dev/null
  chroot "$tree" systemctl -q mask "${masked[@]}"
}

# /root/bb.tar: the files of the image bb:latest. first-boot.sh imports it.
container_image() {
  local image=$out/image applet library
  rm -rf "$image"
  mkdir -p "$image"/{bin,dev,etc,proc,root,sys,tmp}
  chmod 1777 "$image/tmp"
  cp "$tree/bin/busybox" "$image/bin/busybox"
  for applet in $("$image/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$image/bin/$applet"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/tmp:/bin/sh\n' >"$image/etc/passwd"
  printf 'root:x:0:\napp:x:1000:\n' >"$image/etc/group"
  # A setuid program that tells its effective user. Not busybox: that drops root for applets such as id.
  install -m 4755 "$tree/usr/bin/id" "$image/bin/suid-id"
  for library in $(chroot "$tree" ldd /usr/bin/id | grep -o '/[^ ]*'); do
    mkdir -p "$image$(dirname "$library")"
    cp -L "$tree$library" "$image$library"
  done
  tar -C "$image" --numeric-owner --owner=0 --group=0 -cf "$tree/root/bb.tar" .
  rm -rf "$image"
}

# A 2 MB initrd of busybox and the virtio modules: Debian's own has 50 MB and costs 3 s of each boot.
# With "probe" on its command line it only says that it runs: that is how KVM is tried (accelerator.ts).
initrd() {
  local kernel root=$out/initrd module unpacked
  kernel=$(ls "$tree/lib/modules")
  rm -rf "$root"
  mkdir -p "$root"/{bin,dev,proc,root}
  cp "$tree/bin/busybox" "$root/bin/"
  {
    echo '#!/bin/busybox sh'
    echo '/bin/busybox mount -t devtmpfs dev /dev; /bin/busybox mount -t proc proc /proc'
    echo 'if /bin/busybox grep -q " probe" /proc/cmdline; then'
    echo '  echo drydock-probe-ok >/dev/ttyS0; /bin/busybox sleep 0.2; /bin/busybox poweroff -f'
    echo 'fi'
    for module in virtio_pci virtio_blk ext4; do
      chroot "$tree" modprobe -S "$kernel" --show-depends "$module"
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r module; do
      unpacked=${module##*/}
      unpacked=${unpacked%.xz}
      case $module in *.xz) xz -dc "$tree$module" >"$root/$unpacked" ;; *) cp "$tree$module" "$root/" ;; esac
      echo "/bin/busybox insmod /$unpacked"
    done
    echo 'until /bin/busybox mount -t ext4 /dev/vda /root; do /bin/busybox sleep 0.1; done'
    echo '/bin/busybox umount /dev /proc; exec /bin/busybox switch_root /root /sbin/init'
  } >"$root/init"
  chmod 755 "$root/init"
  (cd "$root" && find . | cpio -o -H newc --quiet) >"$out/initrd.img"
  rm -rf "$root"
}

main
