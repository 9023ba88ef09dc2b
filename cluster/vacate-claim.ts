import type { WritableHost } from "./client.ts";
import { deleteGuarded } from "./delete-guarded.ts";
import { persistentVolumeManifest, type RestorableVolume } from "./manifests.ts";
import { hasEnded, usesClaim } from "./objects.ts";
import { paths } from "./paths.ts";
import { type Patience, waitFor } from "./wait.ts";

/**
 * Takes a claim away from the volume that it has, so that it can get `wanted` next. That volume stays as it is: Kraft's
 * classes retain volumes. First the wanted one is reserved for the claim's name, so that whoever creates the claim first,
 * this tool or the StatefulSet of a guest, gets that one and no new one. Where the claim is gone or has the wanted volume
 * already, there is nothing to do: interrupted, it can be run again.
 */
export async function vacateClaim(
  host: WritableHost,
  wanted: RestorableVolume,
  { fieldManager, patience }: { readonly fieldManager: string; readonly patience: Patience },
): Promise<void> {
  const { namespace, claim: name, volume } = wanted;
  const path = paths.claims.named(namespace, name);
  const claim = await host.get(path);
  const { uid } = claim?.metadata ?? {};
  if (uid === undefined || claim?.spec?.volumeName === volume) {
    return;
  }
  const reserved = await host.get(paths.persistentVolumes.named(volume));
  if (reserved === undefined) {
    const manifest = persistentVolumeManifest(wanted);
    await host.apply(manifest.path, manifest.object, fieldManager);
  } else if (reserved.status?.phase === "Released") {
    await freeForItsClaim(host, volume);
  }
  if (claim?.metadata.deletionTimestamp === undefined) {
    await deleteGuarded(host, path, uid);
  }
  let users: readonly string[] = [];
  await waitFor(
    `the end of the claim ${namespace}/${name}`,
    async () => {
      const now = await host.get(path);
      if (now?.metadata.uid !== uid) {
        return true;
      }
      const pods = await host.list(paths.pods.in(namespace));
      users = pods.filter((pod) => !hasEnded(pod) && usesClaim(pod, name)).map(({ metadata }) => metadata.name);
      return undefined;
    },
    patience,
    () => (users.length === 0 ? "find out what holds it, and run this again" : `pods use it: ${users.join(", ")}`),
  );
}

/** Takes the old claim out of a released PersistentVolume, so that a new one of the same name, and only that, may have it. */
export function freeForItsClaim(host: WritableHost, persistentVolume: string): Promise<void> {
  return host.merge(paths.persistentVolumes.named(persistentVolume), {
    spec: { claimRef: { uid: null, resourceVersion: null } },
  });
}
