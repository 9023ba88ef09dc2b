import { existsSync } from "node:fs";
import { join } from "node:path";
import { announceWait, withLock } from "../lock.ts";
import { asRoot } from "../root.ts";
import type { Reporter } from "../terminal.ts";
import type { ProvidedImages } from "./provide.ts";

/** The file in a containerd's folder that names what was imported into it: the fingerprint of the archive. */
export const importedMarker = "kraft-images";

/** Databases of containerd 1.6, below its folder. They are written in place; all other files are never changed again. */
const databases = ["io.containerd.metadata.v1.bolt/meta.db", "io.containerd.snapshotter.v1.overlayfs/metadata.db"];

/**
 * Runs containerd until it has imported an archive, in processes, mounts and network of its own. Arguments: the Debian that
 * it is part of, the archive, and the folder that becomes its store. Nothing of it is left but the store.
 */
const importScript = `set -eu
root=$1 archive=$2 store=$3
work=$(mktemp -d)
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/work" "$work/root"
cd "$work/root"
mkdir -p var/lib/containerd images
mount --bind "$store" var/lib/containerd
mount --bind "$(dirname "$archive")" images
mount -t proc proc proc
mount --rbind /dev dev
mount --rbind /sys sys
mount -t tmpfs tmpfs run
echo 'version = 2
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs"]' >run/containerd.toml
chroot . sh -euc '
  containerd --config /run/containerd.toml >/run/containerd.log 2>&1 &
  tries=0
  until ctr version >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 150 ]; then cat /run/containerd.log >&2; exit 1; fi
    sleep 0.2
  done
  ctr --namespace k8s.io images import "/images/$1" >/run/import.log 2>&1 || { tail -n 5 /run/import.log >&2; exit 1; }
  kill -TERM $!
  wait $! || true
' sh "$(basename "$archive")"
`;

/**
 * The folder of a containerd that has imported all images: made once for an archive, beside it, in about the time that one
 * import takes. A node that gets a copy of it ({@link copyStore}) has all images at once.
 *
 * @param root The Debian of the machines, whose containerd it is.
 */
export async function importedStore(images: ProvidedImages, root: string, reporter: Reporter): Promise<string> {
  const store = join(images.archive, "..", "store");
  if (existsSync(store)) {
    return store;
  }
  await withLock(`${store}.lock`, announceWait(reporter, "is importing images for another checkout"), () => {
    if (existsSync(store)) {
      return;
    }
    reporter.progress("importing images");
    const work = `${store}.importing`;
    const why = "Images must be imported into containerd";
    asRoot(["rm", "-rf", work], why);
    asRoot(["mkdir", work], why);
    const isolated = ["--net", "--pid", "--mount", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc"];
    asRoot(["unshare", ...isolated, "sh", "-c", importScript, "sh", root, images.archive, work], why);
    asRoot(["mv", work, store], why);
    reporter.done();
  });
  return store;
}

/**
 * Fills the folder of a node's containerd with the images of a store. Their files are shared with it where both are on one
 * file system, which takes a second and no room; no containerd changes a file of an image.
 *
 * @param target `/var/lib/containerd` of the node, as this machine sees it: not there yet, since an older one has what the
 *   node's pods consist of.
 */
export function copyStore(store: string, fingerprint: string, target: string): void {
  const script = `set -eu
store=$1 fingerprint=$2 target=$3
shift 3
rm -rf "$target.copying"
mkdir -p "$(dirname "$target")"
cp -al "$store" "$target.copying" 2>/dev/null || { rm -rf "$target.copying"; cp -a "$store" "$target.copying"; }
for database; do cp --remove-destination "$store/$database" "$target.copying/$database"; done
echo "$fingerprint" >"$target.copying/${importedMarker}"
mv -T "$target.copying" "$target"
`;
  asRoot(["sh", "-c", script, "sh", store, fingerprint, target, ...databases], "A node's images must be put in place");
}
