# shellcheck shell=sh
# AppArmor profiles: checked before they are there, loaded, taken out, and as they were before. And what the daemon has read as
# its seccomp profile.
# shellcheck disable=SC2154 # stage and state are set in begin.sh

loaded_in() { # NAME: the folder in which the kernel tells about a loaded profile
  for folder in "/sys/kernel/security/apparmor/policy/profiles/$1".*; do
    # drydock-a.1 is not of drydock-a.b.1: the number is the kernel's own.
    case ${folder#"/sys/kernel/security/apparmor/policy/profiles/$1."} in *[!0-9]*) continue ;; esac
    [ ! -e "$folder/name" ] || { printf '%s\n' "$folder"; return; }
  done
}

kernel_sum() { # FOLDER: of the text that is loaded, where the kernel tells it: SHA-1, from 6.8 on SHA-256
  for file in "$1/raw_sha1" "$1/raw_sha256"; do [ ! -e "$file" ] || { read -r sum <"$file" && printf '%s\n' "$sum"; } || :; done
}

sum_like() { # SUM; of the same kind, of what is read
  case ${#1} in 64) sha256sum ;; *) sha1sum ;; esac | cut -d' ' -f1
}

confined_by() { # NAME: pids of its processes
  set +f
  grep -lsxE "$1( \(.*\)|//.*)?" /proc/[0-9]*/attr/current | sed 's,/attr/current$,,; s,.*/,,' | tr '\n' ' '
}

check_profiles() {
  while read -r n name; do
    apparmor_parser -Q -K "$stage/files/$n" >"$stage/parser.log" 2>&1 ||
      refuse "apparmor_parser does not take /etc/apparmor.d/$name: $(sed "s#$stage/files/$n#/etc/apparmor.d/$name#g" "$stage/parser.log" | tail -n 3 | tr '\n' ' ')"
  done <"$stage/profiles"
  while read -r name; do
    pids=$(confined_by "$name")
    [ -z "$pids" ] || refuse "profile $name is to go, and these processes have it: $pids"
  done <"$stage/profiles-unload"
}

forget_compiled() { # NAME: a compiled copy that is newer than the file would be loaded at boot instead of it
  for file in /var/cache/apparmor/"$1" /var/cache/apparmor/*/"$1" /etc/apparmor.d/cache/"$1" /etc/apparmor.d/cache/*/"$1" /etc/apparmor.d/cache.d/"$1" /etc/apparmor.d/cache.d/*/"$1"; do
    [ ! -f "$file" ] || rm -f -- "$file" 2>/dev/null || :
  done
}

unload_profile() { # NAME: that alone counts, also when its file is gone
  [ -z "$(loaded_in "$1")" ] || printf 'profile %s {}\n' "$1" | apparmor_parser -R -K -q
  forget_compiled "$1"
}

activate_profiles() {
  [ "$APPARMOR_ENABLE" = no ] || systemctl enable --quiet apparmor.service
  while read -r name; do
    say "loading profile $name"
    forget_compiled "$name"
    # A profile that is replaced holds for its running processes at once.
    apparmor_parser -r -K "/etc/apparmor.d/$name"
  done <"$stage/profiles-load"
  while read -r name; do say "unloading profile $name"; unload_profile "$name"; done <"$stage/profiles-unload"
}

remember_profiles() { # FOLDER: what the kernel has of those that change, each once; nothing is an empty file
  while read -r name; do remember_profile "$1" "$name"; done <"$stage/profiles-load"
  while read -r name; do remember_profile "$1" "$name"; done <"$stage/profiles-unload"
}

remember_profile() { # FOLDER NAME
  [ ! -e "$1/profiles/$2" ] || return 0
  folder=$(loaded_in "$2")
  if [ -z "$folder" ]; then
    : >"$1/profiles/$2"
  else
    # A kernel that gives nothing out (CONFIG_SECURITY_APPARMOR_EXPORT_BINARY): then its file counts.
    cat "$folder/raw_data" >"$1/profiles/$2" 2>/dev/null || echo "not known" >"$1/profiles/$2"
  fi
}

bring_profiles_back() { # FOLDER: after the files; goes on where one resists, since profiles_differ_from tells which
  for saved in "$1"/profiles/*; do
    name=${saved##*/}
    [ -e "$saved" ] || continue
    if [ ! -s "$saved" ]; then
      unload_profile "$name" || :
    else
      forget_compiled "$name"
      apparmor_parser -r -K -B "$saved" 2>/dev/null || apparmor_parser -r -K "/etc/apparmor.d/$name" || :
    fi
  done
}

profiles_differ_from() { # FOLDER: prints each that the kernel does not have as it had it
  for saved in "$1"/profiles/*; do
    name=${saved##*/}
    [ -e "$saved" ] || continue
    folder=$(loaded_in "$name")
    if [ ! -s "$saved" ]; then
      [ -z "$folder" ] || say "profile $name is still loaded"
    elif [ -z "$folder" ]; then
      say "profile $name is not loaded any more"
    elif sum=$(kernel_sum "$folder") && [ -n "$sum" ] && ! grep -qx "not known" "$saved"; then
      [ "$sum" = "$(sum_like "$sum" <"$saved")" ] || say "profile $name is loaded with another text"
    fi
  done
}

note_profiles() { # for the next look: what each file of ours was loaded as, and what dockerd has read
  for file in /etc/apparmor.d/drydock-*; do
    folder=$(loaded_in "${file##*/}")
    sum=$([ -z "$folder" ] || kernel_sum "$folder")
    [ -z "$sum" ] || printf 'profile:%s %s\n' "${file##*/}" "$sum"
  done
  [ -e /etc/docker/drydock-seccomp.json ] || return 0
  seccomp="seccomp $(sha256sum </etc/docker/drydock-seccomp.json | cut -d' ' -f1)"
  printf '%s\n' "$seccomp"
  # Containers that were started before it came have another filter.
  { grep -qsxF "$seccomp" "$state/applied" && grep '^seccomp-since ' "$state/applied"; } || printf 'seccomp-since %s\n' "$(date +%s)"
}
