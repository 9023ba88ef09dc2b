# shellcheck shell=bash
# What every part of the script uses. It runs on the operator's machine; names in capitals come in by the environment.

say() {
  printf '%s: %s\n' "$NODE" "$*"
}

fail() {
  printf '%s: %s\n' "$NODE" "$1" >&2
  shift
  local line
  for line in "$@"; do
    printf '  %s\n' "$line" >&2
  done
  exit 1
}

# Everything secret lies in here, readable by nobody else, and goes with the script however it ends.
make_work_folder() {
  umask 077
  local parent=${TMPDIR:-}
  # Memory rather than a disk, where there is such a place and no other was chosen.
  [ -n "$parent" ] || { [ -w /dev/shm ] && parent=/dev/shm; } || parent=/tmp
  WORK=$(mktemp -d "$parent/kraft.XXXXXX")
  trap 'rm -rf "$WORK"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

# Two versions of talosctl and Talos understand each other within a minor version.
require_talosctl() {
  local found
  command -v talosctl >/dev/null ||
    fail "talosctl is missing. Nothing was changed." \
      "install $TALOS_VERSION: https://github.com/siderolabs/talos/releases/tag/v$TALOS_VERSION"
  found=$(talosctl version --client --short | awk '/^Talos / { print substr($2, 2) }')
  [ "$(minor_of "$found")" = "$(minor_of "$TALOS_VERSION")" ] ||
    fail "talosctl is ${found:-of an unknown version}, and the stack has Talos $TALOS_VERSION. Nothing was changed." \
      "install $TALOS_VERSION: https://github.com/siderolabs/talos/releases/tag/v$TALOS_VERSION"
}

# Standard input: the secrets, a line that divides them, a patch with secrets. Never arguments, never an environment.
read_secrets() {
  touch "$WORK/secrets.yaml" "$WORK/secret-patch.yaml"
  awk -v secrets="$WORK/secrets.yaml" -v patch="$WORK/secret-patch.yaml" -v divider="$DIVIDER" \
    'BEGIN { file = secrets } $0 == divider { file = patch; next } { print > file }'
}

# The machine configuration, and a client certificate that is new every time: a year is all that one is good for.
generate() {
  printf '%s\n' "$PATCH" >"$WORK/patch.yaml"
  generate_one controlplane "$WORK/machine.yaml"
  generate_one talosconfig "$WORK/talosconfig"
  talosctl validate --config "$WORK/machine.yaml" --mode metal --strict >/dev/null ||
    fail "Talos $TALOS_VERSION refuses this machine configuration. Nothing was changed."
}

generate_one() {
  talosctl gen config "$CLUSTER" "https://$ADDRESS:6443" --install-disk "" \
    --with-secrets "$WORK/secrets.yaml" --talos-version "v$BORN_WITH" --kubernetes-version "$KUBERNETES_VERSION" \
    --config-patch-control-plane "@$WORK/patch.yaml" --config-patch-control-plane "@$WORK/secret-patch.yaml" \
    --with-docs=false --with-examples=false --output-types "$1" --output "$2" 2>"$WORK/messages" || {
    cat "$WORK/messages" >&2
    fail "no machine configuration can be made of the secrets. Nothing was changed." \
      "kraft:talosSecrets is what talosctl gen secrets wrote, whole"
  }
}

# talosctl, towards this machine and as its administrator.
talos() {
  talosctl --talosconfig "$WORK/talosconfig" --endpoints "$ADDRESS" --nodes "$ADDRESS" "$@"
}

# Towards a machine without configuration: it knows nobody yet, so that nobody needs a certificate.
talos_maintenance() {
  talosctl --endpoints "$ADDRESS" --nodes "$ADDRESS" "$@" --insecure
}

# running, maintenance or silent.
machine_state() {
  if timeout 30 talosctl --talosconfig "$WORK/talosconfig" --endpoints "$ADDRESS" --nodes "$ADDRESS" version >/dev/null 2>&1; then
    echo running
  elif timeout 30 talosctl --endpoints "$ADDRESS" --nodes "$ADDRESS" get disks --insecure >/dev/null 2>&1; then
    echo maintenance
  else
    echo silent
  fi
}

# wait_for <seconds> <command...>: until it succeeds.
wait_for() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep "$PAUSE_SECONDS"
  done
}

# A path of the stack file's, where ~/ is the home folder.
at_home() {
  # shellcheck disable=SC2088 # as it is written in a stack file
  case $1 in
  "~/"*) printf '%s/%s\n' "$HOME" "${1#"~/"}" ;;
  *) printf '%s\n' "$1" ;;
  esac
}

minor_of() {
  cut -d. -f1,2 <<<"$1"
}

# older <a> <b>: whether version a is older than b.
older() {
  [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

# require_step <what> <found> <wanted>: a datastore cannot be read by an older version, and none skips a minor.
require_step() {
  local what=$1 found=$2 wanted=$3 next
  ! older "$wanted" "$found" ||
    fail "$what $found runs, and the stack asks for the older $wanted. Nothing was changed." \
      "write $found into stacks/; going back is a restore from a snapshot"
  next=$(($(cut -d. -f2 <<<"$found") + 1))
  [ "$(cut -d. -f2 <<<"$wanted")" -le "$next" ] ||
    fail "$what $found runs, and $wanted skips a minor version. Nothing was changed." \
      "go to the newest $(cut -d. -f1 <<<"$found").$next first"
}

health() {
  talos health --control-plane-nodes "$ADDRESS" --wait-timeout "$HEALTH_TIMEOUT" >"$WORK/health" 2>&1 || {
    tail -n 15 "$WORK/health" >&2
    fail "the machine is not healthy within $HEALTH_TIMEOUT." \
      "the last lines above say what it waits for; run pulumi up again when it is"
  }
}
