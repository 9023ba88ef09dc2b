import { readFileSync } from "node:fs";
import { join } from "node:path";
import { asRoot } from "../../../local/root.ts";

/**
 * Runs commands where the containerd of a node runs, in processes, mounts and network of their own, and returns what they
 * print. `ctr` looks at the images of Kubernetes, and `/tmp/mounted` is an empty folder.
 *
 * @param root The Debian of the machines.
 * @param node The folder of the node's containerd.
 * @param work A folder for what they print.
 */
export function withContainerd(
  { root, node, work }: Readonly<Record<"root" | "node" | "work", string>>,
  commands: string,
): string {
  const output = join(work, "output");
  const script = `set -eu
cd "$1"
mount -t tmpfs tmpfs var/lib
mkdir var/lib/containerd
mount --bind "$2" var/lib/containerd
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
exec >"$3"
exec chroot . sh -euc '
  mkdir -p /tmp/mounted
  containerd >/tmp/log 2>&1 &
  until ctr version >/dev/null 2>&1; do sleep 0.1; done
  alias ctr="ctr --namespace k8s.io"
  ${commands}
'`;
  const isolated = ["--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"];
  asRoot(
    ["timeout", "60", "unshare", ...isolated, "sh", "-c", script, "sh", root, node, output],
    "containerd must run",
  );
  return readFileSync(output, "utf8");
}
