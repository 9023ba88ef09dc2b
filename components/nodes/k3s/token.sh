#!/usr/bin/env bash
# Puts the cluster's token, which comes on standard input, where k3s looks for it. Nothing here prints it.
set -euo pipefail
umask 077

file=/etc/rancher/k3s/token
own=/var/lib/rancher/k3s/server/token
IFS= read -r token

# A server that belongs to a cluster keeps the token as K10<hash of the authority>::server:<token>.
if [ -s "$own" ] && [ "$(sed 's/^K10[0-9a-f]*::server://' "$own")" != "$token" ]; then
  echo "kraft:k3sToken is not the token of the cluster that this node belongs to. Nothing was changed." >&2
  echo "Put the old one back: without it no etcd snapshot can be restored." >&2
  exit 1
fi
if [ -f "$file" ] && [ "$(cat "$file")" = "$token" ]; then
  echo "token: unchanged"
  exit 0
fi
mkdir -p "$(dirname "$file")"
printf '%s\n' "$token" >"$file.new"
sync "$file.new"
mv "$file.new" "$file"
echo "token: written"
