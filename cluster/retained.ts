import { guestName, tenantNames, tenantOfNamespace } from "../components/plan/names.ts";
import { defaultStorageClass, tiers } from "../components/plan/storage.ts";
import type { LiveState, LiveTenant } from "./live-state.ts";
import { groupLabel, isInUse, isOfDrill, isStandby, isUnused, isWhole, longhornDriver, nonEmpty } from "./longhorn.ts";
import { type RestorableVolume, restoringLabel } from "./manifests.ts";
import type { Claim, PersistentVolume, Volume } from "./objects.ts";

/**
 * A volume that outlived its claim: Kraft's storage classes retain volumes. Which claim it was for is known from its
 * PersistentVolume, and from Longhorn where that is gone, too.
 */
export interface RetainedVolume {
  /** Longhorn's Volume. */
  readonly volume: string;
  readonly namespace: string;
  /** Name of the claim on the host. */
  readonly claim: string;
  /** When Longhorn made the volume, as RFC 3339, like all times here. */
  readonly createdAt?: string;
  /** When its claim was last there; undefined where Longhorn has not noticed its end. */
  readonly claimEndedAt?: string;
  /** When the last pod with it was gone; undefined while there is one, and where there never was. */
  readonly lastUsedAt?: string;
  /** Whether a pod uses it still. */
  readonly isInUse: boolean;
  /** Whether nothing was ever written to it. */
  readonly isUnused: boolean;
  /** Whether every copy of it is lost. */
  readonly isFaulted: boolean;
  /** Whether it has been chosen already: its PersistentVolume waits for a claim of this name. */
  readonly isFreed: boolean;
  readonly hasPersistentVolume: boolean;
  readonly lastBackupAt?: string;
  readonly sizeBytes: number;
  readonly storageClass: string;
  readonly accessMode: "rwo" | "rwop" | "rwx";
  readonly isBlock: boolean;
  readonly encrypted: boolean;
}

/**
 * The volumes that were for claims of tenants and that no claim is bound to. Neither a drill's nor one that follows another
 * stack's backups, nor one that is being restored: those have never been anybody's.
 */
export function retainedVolumes(
  volumes: readonly Volume[],
  persistentVolumes: readonly PersistentVolume[],
  claims: readonly Claim[],
): RetainedVolume[] {
  const over = new Map(
    persistentVolumes
      .filter(({ spec }) => spec?.csi?.driver === longhornDriver)
      .map((persistentVolume) => [persistentVolume.spec?.csi?.volumeHandle ?? "", persistentVolume]),
  );
  return volumes.flatMap((volume) => {
    const persistentVolume = over.get(volume.metadata.name);
    const known = volume.status?.kubernetesStatus;
    const { namespace, name } = persistentVolume?.spec?.claimRef ?? {
      namespace: nonEmpty(known?.namespace),
      name: nonEmpty(known?.pvcName),
    };
    const isNobodys =
      isOfDrill(volume) ||
      isStandby(volume) ||
      !isWhole(volume) ||
      volume.metadata.labels?.[restoringLabel] !== undefined;
    if (isNobodys || namespace === undefined || name === undefined || tenantOfNamespace(namespace) === undefined) {
      return [];
    }
    const claim = claims.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
    const names = [volume.metadata.name, persistentVolume?.metadata.name];
    return claim?.spec?.volumeName !== undefined && names.includes(claim.spec.volumeName)
      ? []
      : [describe(volume, persistentVolume, namespace, name)];
  });
}

function describe(
  volume: Volume,
  persistentVolume: PersistentVolume | undefined,
  namespace: string,
  claim: string,
): RetainedVolume {
  const { metadata, spec, status } = volume;
  const known = status?.kubernetesStatus;
  const [accessMode = ""] = persistentVolume?.spec?.accessModes ?? [];
  const longhornMode = spec?.accessMode === "rwx" || spec?.accessMode === "rwop" ? spec.accessMode : "rwo";
  return {
    volume: metadata.name,
    namespace,
    claim,
    createdAt: metadata.creationTimestamp,
    claimEndedAt: nonEmpty(known?.lastPVCRefAt),
    lastUsedAt: nonEmpty(known?.lastPodRefAt),
    isInUse: isInUse(volume),
    isUnused: isUnused(volume),
    isFaulted: status?.robustness === "faulted",
    isFreed: persistentVolume?.status?.phase === "Available",
    hasPersistentVolume: persistentVolume !== undefined,
    lastBackupAt: nonEmpty(status?.lastBackupAt),
    sizeBytes: Number(spec?.size ?? 0),
    storageClass: persistentVolume?.spec?.storageClassName ?? classOf(volume),
    accessMode:
      ({ ReadWriteMany: "rwx", ReadWriteOncePod: "rwop", ReadWriteOnce: "rwo" } as const)[accessMode] ?? longhornMode,
    isBlock: persistentVolume?.spec?.volumeMode === "Block",
    encrypted: spec?.encrypted === true,
  };
}

/** The class whose schedules a volume has. */
function classOf({ metadata }: Volume): string {
  const tier = tiers.find(({ group }) => metadata.labels?.[groupLabel(group)] !== undefined);
  return tier?.storageClass ?? defaultStorageClass;
}

/** A claim that a guest needs and does not have, and the retained volume that it had last. */
export interface LostClaim {
  readonly claim: string;
  readonly volume: RetainedVolume;
  /** Other retained volumes that claims of this name had, the latest first. */
  readonly others: readonly RetainedVolume[];
  /** Volume of a claim of this name that was made since, to which nothing was ever written. */
  readonly replaces?: string;
}

/** What a tenant has lost, and what it gave up by itself. */
export interface Losses {
  /** The datastore first. */
  readonly lost: readonly LostClaim[];
  /** Retained volumes that the guest did not know any more when it last ran, and those that were replaced. */
  readonly left: readonly RetainedVolume[];
}

/**
 * How long before the end of a guest its claims may have ended that go with it: a pod on a node that is off keeps its volume
 * until the node is back, and the guest's own server may be on that node.
 */
const longestEnd = 24 * 3_600_000;

/**
 * What of a tenant's claims is gone although the guest needs it. A claim that the tenant deleted leaves a retained volume as
 * well, which is no loss: it can only have been deleted by way of the guest, and so while that ran.
 *
 * - Without a Cluster: the claims that ended with the guest, at most a day before it.
 * - With a Cluster that is suspended: the datastore's, and those that ended after the guest had.
 * - With one that runs: the datastore's alone.
 */
export function lossesOf(
  tenant: string,
  found: Pick<LiveTenant, "claims" | "guest" | "suspendedAt"> | undefined,
  { volumes, retained }: Pick<LiveState, "retained" | "volumes">,
): Losses {
  const { namespace, datastoreClaim } = tenantNames(tenant);
  const own = retained.filter((volume) => volume.namespace === namespace);
  const candidates = [...Map.groupBy(own, ({ claim }) => claim)].map(([claim, rivals]) => {
    const [volume, ...others] = rivals.toSorted(lastHeldFirst);
    const bound = found?.claims.find(({ name }) => name === claim)?.volume;
    const isEmpty = bound !== undefined && volumes.some(({ name, isUnused }) => name === bound && isUnused === true);
    return { claim, volume, others, bound, isEmpty };
  });
  const datastore = candidates.find(({ claim }) => claim === datastoreClaim);
  const current = found?.claims.find(({ name }) => name === datastoreClaim)?.volume;
  const server =
    datastore === undefined || (current !== undefined && !datastore.isEmpty)
      ? volumes.find(({ name }) => name === current)
      : datastore.volume;
  const end = Date.parse(
    server?.lastUsedAt ?? (server !== undefined && "claimEndedAt" in server ? server.claimEndedAt : undefined) ?? "",
  );
  const suspended = Date.parse(found?.suspendedAt ?? "");

  const endedWithGuest = ({ claim, claimEndedAt }: RetainedVolume): boolean => {
    if (claim === datastoreClaim) {
      return true;
    }
    const ended = Date.parse(claimEndedAt ?? "");
    if (found?.guest === true) {
      // Nothing but a person at the host deletes a claim of a guest that does not run.
      return ended > end && ended > suspended;
    }
    return Number.isNaN(ended) || Number.isNaN(end) || ended >= end - longestEnd;
  };
  const lost = candidates.flatMap(({ claim, volume, others, bound, isEmpty }): LostClaim[] => {
    if (volume === undefined || (bound !== undefined && (!isEmpty || volume.isUnused)) || !endedWithGuest(volume)) {
      return [];
    }
    return [{ claim, volume, others, replaces: bound }];
  });
  const taken = new Set(lost.map(({ volume }) => volume.volume));
  return {
    lost: lost.sort(
      (a, b) => Number(b.claim === datastoreClaim) - Number(a.claim === datastoreClaim) || (a.claim < b.claim ? -1 : 1),
    ),
    left: own.filter(({ volume }) => !taken.has(volume)),
  };
}

/**
 * Of the volumes that claims of one name had: one that was chosen already, then one with data, then the one whose claim was
 * there last.
 */
export function lastHeldFirst(a: RetainedVolume, b: RetainedVolume): number {
  const ended = ({ claimEndedAt }: RetainedVolume): number => Date.parse(claimEndedAt ?? "9999-01-01T00:00:00Z");
  return (
    Number(b.isFreed) - Number(a.isFreed) ||
    Number(a.isUnused) - Number(b.isUnused) ||
    ended(b) - ended(a) ||
    Date.parse(b.createdAt ?? "") - Date.parse(a.createdAt ?? "") ||
    (a.volume < b.volume ? -1 : 1)
  );
}

/**
 * The volume that K3k made for a guest's datastore although an earlier one is retained: the guest runs, and knows nothing of
 * what it had. Undefined where there is none.
 */
export function datastoreMadeAnew(
  tenant: string,
  found: Pick<LiveTenant, "claims"> | undefined,
  { volumes, retained }: Pick<LiveState, "retained" | "volumes">,
): { readonly made: string; readonly madeAt: string; readonly earlier: RetainedVolume } | undefined {
  const { namespace, datastoreClaim } = tenantNames(tenant);
  const made = volumes.find(
    ({ name }) => name === found?.claims.find((claim) => claim.name === datastoreClaim)?.volume,
  );
  const [earlier] = retained
    .filter((volume) => volume.namespace === namespace && volume.claim === datastoreClaim && !volume.isUnused)
    .sort(lastHeldFirst);
  const madeAt = made?.createdAt ?? "";
  // Longhorn notices the end of a claim some seconds late.
  const isAnew = made?.isRestored !== true && Date.parse(madeAt) >= Date.parse(earlier?.claimEndedAt ?? "") - 60_000;
  return made !== undefined && earlier !== undefined && isAnew ? { made: made.name, madeAt, earlier } : undefined;
}

/** A retained volume, to be bound to its claim again. It comes from no backup. */
export function restorableOf(
  tenant: string,
  retained: Pick<
    RetainedVolume,
    "accessMode" | "claim" | "encrypted" | "isBlock" | "namespace" | "sizeBytes" | "storageClass" | "volume"
  >,
  parameters: Readonly<Record<string, string>>,
): RestorableVolume {
  const { volume, namespace, claim, sizeBytes, storageClass, accessMode, isBlock, encrypted } = retained;
  return {
    ...{ volume, namespace, claim, tenant, sizeBytes, storageClass, parameters, accessMode, isBlock, encrypted },
    guest: guestName(tenantNames(tenant).cluster, claim) ?? null,
    backup: { name: "", url: "" },
    dataEngine: "v1",
  };
}
