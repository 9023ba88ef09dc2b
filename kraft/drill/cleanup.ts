import { drillLabel, drillNamespace } from "../../components/plan/drill.ts";
import type { WritableHost } from "../../cluster/client.ts";
import type { Claim, KubernetesObject, Metadata, PersistentVolume, Pod, Volume } from "../../cluster/objects.ts";
import { labelled, paths, type Path } from "../../cluster/paths.ts";
import { waitFor, type Patience } from "../../cluster/wait.ts";
import { drillNamePattern } from "./restore.ts";

/** What drills have made, as far as it is still there. */
export interface Leftovers {
  readonly pods: readonly Metadata[];
  readonly claims: readonly Metadata[];
  readonly persistentVolumes: readonly Metadata[];
  readonly volumes: readonly Metadata[];
  /** What has a drill's label and is none of its making, with the reason: never touched. */
  readonly strange: readonly { readonly what: string; readonly why: string }[];
}

/** Everything with a drill's label. */
export interface Labelled {
  readonly pods: readonly Pod[];
  readonly claims: readonly Claim[];
  readonly persistentVolumes: readonly PersistentVolume[];
  readonly volumes: readonly Volume[];
}

/**
 * Tells what a drill has made from what only has its label. A volume is a drill's if it has the label and a drill's name,
 * was restored from a backup, and no PersistentVolume but a drill's is over it.
 *
 * @param persistentVolumes All of the cluster, with and without the label.
 */
export function leftovers(labelled: Labelled, persistentVolumes: readonly PersistentVolume[]): Leftovers {
  const strange: { what: string; why: string }[] = [];
  const own = <Kind extends { readonly metadata: Metadata }>(
    kind: string,
    objects: readonly Kind[],
    whyNot: (object: Kind) => string | undefined,
  ): Metadata[] =>
    objects
      .filter((object) => {
        const why = drillNamePattern.test(object.metadata.name) ? whyNot(object) : "does not have a drill's name";
        if (why !== undefined) {
          strange.push({ what: `${kind} ${object.metadata.name}`, why });
        }
        return why === undefined;
      })
      .map(({ metadata }) => metadata);
  const isOfDrill = ({ metadata, spec }: PersistentVolume): boolean =>
    metadata.labels?.[drillLabel] !== undefined &&
    drillNamePattern.test(metadata.name) &&
    spec?.claimRef?.namespace === drillNamespace &&
    spec.csi?.volumeHandle === metadata.name;
  return {
    pods: own("pod", labelled.pods, () => undefined),
    claims: own("claim", labelled.claims, () => undefined),
    persistentVolumes: own("PersistentVolume", labelled.persistentVolumes, (object) =>
      isOfDrill(object) ? undefined : `is not over a drill's volume for a claim in ${drillNamespace}`,
    ),
    volumes: own("volume", labelled.volumes, ({ metadata, spec }) => {
      const others = persistentVolumes.filter(
        (candidate) => candidate.spec?.csi?.volumeHandle === metadata.name && !isOfDrill(candidate),
      );
      return (spec?.fromBackup ?? "") === ""
        ? "was not restored from a backup"
        : others.length > 0
          ? `PersistentVolume ${others[0]?.metadata.name ?? ""} is over it`
          : undefined;
    }),
    strange,
  };
}

const collections = {
  pods: paths.pods.in(drillNamespace),
  claims: paths.claims.in(drillNamespace),
  persistentVolumes: paths.persistentVolumes.all,
  volumes: paths.volumes.all,
} as const;

/** Looks for what drills have left. */
export async function findLeftovers(host: WritableHost): Promise<Leftovers> {
  const list = <Kind>(collection: Path<Kind>): Promise<readonly Kind[]> => host.list(labelled(collection, drillLabel));
  const [pods, claims, persistentVolumes, volumes, all] = await Promise.all([
    list(collections.pods),
    list(collections.claims),
    list(collections.persistentVolumes),
    list(collections.volumes),
    host.list(collections.persistentVolumes),
  ]);
  return leftovers({ pods, claims, persistentVolumes, volumes }, all);
}

/**
 * Removes what a drill has made, each by its UID and only when what stands on it is gone: pod, claim, PersistentVolume,
 * volume. May be called off and called again at any point.
 *
 * @returns how many objects there were
 */
export async function removeLeftovers(host: WritableHost, patience: Patience): Promise<number> {
  let count = 0;
  for (const kind of ["pods", "claims", "persistentVolumes", "volumes"] as const) {
    const objects = (await findLeftovers(host))[kind];
    count += objects.length;
    for (const { name, uid } of objects) {
      await host.delete(`${collections[kind]}/${name}`, uid);
    }
    for (const { name, uid } of objects) {
      await waitFor(
        `removing ${collections[kind]}/${name}`,
        async () => {
          const object = await host.get<KubernetesObject>(`${collections[kind]}/${name}`);
          return object === undefined || object.metadata.uid !== uid ? true : undefined;
        },
        patience,
      );
    }
  }
  return count;
}
