# shellcheck shell=bash
# What the cluster says about itself, asked through this node's own API server.

readonly K3S=/usr/local/bin/k3s
readonly DATASTORE=/var/lib/rancher/k3s/server/db/etcd

kube() {
  "$K3S" kubectl --kubeconfig /etc/rancher/k3s/k3s.yaml --request-timeout=15s "$@"
}

is_member() {
  [ -d "$DATASTORE" ]
}

answers() {
  [ "$(kube get --raw /readyz 2>/dev/null)" = ok ]
}

# Lines of "name Ready-status kubelet-version address" of every server.
servers() {
  kube get nodes --selector node-role.kubernetes.io/control-plane --output \
    'jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status} {.status.nodeInfo.kubeletVersion} {.status.addresses[?(@.type=="InternalIP")].address}{"\n"}{end}'
}

# True where a server of k3s answers at that address.
serves() {
  [ "$(curl --insecure --silent --max-time 5 "https://$1:6443/ping")" = pong ]
}

# etcd of three survives the loss of one: while another server is away, this one must not stop. A node that lost its power
# counts as ready for most of a minute, so that each is asked as well.
require_others() {
  is_member && answers || return 0
  local list name ready kubelet address away=()
  # A list that cannot be had is not an empty one.
  list=$(servers) ||
    fail "its API server does not list the servers. k3s on $NODE was not restarted: another one may be away." \
      "see above what it says, then run pulumi up again"
  while read -r name ready kubelet address; do
    if [ "$name" != "$NODE" ] && { [ "$ready" != True ] || ! serves "$address"; }; then
      away+=("$name ($kubelet, $address)")
    fi
  done <<<"$list"
  [ "${#away[@]}" = 0 ] ||
    fail "not ready: ${away[*]}. k3s on $NODE was not restarted: the cluster would stop." \
      "bring that node back (npm run kraft -- status), or take it out as docs/nodes.md says; then run pulumi up again"
}

# Waits until this server serves, is ready in the version it should have, and no other was lost.
wait_until_healthy() {
  local deadline=$((SECONDS + HEALTH_SECONDS)) state=""
  say "waiting until the node is healthy"
  while [ "$SECONDS" -lt "$deadline" ]; do
    if ! answers; then
      state="its API server does not answer"
    elif ! state=$(servers 2>&1); then
      state="its API server does not list nodes"
    elif ! awk -v own="$NODE" -v version="$VERSION" \
      '$1 == own && $2 == "True" && $3 == version { found = 1 } END { exit !found }' <<<"$state"; then
      state="the node is not ready in $VERSION"
    elif ! awk '$2 != "True" { exit 1 }' <<<"$state"; then
      state="not every server is ready"
    else
      return 0
    fi
    sleep "$HEALTH_INTERVAL"
  done
  fail "not healthy after $HEALTH_SECONDS s: $state. No further node was touched." \
    "see on the node: journalctl -u k3s -n 100; then run pulumi up again"
}

# Names of the volumes that have lost a copy, of which there are none where there is no Longhorn.
degraded_volumes() {
  local longhorn
  longhorn=$(kube get customresourcedefinition volumes.longhorn.io --ignore-not-found --output name) || return
  [ -z "$longhorn" ] ||
    kube get volumes.longhorn.io --namespace longhorn-system --output \
      'jsonpath={range .items[?(@.status.robustness=="degraded")]}{.metadata.name}{"\n"}{end}'
}

# After a drain the next node waits until every volume has all its copies again, and it is certain that they have.
wait_for_volumes() {
  local deadline=$((SECONDS + VOLUME_SECONDS)) degraded="" state=""
  while [ "$SECONDS" -lt "$deadline" ]; do
    if ! degraded=$(degraded_volumes); then
      state="volumes could not be listed for $VOLUME_SECONDS s"
    elif [ -n "$degraded" ]; then
      state="volumes still lack a copy after $VOLUME_SECONDS s: ${degraded//$'\n'/, }"
    else
      return 0
    fi
    sleep "$HEALTH_INTERVAL"
  done
  fail "$state. No further node was touched." "wait until Longhorn has rebuilt them, then run pulumi up again"
}
