# shellcheck shell=sh
# Files of the host: put in place, remembered as they were, brought back; and the lines of /etc/subuid and /etc/subgid.
# shellcheck disable=SC2154 # stage and state are set in begin.sh

make_folders() { # PATH...: those in which these are to be, where there are none
  for path; do
    shift
    [ -d "${path%/*}" ] || set -- "$@" "${path%/*}"
  done
  [ $# -eq 0 ] || (umask 022 && mkdir -p -- "$@")
}

put_beside() { # SOURCE MODE OWNER GROUP PATH: under another name in the same folder
  # What is left there from before it removes first, and nobody gets in before owner and mode are right.
  install -T -o "$3" -g "$4" -m "$2" -- "$1" "$5.drydock-new"
}

install_files() { # what is in $stage/writes: each complete or not at all, also after a power cut
  set --
  while read -r mode owner group path; do set -- "$@" "$path"; done <"$stage/writes"
  make_folders "$@"
  set --
  while read -r mode owner group path; do
    say "installing $path"
    put_beside "$stage/files/$(($# + 1))" "$mode" "$owner" "$group" "$path"
    set -- "$@" "$path.drydock-new"
  done <"$stage/writes"
  [ $# -gt 0 ] || return 0
  # The texts of all are on the disk before the first one gets its name: one wait, and no process for each file.
  sync "$@"
  for file; do
    mv -T -- "$file" "${file%.drydock-new}"
    shift
    set -- "$@" "${file%/*}"
  done
  sync "$@"
}

install_file() { # SOURCE MODE OWNER GROUP PATH: one alone, in the same way
  folder=${5%/*}
  make_folders "$5"
  put_beside "$@"
  sync "$5.drydock-new"
  mv -T -- "$5.drydock-new" "$5"
  sync "$folder"
}

touched_paths() { if [ "$TOUCHES_VOLUME_FILES" = no ]; then all_touched_paths; else all_touched_paths | grep -vxFf "$stage/volume-files" || :; fi; }

all_touched_paths() {
  while read -r mode owner group path; do printf '%s\n' "$path"; done <"$stage/writes"
  while read -r mode owner group path; do printf '%s\n' "$path"; done <"$stage/modes"
  # what is right already may be changed by a later update, when nobody knows any more how it was
  for list in declared removes; do while IFS= read -r path; do printf '%s\n' "$path"; done <"$stage/$list"; done
  # augenrules makes these two from rules.d
  [ "$AUDIT_COMPILE" = no ] || printf '%s\n' /etc/audit/audit.rules /etc/audit/audit.rules.prev
}

remembers=
remember() { # FOLDER PATH: how PATH is now, once
  # Read once for all paths, since each process costs time.
  [ "$remembers" = "$1" ] || { remembers=$1 known=$([ ! -s "$1/known" ] || cat "$1/known"); }
  case "
$known
" in *"
$2
"*) return ;; esac
  known="$known
$2"
  if [ -d "$2" ]; then
    stat -L -c '%a %U %G %n' "$2" >>"$1/folders"
  elif [ -L "$2" ] || [ -e "$2" ]; then
    cp -a --parents -- "$2" "$1/tree"
  else
    printf '%s\n' "$2" >>"$1/absent"
    folder=${2%/*}
    while [ ! -d "$folder" ]; do
      printf '%s\n' "$folder" >>"$1/made"
      folder=${folder%/*}
    done
  fi
  printf '%s\n' "$2" >>"$1/known"
}

new_memory() { # FOLDER
  mkdir -p "$1/tree" "$1/profiles"
  for list in known absent folders made; do : >>"$1/$list"; done
}

remember_all() { # FOLDER
  new_memory "$1"
  touched_paths | while IFS= read -r path; do remember "$1" "$path"; done
}

# Of each copy, by which one that a bad disk has changed is known before it is brought back. What is noted already stays as it was noted.
note_sums() { # FOLDER
  (
    cd "$1" || exit
    if [ -e manifest ]; then
      noted=$(cut -c67- manifest)
      find tree profiles -type f | grep -vxF -e "$noted" | xargs -r -d '\n' sha256sum >>manifest
    else
      find tree profiles -type f -exec sha256sum {} + >manifest
    fi
  )
}

damaged_in() { # FOLDER: prints which of its copies are gone, are not as they were saved, or have no sum that could tell
  # Of an update by a Drydock that noted none.
  [ -e "$1/manifest" ] || return 0
  (
    cd "$1" || exit
    whole=$(sha256sum --check manifest 2>/dev/null | sed -n 's/: OK$//p')
    { find tree profiles -type f; cut -c67- manifest; } | sort -u | grep -vxF -e "$whole" || :
  )
}

set_damaged_aside() { # FOLDER; prints each: what else it may be by now, it is not the state of before
  damaged_in "$1" | while IFS= read -r copy; do
    say "what was saved of ${copy#tree} is damaged, and does not come back"
    [ ! -e "$1/$copy" ] || { mkdir -p "$1/damaged/${copy%/*}" && mv -- "$1/$copy" "$1/damaged/$copy"; } || :
  done
}

is_as() { # COPY PATH: content, owner and mode
  [ "$(stat -c '%a %U %G %F' "$1")" = "$(stat -c '%a %U %G %F' "$2" 2>&1)" ] || return 1
  if [ -L "$1" ]; then [ "$(readlink "$1")" = "$(readlink "$2")" ]; else cmp -s "$1" "$2"; fi
}

copy_back() { # COPY PATH
  mkdir -p "${2%/*}" && rm -f -- "$2.drydock-new" && cp -a -- "$1" "$2.drydock-new" && mv -T -- "$2.drydock-new" "$2"
}

bring_back() { # FOLDER: every path as remember found it; goes on where one path resists, since differs_from tells which
  while IFS= read -r path; do [ -d "$path" ] || rm -f -- "$path" "$path.drydock-new" || :; done <"$1/absent"
  (cd "$1/tree" && find . -type f -o -type l) | while IFS= read -r file; do
    path=${file#.}
    [ ! -e "$path.drydock-new" ] || rm -f -- "$path.drydock-new" || :
    is_as "$1/tree/$path" "$path" && continue
    copy_back "$1/tree/$path" "$path" || say "$path can't be brought back"
  done
  while read -r mode owner group path; do
    [ ! -d "$path" ] || { chown "$owner:$group" "$path" && chmod "$mode" "$path"; } || :
  done <"$1/folders"
  sort -ru "$1/made" | while IFS= read -r path; do rmdir --ignore-fail-on-non-empty -- "$path" 2>/dev/null || true; done
  sync
}

differs_from() { # FOLDER: prints each path that is not as it was
  # A folder that was not there stays when somebody has put something into it since.
  while IFS= read -r path; do [ -d "$path" ] || [ ! -e "$path" ] || say "$path is still there"; done <"$1/absent"
  (cd "$1/tree" && find . -type f -o -type l) | while IFS= read -r file; do
    is_as "$1/tree/${file#.}" "${file#.}" || say "${file#.} has another content, owner or mode"
  done
  while read -r mode owner group path; do
    [ "$mode $owner $group" = "$(stat -L -c '%a %U %G' "$path" 2>&1)" ] || say "$path has another owner or mode"
  done <"$1/folders"
}

# Step by step, since `set -e` does not hold for who asks whether it went well: no half a file gets the name.
replace_text() { # SOURCE PATH: owner and mode stay
  cp -p -- "$2" "$2.drydock-new" && cat -- "$1" >"$2.drydock-new" && sync "$2.drydock-new" && mv -T -- "$2.drydock-new" "$2" && sync "${2%/*}"
}

add_ids() {
  [ -z "$CREATE_USER" ] || { say "creating user $CREATE_USER"; useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$CREATE_USER"; }
  while read -r file line; do
    [ -e "$file" ] || (umask 022 && : >"$file")
    { cat -- "$file"; [ -z "$(tail -c1 "$file")" ] || echo; printf '%s\n' "$line"; } >"$stage/ids.new"
    replace_text "$stage/ids.new" "$file"
    say "adding $line to $file"
  done <"$stage/ids"
}

take_ids_back() { # IDS_FILE USER: exactly what add_ids added; other lines may have come since
  while read -r file line; do
    grep -qxF -- "$line" "$file" 2>/dev/null || continue
    grep -vxF -- "$line" "$file" >"$stage/ids.new" || [ $? -eq 1 ] || return 1
    replace_text "$stage/ids.new" "$file" || return 1
  done <"$1"
  [ -z "$2" ] || ! getent passwd "$2" >/dev/null || userdel "$2"
}
