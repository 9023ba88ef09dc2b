#!/bin/bash
# Starts one node: the first process of its own network, processes and host name, over a file system that outlives it.
set -eu
root=$1
name=$2
address=$3
recordings=$4
hostname "$name"
mount --make-rprivate /
mount -t proc proc "$root/proc"
# The kernel is this machine's: nothing in here may set anything of it.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,ro,bind "$root/proc/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/run/sshd" "$root/run/lock" "$root/var/log/stand-ins"
mount --bind "$recordings" "$root/var/log/stand-ins"
[ -e "$root/etc/longhorn-disk-is-missing" ] || mount -t tmpfs -o size=1m tmpfs "$root/var/lib/longhorn"
ip link set lo up
until ip link show eth0 >/dev/null 2>&1; do sleep 0.02; done
ip address add "$address/24" dev eth0
ip link set eth0 up
chroot "$root" /usr/local/sbin/systemctl boot
exec chroot "$root" /usr/sbin/sshd -D -e
