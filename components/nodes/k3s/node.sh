# shellcheck shell=bash
# The whole of it: looks first, then prepares the system, then k3s. Run again it changes nothing.

k3s_server() {
  local found
  found=$(installed_version)
  decide_join
  put_k3s_files
  if [ "$found" != "$VERSION" ]; then
    require_others
    [ -z "$found" ] || before_upgrade "$found"
    install_k3s
  fi
  if pending k3s || ! systemctl is-active --quiet k3s.service; then
    require_others
    systemctl daemon-reload
    systemctl enable --quiet k3s.service
    say "starting k3s $VERSION"
    timeout "$HEALTH_SECONDS" systemctl restart k3s.service ||
      fail "k3s does not start. No further node was touched." \
        "see on the node: journalctl -u k3s -n 100; then run pulumi up again"
  fi
  wait_until_healthy
  clear_pending k3s
  if pending uncordon; then
    kube uncordon "$NODE" >/dev/null
    wait_for_volumes
    clear_pending uncordon
  fi
}

main() {
  export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  umask 022
  [ "$(id -u)" = 0 ] || fail "this needs root"
  only_one
  require_debian
  require_space / "$FREE_MIB"
  require_space /var/lib/rancher "$FREE_MIB"
  require_longhorn_disk
  require_no_downgrade "$(installed_version)"
  require_ours
  prepare
  k3s_server
  say "k3s $VERSION runs, the node is healthy"
}
