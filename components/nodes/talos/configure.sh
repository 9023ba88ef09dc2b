# shellcheck shell=bash
# The first installation, and every change of the configuration after it.

# Looks before anything is written: the drive of the system is overwritten.
require_drives() {
  local found drive
  found=$(talos_maintenance get disks --output 'jsonpath={.spec.wwid}')
  for drive in "$SYSTEM_DRIVE" "$LONGHORN_DRIVE"; do
    grep -Fqx "$drive" <<<"$found" || {
      talos_maintenance get disks >&2
      fail "there is no drive $drive among those above. Nothing was changed." \
        "write the WWID of its logical drives into kraft:nodes.$NODE.drives"
    }
  done
}

install() {
  [ "$CLUSTER_INIT" != never ] ||
    fail "the machine has no configuration: it is new, or its system drive is. Nothing was changed." \
      "a first installation: set kraft:machines.clusterInit to true, once" \
      "it had a cluster: set kraft:machines.recoverFrom to a snapshot of its etcd, see docs/machines-proliant.md"
  [ "$CLUSTER_INIT" != recover ] || [ -r "$(at_home "$RECOVER_FROM")" ] ||
    fail "there is no snapshot $RECOVER_FROM that can be read. Nothing was changed." "correct kraft:machines.recoverFrom"
  require_drives
  say "installing Talos $TALOS_VERSION on drive $SYSTEM_DRIVE; the machine restarts"
  talos_maintenance apply-config --file "$WORK/machine.yaml" >/dev/null ||
    fail "the machine refuses its configuration. Nothing was installed."
  wait_for "$START_SECONDS" talos version ||
    fail "the machine does not answer as $NODE within $START_SECONDS seconds." \
      "look at the console (iLO): does it start from the drive, and has it the address $ADDRESS?" \
      "run pulumi up again when it does"
}

has_etcd() {
  talos etcd members >/dev/null 2>&1
}

# Talos itself refuses where there is anything in etcd's folder; what it cannot know is that there was a cluster before.
bootstrap() {
  local end=$((SECONDS + START_SECONDS)) from=()
  if [ "$CLUSTER_INIT" = recover ]; then
    say "bringing etcd back from $RECOVER_FROM"
    from=(--recover-from "$(at_home "$RECOVER_FROM")")
  else
    say "beginning a new cluster"
  fi
  until talos bootstrap "${from[@]}" >/dev/null 2>"$WORK/messages"; do
    if grep -q AlreadyExists "$WORK/messages"; then
      return
    fi
    # Until its clock is set and its services run, the machine answers that it is too early.
    [ "$SECONDS" -lt "$end" ] || {
      cat "$WORK/messages" >&2
      fail "the cluster cannot be begun." "run pulumi up again"
    }
    sleep "$PAUSE_SECONDS"
  done
}

# Never restarts the machine: what needs it waits for the next restart, whose time is the operator's to choose.
configure() {
  if talos apply-config --file "$WORK/machine.yaml" --mode no-reboot >/dev/null 2>"$WORK/messages"; then
    return
  fi
  # What follows is a difference with secrets in it.
  grep -q "can't be applied in immediate mode" "$WORK/messages" || {
    sed '/^diff:/,$d' "$WORK/messages" >&2
    fail "the machine refuses its configuration, and keeps the one it has."
  }
  talos apply-config --file "$WORK/machine.yaml" --mode staged >/dev/null 2>&1 ||
    fail "the machine refuses its configuration, and keeps the one it has."
  say "THE NEW CONFIGURATION TAKES A RESTART, and waits for it. When it suits you: talosctl --nodes $ADDRESS reboot"
}
