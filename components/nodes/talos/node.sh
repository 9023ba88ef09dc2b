# shellcheck shell=bash
# The whole of it: looks first, then upgrades, then configures. Run again it changes nothing.

converge() {
  case $(machine_state) in
  running) ;;
  maintenance) install ;;
  *)
    fail "nothing of Talos answers at $ADDRESS. Nothing was changed." \
      "is the machine on, and does the router give it this address?" \
      "for a first installation it has to be started from Talos' image: docs/machines-proliant.md"
    ;;
  esac
  if ! wait_for "$ETCD_SECONDS" has_etcd; then
    [ "$CLUSTER_INIT" != never ] ||
      fail "Talos runs, and etcd does not." \
        "where a first installation was interrupted: set kraft:machines.clusterInit to true, once" \
        "it had a cluster: see docs/machines-proliant.md before anything else"
    bootstrap
    health
  fi
  # In this order: a new configuration may say what only the new Talos understands.
  upgrade_talos
  upgrade_kubernetes
  configure
  health
  hand_over_kubeconfig
  say "Talos $TALOS_VERSION and Kubernetes $KUBERNETES_VERSION run, the machine is healthy"
}

# The administrator's kubeconfig, beside whatever else is in the file. Its certificate is good for a year, and new in
# every run.
hand_over_kubeconfig() {
  local file
  file=$(at_home "$KUBECONFIG_FILE")
  mkdir -p "$(dirname "$file")"
  # talosctl names the context only where it finds a file to put it into.
  [ -s "$file" ] || printf 'apiVersion: v1\nkind: Config\n' >"$file"
  talos kubeconfig "$file" --merge --force --force-context-name "$CONTEXT" >/dev/null ||
    fail "the kubeconfig cannot be written to $file."
}

main() {
  make_work_folder
  read_secrets
  require_talosctl
  generate
  converge
}
