import { drillLabel, drillNamespace } from "../../components/plan/drill.ts";
import type { WritableHost } from "../../cluster/client.ts";
import { longhornPath, type PersistentVolume, type StoredMetadata, type Volume } from "../../cluster/longhorn.ts";
import { waitFor, type Patience } from "../../cluster/wait.ts";
import { drillNamePattern } from "./objects.ts";

/** What drills have made, as far as it is still there. */
export interface Leftovers {
  readonly pods: readonly StoredMetadata[];
  readonly claims: readonly StoredMetadata[];
  readonly persistentVolumes: readonly StoredMetadata[];
  readonly volumes: readonly StoredMetadata[];
  /** What has a drill's label and is none of its making, with the reason: never touched. */
  readonly strange: readonly { readonly what: string; readonly why: string }[];
}

/** Everything with a drill's label. */
export interface Labelled {
  readonly pods: readonly { readonly metadata: StoredMetadata }[];
  readonly claims: readonly { readonly metadata: StoredMetadata }[];
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
  const own = <Kind extends { readonly metadata: StoredMetadata }>(
    kind: string,
    objects: readonly Kind[],
    whyNot: (object: Kind) => string | undefined,
  ): StoredMetadata[] =>
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

const selector = `labelSelector=${encodeURIComponent(drillLabel)}`;
const collections = {
  pods: `/api/v1/namespaces/${drillNamespace}/pods`,
  claims: `/api/v1/namespaces/${drillNamespace}/persistentvolumeclaims`,
  persistentVolumes: "/api/v1/persistentvolumes",
  volumes: `${longhornPath}/volumes`,
} as const;

/** Looks for what drills have left. */
export async function findLeftovers(host: WritableHost): Promise<Leftovers> {
  const list = <Kind>(collection: string): Promise<readonly Kind[]> => host.list<Kind>(`${collection}?${selector}`);
  const [pods, claims, persistentVolumes, volumes, all] = await Promise.all([
    list<{ metadata: StoredMetadata }>(collections.pods),
    list<{ metadata: StoredMetadata }>(collections.claims),
    list<PersistentVolume>(collections.persistentVolumes),
    list<Volume>(collections.volumes),
    host.list<PersistentVolume>(collections.persistentVolumes),
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
          const object = await host.get<{ readonly metadata: StoredMetadata }>(`${collections[kind]}/${name}`);
          return object === undefined || object.metadata.uid !== uid ? true : undefined;
        },
        patience,
      );
    }
  }
  return count;
}
