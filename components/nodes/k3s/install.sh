# shellcheck shell=bash
# Brings k3s in the version of the stack, and never an older one.

installed_version() {
  if [ -x "$K3S" ]; then
    "$K3S" --version | awk 'NR == 1 { print $3 }'
  fi
}

minor_of() {
  cut -d. -f2 <<<"$1"
}

older() {
  [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

# A datastore that a newer Kubernetes wrote is not one that an older one can read.
require_no_downgrade() {
  local found=$1
  [ -n "$found" ] || return 0
  if older "$VERSION" "$found"; then
    fail "k3s $found is installed, and the stack asks for the older $VERSION. Nothing was changed." \
      "set kubernetesVersion in stacks/ to the version that runs; going back is a restore from a snapshot"
  fi
  if [ "$(minor_of "$VERSION")" -gt $(($(minor_of "$found") + 1)) ]; then
    fail "k3s $found is installed, and $VERSION skips a minor version, which Kubernetes does not allow. Nothing was changed." \
      "go to the newest 1.$(($(minor_of "$found") + 1)) first"
  fi
}

architecture() {
  case $(uname -m) in
  x86_64) echo amd64 ;;
  aarch64) echo arm64 ;;
  *) fail "k3s is not published for $(uname -m)" ;;
  esac
}

get() {
  curl --fail --silent --show-error --location --retry 3 --max-time 900 --output "$2" "$1" ||
    fail "cannot be downloaded: $1" "see above what curl says, then run pulumi up again"
}

# Downloads k3s and puts it in place if its SHA-256 is the one that its release states and, where the stack file pins
# one, that one. The process that runs keeps the old file until it is restarted.
install_k3s() {
  local arch base name sums digest pinned folder=$STATE/download
  arch=$(architecture)
  base="$RELEASE_URL/${VERSION//+/%2B}"
  name=k3s
  [ "$arch" = amd64 ] || name=k3s-$arch
  pinned=${SHA256[$arch]}
  rm -rf "$folder"
  mkdir -p "$folder"
  say "downloading k3s $VERSION"
  get "$base/sha256sum-$arch.txt" "$folder/sums"
  sums=$(awk -v name="$name" '$2 == name { print $1 }' "$folder/sums")
  get "$base/$name" "$folder/k3s"
  digest=$(sha256sum "$folder/k3s" | cut -d' ' -f1)
  [ "$digest" = "$sums" ] ||
    fail "k3s $VERSION has the SHA-256 $digest, its release says ${sums:-nothing}. Nothing was installed."
  [ -z "$pinned" ] || [ "$digest" = "$pinned" ] ||
    fail "k3s $VERSION has the SHA-256 $digest, kraft:machines.sha256.$arch says $pinned. Nothing was installed."
  chmod 755 "$folder/k3s"
  [ "$("$folder/k3s" --version | awk 'NR == 1 { print $3 }')" = "$VERSION" ] ||
    fail "what $base serves calls itself $("$folder/k3s" --version | head -n 1). Nothing was installed."
  sync "$folder/k3s"
  mkdir -p "$(dirname "$K3S")"
  cp "$folder/k3s" "$K3S.new"
  sync "$K3S.new"
  note_pending k3s
  mv "$K3S.new" "$K3S"
  rm -rf "$folder"
  say "installed k3s $VERSION ($digest)"
}

# Moves the pods of this node to others. K3k's kubelets do not notice that a pod of their guest is gone from the host, and the guest goes
# on showing it as running (rancher/k3k#454), until they start again. All of them do: a pod may run on another node than its kubelet.
# They do so after a drain that failed as well: it has moved some pods.
drain() {
  local result=0
  kube drain "$NODE" --ignore-daemonsets --delete-emptydir-data --timeout="${DRAIN_SECONDS}s" >/dev/null || result=$?
  kube delete pods --all-namespaces --selector mode=shared,type=agent --wait=false >/dev/null || result=$?
  return "$result"
}

# Before a member changes its version: a snapshot to go back to, and for another minor version a node without tenants.
before_upgrade() {
  local found=$1 snapshot="kraft-before-${VERSION//+/-}"
  is_member || return 0
  # What the last run could not start is not in the way of a newer release: its snapshot was taken before.
  if ! answers && pending k3s; then
    return 0
  fi
  answers ||
    fail "k3s $found does not answer here, and $VERSION is installed only over one that is healthy. Nothing was installed." \
      "see on the node: journalctl -u k3s -n 100; bring it back, then run pulumi up again"
  if ! "$K3S" etcd-snapshot ls 2>/dev/null | grep -q "^$snapshot"; then
    "$K3S" etcd-snapshot save --name "$snapshot" >/dev/null 2>&1 ||
      fail "no etcd snapshot could be taken, so k3s was left as it is" "see on the node: k3s etcd-snapshot save"
    say "took the etcd snapshot $snapshot"
  fi
  if [ "$(minor_of "$found")" != "$(minor_of "$VERSION")" ]; then
    note_pending uncordon
    say "draining"
    drain || {
      kube uncordon "$NODE" >/dev/null
      clear_pending uncordon
      fail "could not be drained within $DRAIN_SECONDS s, and was left as it is" \
        "see what stays: kubectl get pods -A --field-selector spec.nodeName=$NODE; then run pulumi up again"
    }
  fi
}
