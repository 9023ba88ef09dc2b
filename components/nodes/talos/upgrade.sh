# shellcheck shell=bash
# Brings Talos and Kubernetes to the stack's versions, on a machine that runs.

running_talos() {
  talos get version --output 'jsonpath={.spec.version}' | sed 's/^v//'
}

# The schematic that the running image was made of: its extensions, by one name.
running_schematic() {
  talos get extensions --output 'jsonpath={.spec.metadata.name} {.spec.metadata.version}' |
    awk '$1 == "schematic" { print $2 }'
}

running_kubernetes() {
  talos get kubeletspecs --output 'jsonpath={.spec.image}' | sed 's/.*:v//'
}

# etcd as it is now: what an upgrade that goes wrong is undone with.
snapshot() {
  local file
  file="$(at_home "$SNAPSHOTS")-$(date -u +%Y%m%dT%H%M%SZ)-before-$1.db"
  mkdir -p "$(dirname "$file")"
  talos etcd snapshot "$file" >/dev/null ||
    fail "no snapshot of etcd can be taken. Nothing was changed." "free space in $(dirname "$file"), then run pulumi up again"
  say "etcd is kept in $file"
}

upgrade_talos() {
  local version made_of
  version=$(running_talos)
  made_of=$(running_schematic)
  if [ "$version" = "$TALOS_VERSION" ] && [ "$made_of" = "$SCHEMATIC" ]; then
    return
  fi
  require_step Talos "$version" "$TALOS_VERSION"
  health
  snapshot "talos-$TALOS_VERSION"
  say "upgrading Talos $version to $TALOS_VERSION: the machine restarts"
  talos upgrade --image "$IMAGE" --drain="$DRAINS" --wait --timeout 30m ||
    fail "the upgrade of Talos did not end well." \
      "look at the console (iLO): after a start that fails, Talos goes back to the version before by itself" \
      "then run pulumi up again"
  wait_for "$START_SECONDS" talos version || fail "the machine does not answer after its restart." "look at the console (iLO)"
  [ "$(running_talos)" = "$TALOS_VERSION" ] ||
    fail "Talos $(running_talos) runs: the machine went back to it, because $TALOS_VERSION did not start." \
      "talosctl dmesg says why; put the former version back into stacks/ until it is known"
}

upgrade_kubernetes() {
  local version
  version=$(running_kubernetes)
  if [ "$version" = "$KUBERNETES_VERSION" ]; then
    return
  fi
  require_step Kubernetes "$version" "$KUBERNETES_VERSION"
  health
  snapshot "kubernetes-$KUBERNETES_VERSION"
  say "upgrading Kubernetes $version to $KUBERNETES_VERSION"
  # What it prints are the differences of manifests, and Secrets are among them.
  talos upgrade-k8s --to "$KUBERNETES_VERSION" --with-docs=false --with-examples=false >/dev/null ||
    fail "the upgrade of Kubernetes did not end well." "run pulumi up again: it goes on where it stopped"
}
