# shellcheck shell=bash
# Makes a Debian ready for Longhorn and for a kubelet that shuts down in order.

require_debian() {
  local systems
  # Not sourced: it sets VERSION, which is ours.
  systems=$(sed -n 's/^ID\(_LIKE\)\{0,1\}=//p' /etc/os-release | tr -d '"' | tr '\n' ' ')
  case " $systems" in
  *" debian "*) ;;
  *) fail "this is ${systems:-an unknown system}, and Kraft prepares Debian. Nothing was changed." ;;
  esac
}

# On a file system of its own a full Longhorn cannot stop etcd; unmounted, its data would fill the system's.
require_longhorn_disk() {
  [ "$LONGHORN_DEDICATED" = 1 ] || return 0
  mountpoint -q "$LONGHORN_PATH" ||
    fail "no file system is mounted at $LONGHORN_PATH. Nothing was changed." \
      "mount the one that is meant for Longhorn there, and give it a line in /etc/fstab"
}

install_packages() {
  local package missing=()
  # An installation that was cut short leaves packages unpacked, and every later one fails until they are set up.
  if [ -n "$(dpkg --audit)" ]; then
    say "finishing an interrupted installation of packages"
    DEBIAN_FRONTEND=noninteractive dpkg --configure -a
  fi
  for package in "${PACKAGES[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  if ! timeout 300 apt-get -qq update ||
    ! timeout 900 apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 install "${missing[@]}"; then
    fail "packages could not be installed: ${missing[*]}" "see above what apt-get says, then run pulumi up again"
  fi
}

load_modules() {
  local module
  for module in "${MODULES[@]}"; do
    modprobe "$module" || fail "the kernel has no module $module"
  done
  clear_pending modules
}

apply_sysctl() {
  if pending sysctl; then
    sysctl --quiet --load /etc/sysctl.d/90-kraft.conf
    clear_pending sysctl
  fi
}

# multipathd takes Longhorn's volumes for paths of one disk, and mounting them fails with "already mounted or mount
# point busy" (Longhorn's knowledge base).
stop_multipath() {
  command -v multipath >/dev/null || return 0
  if [ -n "$(multipath -l)" ]; then
    fail "a disk of this node is in use through multipath, which Kraft does not switch off" \
      "let multipath leave Longhorn's volumes alone: blacklist { devnode \"^sd[a-z0-9]+\" } in /etc/multipath.conf"
  fi
  local unit
  for unit in multipathd.service multipathd.socket; do
    if [ "$(readlink -f "/etc/systemd/system/$unit")" != /dev/null ]; then
      systemctl mask --now "$unit"
      say "masked $unit"
    fi
  done
}

start_iscsi() {
  systemctl is-enabled --quiet iscsid.service && systemctl is-active --quiet iscsid.service && return 0
  systemctl enable --now iscsid.service
  say "started iscsid.service"
}

# The kubelet may delay a shutdown only for as long as logind allows.
apply_shutdown() {
  if pending logind; then
    systemctl kill --signal=HUP systemd-logind.service
    clear_pending logind
  fi
  if pending journald; then
    systemctl restart systemd-journald.service
    clear_pending journald
  fi
  # The watchdog is the next boot's: nothing here restarts the system.
  clear_pending watchdog
}

# The rule acts when a card appears; those that are there already are changed now.
apply_offload() {
  pending offload || return 0
  udevadm control --reload
  local card
  for card in /sys/class/net/*; do
    if [ "$(basename "$(readlink -f "$card/device/driver")")" = e1000e ]; then
      ethtool -K "$(basename "$card")" tso off gso off
      say "switched segmentation offload of $(basename "$card") off"
    fi
  done
  clear_pending offload
}

prepare() {
  install_packages
  put_system_files
  load_modules
  apply_sysctl
  stop_multipath
  start_iscsi
  apply_shutdown
  apply_offload
}
