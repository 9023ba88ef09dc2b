import type { WritableHost } from "../../cluster/client.ts";
import { deleteGuarded } from "../../cluster/delete-guarded.ts";
import { isOfDrill } from "../../cluster/longhorn.ts";
import type { KubernetesObject, Metadata, PersistentVolume } from "../../cluster/objects.ts";
import { labelled, paths } from "../../cluster/paths.ts";
import { type Patience, waitFor } from "../../cluster/wait.ts";
import { drillLabel, drillNamespace } from "../../components/plan/drill.ts";
import { listAll, type Listed } from "../cli/host.ts";
import { drillNamePattern } from "./restore.ts";

const collections = {
  pods: paths.pods.in(drillNamespace),
  claims: paths.claims.in(drillNamespace),
  persistentVolumes: paths.persistentVolumes.all,
  volumes: paths.volumes.all,
} as const;

/** Everything with a drill's label. */
export type Labelled = Listed<typeof collections>;

/** What drills created and did not delete. */
export interface Leftovers extends Readonly<Record<keyof Labelled, readonly Metadata[]>> {
  /** What has a drill's label and was not created by one, with the reason: never touched. */
  readonly strange: readonly { readonly what: string; readonly why: string }[];
}

/**
 * Tells what a drill created from what only has its label. A volume is a drill's if it has the label and a drill's name,
 * was restored from a backup, and none of the cluster's PersistentVolumes is for it but a drill's.
 */
export function leftovers(labelled: Labelled, persistentVolumes: readonly PersistentVolume[]): Leftovers {
  const strange: { what: string; why: string }[] = [];
  const own = <Kind extends KubernetesObject>(
    kind: string,
    objects: readonly Kind[],
    whyNot: (object: Kind) => string | undefined = () => undefined,
  ): Metadata[] =>
    objects.flatMap((object) => {
      const { metadata } = object;
      const why = drillNamePattern.test(metadata.name) ? whyNot(object) : "does not have a drill's name";
      if (why === undefined) {
        return [metadata];
      }
      strange.push({ what: `${kind} ${metadata.name}`, why });
      return [];
    });
  return {
    pods: own("pod", labelled.pods),
    claims: own("claim", labelled.claims),
    persistentVolumes: own("PersistentVolume", labelled.persistentVolumes, (object) =>
      isDrills(object) ? undefined : `is not for a drill's volume and a claim in ${drillNamespace}`,
    ),
    volumes: own("volume", labelled.volumes, ({ metadata, spec }) => {
      const other = persistentVolumes.find(
        (candidate) => candidate.spec?.csi?.volumeHandle === metadata.name && !isDrills(candidate),
      );
      if ((spec?.fromBackup ?? "") === "") {
        return "was not restored from a backup";
      }
      return other && `has the PersistentVolume ${other.metadata.name}`;
    }),
    strange,
  };
}

function isDrills(persistentVolume: PersistentVolume): boolean {
  const { metadata, spec } = persistentVolume;
  return (
    isOfDrill(persistentVolume) &&
    drillNamePattern.test(metadata.name) &&
    spec?.claimRef?.namespace === drillNamespace &&
    spec.csi?.volumeHandle === metadata.name
  );
}

/** Finds what drills have left. */
export async function findLeftovers(host: WritableHost): Promise<Leftovers> {
  const ofDrills = {
    pods: labelled(collections.pods, drillLabel),
    claims: labelled(collections.claims, drillLabel),
    persistentVolumes: labelled(collections.persistentVolumes, drillLabel),
    volumes: labelled(collections.volumes, drillLabel),
  };
  const [found, all] = await Promise.all([listAll(host, ofDrills), host.list(collections.persistentVolumes)]);
  return leftovers(found, all);
}

/**
 * Deletes what a drill created, each by its UID and only when what uses it is gone: pod, claim, PersistentVolume, volume.
 * May be cancelled and called again at any point. Returns how many objects there were.
 */
export async function removeLeftovers(host: WritableHost, patience: Patience): Promise<number> {
  let count = 0;
  for (const kind of ["pods", "claims", "persistentVolumes", "volumes"] as const) {
    const objects = (await findLeftovers(host))[kind];
    count += objects.length;
    for (const { name, uid } of objects) {
      const path = `${collections[kind]}/${name}`;
      await (kind === "volumes" ? deleteGuarded(host, path, uid) : host.delete(path, uid));
    }
    for (const { name, uid } of objects) {
      const path = `${collections[kind]}/${name}`;
      const isGone = async () => (await host.get(path))?.metadata.uid !== uid || undefined;
      await waitFor(`deleting ${path}`, isGone, patience);
    }
  }
  return count;
}
