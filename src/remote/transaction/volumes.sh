# shellcheck shell=sh
# Filesystems of their own for Docker's data: made, filled, compared, mounted; what was there before set aside.
#
# A move is a transaction of its own, before all else. Until the mount unit is in place the data in the old folder are the
# truth, and a power cut ends with Docker on those; from then on, with the copy compared, on the new filesystem. Once it is
# mounted nothing takes it back: containers may have written to it.
# shellcheck disable=SC2154 # stage and state are set in begin.sh

# The lines of $stage/volumes: HOW MOUNTPOINT UNIT DEVICE FILESYSTEM OPTIONS UUID LABEL FORMAT BYTES
each_volume() { # HOWS COMMAND: runs it with these set, for each volume of which it is to be done so
  while read -r how mount_point unit device filesystem options uuid label format bytes <&7; do
    name=${mount_point##*/}
    copy=$state/volumes/$name
    case " $1 " in *" $how "*) "$2" ;; esac
  done 7<"$stage/volumes"
}

moves_data() { has volumes && grep -qE '^(move|adopt) ' "$stage/volumes"; }

# --- Its steps ---

check_device() { # what was seen may be old, and another process may have been at work since
  mounted=$(number="$(mountpoint -x "$device")" copy="$copy" awk '$3 == ENVIRON["number"] && $5 != ENVIRON["copy"] { print $5 }' /proc/self/mountinfo)
  [ -z "$mounted" ] || { say "$device is mounted at $mounted meanwhile"; return 1; }
  if [ "$format" = yes ]; then
    left=$(wipefs --no-act --parsable "$device") || { say "$device can't be read"; return 1; }
    [ -z "$left" ] || { say "$device is not empty any more"; return 1; }
  else
    [ "$(blkid -p -o value -s UUID "$device")" = "$uuid" ] || { say "$device carries another filesystem than before"; return 1; }
    found=$(blkid -p -o value -s LABEL "$device")
    case $how-$found in move-drydock-copy | "adopt-$label" | adopt-drydock-copy) ;; *) say "$device has the label $found meanwhile"; return 1 ;; esac
  fi
}

make_filesystem() {
  [ "$format" = yes ] || return 0
  say "making $filesystem on $device"
  case $filesystem in
    # 256-byte inodes keep nanoseconds, which small filesystems would not. Without a terminal it formats whatever is there.
    ext4) mkfs.ext4 -q -I 256 -L drydock-copy -U "$uuid" "$device" </dev/null ;;
    xfs) mkfs.xfs -q -L drydock-copy -m "uuid=$uuid" "$device" </dev/null ;;
  esac
  udevadm settle || :
}

is_on_device() { # FOLDER: whether our filesystem is mounted there, and no other
  [ "$(mountpoint -d "$1")" = "$(mountpoint -x "$device")" ]
}

mount_copy() { # whatever a run that was killed has left there
  mkdir -p "$copy"
  while mountpoint -q "$copy"; do umount "$copy"; done
  mount -t "$filesystem" -o "$options" "$device" "$copy"
  is_on_device "$copy" || { say "$device did not get to $copy"; return 1; }
  mkdir -p "$copy/$work"
}

unmount_copy() {
  # Somebody may look into it: then it goes when he leaves.
  ! mountpoint -q "$copy" || umount "$copy" || umount --lazy "$copy"
  rmdir "$copy" "$state/volumes" 2>/dev/null || :
}

copy_running() {
  make_filesystem
  mount_copy
  say "copying $mount_point to $device while Docker runs"
  copy_tree running
}

# Mounts that would go on with the data of before: below the folder, out of it by a bind, or made of it as an overlay.
users_of_folder() {
  awk -v place="$mount_point" '
    {
      number[NR] = $3; root[NR] = $4; at[NR] = $5; line[NR] = $0
      target = $5 == "/" ? "" : $5
      if (index(place "/", target "/") == 1 && length(target) >= longest) { longest = length(target); on = $3; top = $4 == "/" ? "" : $4 }
    }
    END {
      inside = top substr(place, longest + 1) "/"
      for (i = 1; i <= NR; i++)
        if (index(at[i] "/", place "/") == 1 || (number[i] == on && index(root[i] "/", inside) == 1) || index(line[i], "=" place "/") || index(line[i], ":" place "/")) print at[i]
    }' /proc/self/mountinfo
}

check_folder_is_free() {
  used=$(users_of_folder | head -n 5 | tr '\n' ' ')
  [ -z "$used" ] || { say "$mount_point is still in use by what is mounted at $used(a plugin? docker plugin disable; another user of containerd?)"; return 1; }
}

copy_stopped() {
  check_folder_is_free
  copy_and_compare
  rm -rf -- "${copy:?}/$work"
  sync -f "$copy"
}

copy_and_compare() {
  say "copying what has changed in $mount_point"
  copy_tree stopped
  read_from_disk
  say "comparing every byte of $mount_point with its copy"
  compare_trees || {
    # Nothing but a copy from the start makes good what two passes can miss, such as attributes of a folder that was made anew.
    say "copying all of $mount_point once more, and comparing again"
    find "$copy" -mindepth 1 -maxdepth 1 ! -name lost+found ! -name "$work" -exec rm -rf -- {} +
    copy_tree stopped
    read_from_disk
    compare_trees
  }
}

read_from_disk() { # or the comparison would see what the kernel remembers, not what the device has
  umount "$copy"
  mount_copy
}

# --- Copying ---

# Inside the new filesystem, since the one that is moved away from may be full.
work=.drydock-copying

# A socket is of the process that made it, which is gone; the other two are the filesystem's own and ours.
files_of() { # FOLDER EXPRESSION...
  (cd "$1" && shift && find . -xdev \( -path ./lost+found -o -path "./$work" \) -prune -o ! -type s "$@")
}

# Owners by number, attributes and access lists. xfs shows the latter once more, as attributes of its own.
whole_tar() { tar --numeric-owner --xattrs --xattrs-include='*' --xattrs-exclude='trusted.SGI_*' --acls "$@"; }

# What tells that a file is another: type, mode, owner, group, size, links, time; a folder's size and links are no matter.
list_tree() { # FOLDER
  files_of "$1" \( -type d -printf '%y %m %U %G - - %T@ %p\0' -o -printf '%y %m %U %G %s %n %T@ %p\0' \)
}

copy_tree() { # running|stopped: brings the copy up to date, from wherever it stands
  [ -d "$mount_point" ] || return 0
  lists=$copy/$work
  # Whatever changes from the first copy on is copied again: attributes and access lists leave no other trace.
  [ -e "$lists/since" ] || touch "$lists/since"
  [ -e "$lists/ended" ] || forget_last_written
  rm -f "$lists/ended"
  # Files come and go while containers run. What can't be read while they are stopped must not be left behind.
  list_tree "$mount_point" >"$lists/list" || [ "$1" = running ] || { say "not all of $mount_point can be read"; return 1; }
  sort -z "$lists/list" >"$lists/wanted"
  list_tree "$copy" >"$lists/list"
  sort -z "$lists/list" >"$lists/there"
  # Gone, or of another type. Hard links are made anew as a whole: one name alone would come back as a file of its own. And no
  # symbolic link may stand in the copy while containers run: whoever swaps a folder for one could have tar write through it.
  cut -z -d' ' -f1,8- "$lists/wanted" | sort -z >"$lists/wanted-names"
  cut -z -d' ' -f1,8- "$lists/there" | sort -z >"$lists/there-names"
  {
    comm -z -13 "$lists/wanted-names" "$lists/there-names" | cut -z -c3-
    files_of "$copy" ! -type d \( -links +1 -o -type l \) -print0
  } >"$lists/gone"
  (cd "$copy" && xargs -0 -r rm -rf -- <"$lists/gone")
  {
    comm -z -23 "$lists/wanted" "$lists/there" | cut -z -d' ' -f8-
    # Every folder: whatever is put into one or taken out of it changes its time.
    files_of "$mount_point" \( -type d -o -type l -o -links +1 -o -cnewer "$lists/since" \) -print0
  } | sort -zu >"$lists/send"
  # It is ended wherever it is: what its tools say of a pipe that goes is nothing for an operator.
  show_progress 2>/dev/null &
  progress=$!
  sent=0
  send_files "$1" || sent=1
  kill "$progress" 2>/dev/null || :
  wait "$progress" 2>/dev/null || :
  [ "$sent" -eq 0 ] || return 1
  sync -f "$copy"
  : >"$lists/ended"
}

# What a power cut has caught may be there with its size and time, and without its attributes or its text: a filesystem writes
# those out within half a minute or so.
forget_last_written() {
  last=$(files_of "$copy" -printf '%C@\n' | sort -n | tail -n 1)
  (cd "$copy" && find . -xdev -mindepth 1 ! -type d ! -path "./$work/*" -newerct "@$((${last%.*} - 120))" -delete)
}

send_files() { # running|stopped
  rm -f "$lists/unread"
  {
    whole_tar --directory="$mount_point" --create --null --no-recursion --files-from="$lists/send" --sparse --format=posix --file=- 2>"$lists/read-errors" ||
      : >"$lists/unread"
  } | whole_tar --directory="$copy" --extract --preserve-permissions --same-owner --delay-directory-restore --file=- 2>"$lists/errors" || {
    # What containers change meanwhile is copied again when they are stopped; room will not come by itself.
    [ "$1" = stopped ] || grep -q 'No space left' "$lists/errors" || return 0
    say "the copy of $mount_point failed: $(tail -n 3 "$lists/errors" | tr '\n' ' ')"
    return 1
  }
  [ "$1" = running ] || [ ! -e "$lists/unread" ] || { say "not all of $mount_point can be read: $(tail -n 3 "$lists/read-errors" | tr '\n' ' ')"; return 1; }
}

show_progress() { # for who waits; ends with the copy
  all=$(tr '\n\0' '?\n' <"$lists/wanted" | awk '$5 != "-" { sum += $5 } END { printf "%d", sum / 1048576 }')
  while sleep "$PROGRESS_SECONDS"; do
    say "$(df -Pm "$copy" | awk -v all="$all" 'NR == 2 { printf "copied %d of about %d MiB", $3, all }')"
  done
}

# The files of a list as one stream, which is the same for the same names, contents, owners, modes, times, links, attributes
# and access lists. Without --sparse: what tar(1) writes of holes has its own process id in it, and filesystems have them elsewhere.
archive() { # FOLDER
  whole_tar --directory="$1" --create --null --no-recursion --files-from="$lists/names" --format=posix \
    --pax-option='exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime' --file=-
}

compare_trees() { # where `set -e` does not hold
  [ -d "$mount_point" ] || return 0
  lists=$copy/$work
  files_of "$mount_point" -print0 >"$lists/list" && sort -z "$lists/list" >"$lists/names" || return 1
  files_of "$copy" -print0 >"$lists/list" || return 1
  sort -z "$lists/list" | cmp -s - "$lists/names" || { say "the copy has other files than $mount_point"; return 1; }
  rm -f "$lists/archive" "$lists/unread"
  mkfifo "$lists/archive" || return 1
  archive "$copy" >"$lists/archive" 2>/dev/null &
  copied=$!
  same=yes
  { archive "$mount_point" 2>"$lists/read-errors" || : >"$lists/unread"; } | cmp -s - "$lists/archive" || same=no
  wait "$copied" || same=no
  [ ! -e "$lists/unread" ] || same=no
  [ "$same" = no ] || return 0
  # tar compares no attributes, access lists and links.
  differs=$(archive "$mount_point" 2>&1 >/dev/null | head -n 2; archive "$mount_point" 2>/dev/null | tar --directory="$copy" --compare --file=- 2>&1 | head -n 3)
  say "the copy differs: $(printf '%s' "${differs:-attributes, access lists or links}" | tr '\n' ' ')"
  return 1
}

# --- Taking it into use ---

set_label() { # LABEL, while it is mounted; a whole copy outranks what lies in the folder
  case $filesystem in
    ext4) e2label "$device" "$1" ;;
    xfs) xfs_io -c "label -s $1" "$mount_point" >/dev/null ;;
  esac
}

old_data_below() { # the place of those that were noted and lie below the filesystem still
  for size in "$state/old-data/$name.size" "$state/old-data/$name"-*.size; do
    [ ! -e "$size" ] || [ -d "${size%.size}" ] || { printf '%s\n' "${size%.size}"; break; }
  done
}

note_old_data() { # before it is out of sight
  [ -n "$(find "$mount_point" -mindepth 1 -maxdepth 1 -print -quit 2>/dev/null)" ] || return 0
  mkdir -p "$state/old-data"
  old=$(old_data_below)
  n=1
  # What an earlier move has left stays as well.
  while [ -z "$old" ]; do
    old=$state/old-data/$name$([ "$n" -eq 1 ] || printf -- '-%s' "$n")
    [ ! -d "$old" ] || old=
    n=$((n + 1))
  done
  printf '%s\n' "$bytes" >"$old.size"
}

take_into_use() {
  [ "$how" = adopt ] || unmount_copy
  say "mounting $device at $mount_point"
  mkdir -p "$mount_point"
  systemctl start "$unit"
  is_on_device "$mount_point" || { say "$device did not get to $mount_point"; return 1; }
}

mark_whole() { set_label "$label"; }

install_volume_files() {
  # Whole, or not there: at boot what is there comes back, in place of files that may be right.
  rm -rf -- "$stage/volumes-before.new"
  new_memory "$stage/volumes-before.new"
  while IFS= read -r path; do remember "$stage/volumes-before.new" "$path"; done <"$stage/volume-files"
  sync -f "$stage"
  mv -T -- "$stage/volumes-before.new" "$stage/volumes-before"
  sync "$stage"
  n=0
  while read -r mode owner group path; do
    n=$((n + 1))
    grep -qxF -- "$path" "$stage/volume-files" || continue
    install_file "$stage/files/$n" "$mode" "$owner" "$group" "$path"
  done <"$stage/writes"
  systemctl daemon-reload
  each_volume "move adopt" enable_mount
  each_volume "move adopt" note_old_data
  sync
}

# Also for auditd, which watches only what is mounted before it.
enable_mount() { systemctl -q enable "$unit"; }

stop_all_containers() { # those of now: the list is as old as the first copy, which may take hours
  docker ps --no-trunc --format '{{.ID}} {{.Names}}' | while read -r id name; do grep -q "^$id " "$stage/stop" || printf '%s %s\n' "$id" "$name"; done >"$stage/stop.new"
  cat "$stage/stop" >>"$stage/stop.new"
  mv "$stage/stop.new" "$stage/stop"
  note_stopped
  stop_containers "$stage/stop"
}

started_at() { systemctl show -p ActiveEnterTimestampMonotonic --value docker.service; }

move_volumes() { # in a process of its own
  each_volume "move adopt" check_device
  each_volume move copy_running
  if [ "$DOCKER_WAS" = active ]; then
    : >"$stage/docker-touched"
    stop_all_containers
  fi
  : >"$stage/docker-stopped"
  say "stopping dockerd"
  [ "$SOCKET" = no ] || systemctl stop docker.socket
  systemctl stop docker.service
  if [ "$STOP_CONTAINERD" = yes ]; then say "stopping containerd"; systemctl stop containerd.service; fi
  was_started=$(started_at)
  each_volume move copy_stopped
  # An upgrade of its package starts dockerd, for instance.
  [ "$(started_at)" = "$was_started" ] || { say "somebody has started dockerd while its data were copied"; return 1; }
  each_volume "move adopt" check_folder_is_free
  install_volume_files
  each_volume "move adopt" take_into_use
  : >"$stage/volumes-in-use"
  # Only when nothing takes them back any more: a copy from which Docker went back to the folder is the older one from then on.
  each_volume "move adopt" mark_whole
  [ "$STOP_CONTAINERD" = no ] || systemctl start containerd.service
}

leave_volumes() { # the way back until they are in use; in a process of its own
  each_volume "move adopt" leave_volume
  [ ! -d "$stage/volumes-before" ] || bring_back "$stage/volumes-before"
  systemctl daemon-reload
  each_volume repair remount
  [ "$STOP_CONTAINERD" = no ] || systemctl start containerd.service
  [ "$SOCKET_WAS" != active ] || [ ! -e "$stage/docker-stopped" ] || systemctl start docker.socket
}

leave_volume() {
  unmount_copy
  old=$(old_data_below)
  [ -z "$old" ] || rm -f "$old.size"
  [ -d "$stage/volumes-before" ] || return 0
  systemctl stop "$unit" 2>/dev/null || :
  systemctl -q disable "$unit" 2>/dev/null || :
  ! mountpoint -q "$mount_point" || { say "$mount_point can't be unmounted"; return 1; }
}

mend_volumes() { # before dockerd may need what they are to offer
  # Somebody may have changed one of their files, and nothing else of them: that is taken back, too.
  [ "$TOUCHES_VOLUME_FILES" = no ] || [ -d "$stage/volumes-before" ] || ! cut -d' ' -f4- "$stage/writes" "$stage/modes" | grep -qxFf "$stage/volume-files" || install_volume_files
  each_volume repair mend_volume
}

volume_files_differ() { # from what they were; prints each. Those of a filesystem that is in use by now stay new
  [ ! -d "$stage/volumes-before" ] || [ -e "$stage/volumes-in-use" ] || differs_from "$stage/volumes-before"
}

mend_volume() {
  say "mending the mount of $mount_point"
  enable_mount
  remount
  # One that its owner made keeps the label that he gave it.
  [ "$(blkid -p -o value -s LABEL "$device")" != drydock-copy ] || set_label "$label"
}

remount() { systemctl reload "$unit"; }

# --- What was there before ---

set_aside() { # out from below the filesystem, where nobody sees it
  old=$(old_data_below)
  [ -n "$old" ] || return 0
  say "setting the old data of $mount_point aside"
  mkdir -p "$old.new"
  # In a mount namespace of its own, in which the filesystem is taken off again. What is mounted below the folder would move along,
  # and be emptied with it one day.
  # shellcheck disable=SC2016 # for the inner shell
  unshare --mount --propagation private sh -euc 'umount --lazy "$1"; [ "$(stat -c %d "$1")" = "$(stat -c %d "${1%/*}")" ]; ! grep -qF " $1/" /proc/self/mountinfo || exit 1; find "$1" -mindepth 1 -maxdepth 1 -exec mv -t "$2" -- {} +' sh "$mount_point" "$old.new" </dev/null
  mv "$old.new" "$old"
}

remove_old_data() { # that was set aside
  for size in "$state"/old-data/*.size; do
    old=${size%.size}
    [ -d "$old" ] || { say "${old##*/}: they lie below the filesystem still"; continue; }
    rm -rf --one-file-system -- "$old"
    [ ! -e "$old" ] || { say "not all of $old can be removed"; continue; }
    rm -f -- "$size"
  done
  if rmdir "$state/old-data"; then say "the old data are removed"; else return 1; fi
}
