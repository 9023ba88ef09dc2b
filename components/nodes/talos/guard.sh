# shellcheck shell=bash
# Pulumi ends a command that is interrupted by a signal that no process can catch, and only its first process: what that one
# has started would run on, and its secrets stay where they are. So the first one just waits here. The work is done in a
# process group of its own, which a third process ends when it finds the first one gone.

# guarded <command...>: its status is the command's.
guarded() {
  local alive worker status=0
  # The pipe closes with the last process that holds it, however that one ends.
  exec {alive}> >(exec setsid bash --norc -c "$WATCHER" >/dev/null 2>&1)
  set -m
  work "$@" <&0 &
  worker=$!
  set +m
  wait "$worker" || status=$?
  echo ended >&"$alive"
  return "$status"
}

work() {
  echo "$BASHPID" >&"$alive"
  exec {alive}>&-
  "$@"
}

# shellcheck disable=SC2016 # it expands in the third process
readonly WATCHER='read -r worker && ! read -r ended && kill -TERM -- "-$worker"'
