# shellcheck shell=bash
# What every part of a node's script uses. Numbers and names in capitals stand at the beginning of the script.

say() {
  printf '%s: %s\n' "$NODE" "$*"
}

explained=0
fail() {
  explained=1
  printf '%s: %s\n' "$NODE" "$1" >&2
  shift
  for line in "$@"; do
    printf '  %s\n' "$line" >&2
  done
  exit 1
}

# A command that failed where nobody expected it says so itself at best.
explain_end() {
  local code=$1 command=$2
  [ "$code" = 0 ] || [ "$explained" = 1 ] ||
    printf '%s: failed with %s at: %s\n  run pulumi up again, and report it if it stays\n' "$NODE" "$code" "$command" >&2
}
trap 'explain_end "$?" "$BASH_COMMAND"' EXIT

# What has changed and was not acted upon yet. It is written down before the change, so that an interrupted run is
# finished by the next one.
readonly STATE=/var/lib/kraft
pending() {
  [ -e "$STATE/pending/$1" ]
}
note_pending() {
  mkdir -p "$STATE/pending"
  : >"$STATE/pending/$1"
}
clear_pending() {
  rm -f "$STATE/pending/$1"
}

# put <path> <mode> <group> <<content: writes a file if it is different, whole or not at all.
put() {
  local path=$1 mode=$2 group=$3 new
  mkdir -p "$(dirname "$path")"
  # What an interrupted run left. Nothing that reads such folders takes files of this name.
  rm -f "$path".kraft.??????
  new=$(mktemp "$path.kraft.XXXXXX")
  cat >"$new"
  chmod "$mode" "$new"
  if cmp -s "$new" "$path" && [ "$(stat -c %a "$new")" = "$(stat -c %a "$path")" ]; then
    rm -f "$new"
    return 0
  fi
  note_pending "$group"
  sync "$new"
  mv "$new" "$path"
  say "wrote $path"
}

# Two runs at once would undo each other; a connection that broke leaves its script running.
only_one() {
  mkdir -p /run/lock
  exec 9>/run/lock/kraft
  flock -w 120 9 ||
    fail "another run is still at work on this node" "wait for it to end, then run pulumi up again"
}

require_space() {
  local folder=$1 needed=$2 free
  mkdir -p "$folder"
  free=$(df --output=avail -m "$folder" | tail -n 1 | tr -d ' ')
  [ "$free" -ge "$needed" ] ||
    fail "$(df --output=target "$folder" | tail -n 1) has $free MiB free, $needed are needed. Nothing was changed." \
      "make room (journalctl --vacuum-size=200M, apt-get clean, k3s crictl rmi --prune), then run pulumi up again"
}
