# shellcheck shell=bash
# Which cluster a node belongs to. A node that was set up anew must never begin a second one.

# A server that was set up in another way may differ in what can never be changed.
require_ours() {
  local file=/etc/rancher/k3s/config.yaml key old new
  is_member || return 0
  if ! grep -q '^# Written by Kraft' "$file" 2>/dev/null; then
    fail "k3s was set up here in another way, and Kraft does not take it over: some settings never change." \
      "leave kraft:machines out of the stack file, or replace one node after the other as docs/nodes.md says"
  fi
  for key in "${FIXED_KEYS[@]}"; do
    old=$(grep "^$key:" "$file" || true)
    new=$(k3s_config | grep "^$key:" || true)
    [ "$old" = "$new" ] ||
      fail "the cluster was created with ${old:-no $key}, which can never change; it should become ${new:-no $key}. Nothing was changed."
  done
}

decide_join() {
  # k3s ignores all of this once it has a datastore.
  ! is_member || return 0
  local peer
  for peer in "${PEERS[@]}"; do
    if serves "$peer"; then
      say "joining the cluster through $peer"
      put /etc/rancher/k3s/config.yaml.d/20-join.yaml 600 k3s <<<"server: https://$peer:6443"
      return 0
    fi
  done
  [ "$CLUSTER_INIT" = 1 ] ||
    fail "no other node of the cluster answers (${PEERS[*]}, port 6443), and a new cluster is begun only on request." \
      "a first installation: set kraft:machines.clusterInit to true, once" \
      "otherwise: bring another node back first, or restore the cluster from a snapshot"
  say "beginning a new cluster"
  put /etc/rancher/k3s/config.yaml.d/20-join.yaml 600 k3s <<<"cluster-init: true"
}
