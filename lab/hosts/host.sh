#!/bin/bash
# One light host: host.sh BASE LAYER FOLDER CONTROL NUMBER ADDRESS, as the first process of mount, network, name and PID
# namespaces of its own (hosts.ts starts it so). All that it changes lies in memory and ends with it; what it mounts, nobody
# else sees. It gets a cable to the bridge in the namespace CONTROL, which has no way out of this machine.
set -euo pipefail

base=$1 layer=$2 folder=$3 control=$4 number=$5 address=$6
own=$folder/$number root=$folder/$number/root

mount -t tmpfs -o mode=755 light-host "$own"
mkdir "$own/upper" "$own/work" "$root"
mount -t overlay -o "lowerdir=$layer:$base,upperdir=$own/upper,workdir=$own/work" overlay "$root"

mount -t proc proc "$root/proc"
# The kernel is shared with this machine: nothing may be set there. In net/ a host finds settings of its own, on paper.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t tmpfs tmpfs "$root/proc/sys/net"
mkdir "$root/proc/sys/net/bridge"
echo 0 >"$root/proc/sys/net/bridge/bridge-nf-call-iptables"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in "null 1 3" "zero 1 5" "random 1 8" "urandom 1 9" "tty 5 0"; do
  read -r name major minor <<<"$node"
  mknod -m 666 "$root/dev/$name" c "$major" "$minor"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
# Where containers would log to: nobody reads it, and it is looked for.
chroot "$root" perl -MSocket -e 'socket(S, PF_UNIX, SOCK_DGRAM, 0) && bind(S, sockaddr_un("/dev/log")) or die "/dev/log can not be made\n"'

hostname "light$number"
install -m 600 "$folder/$number.key" "$root/etc/ssh/ssh_host_ed25519_key"

# The kernel takes away the cable of a host that has just ended when it comes to that.
ip -n "$control" link delete "host$number" 2>/dev/null || true
ip link set lo up
ip link add eth0 type veth peer name "host$number" netns "$control"
ip address add "$address/16" dev eth0
ip link set eth0 up
ip -n "$control" link set "host$number" master bridge up

# The name of process 1 is the name of its file: systemd.
exec chroot "$root" /usr/lib/systemd/systemd
